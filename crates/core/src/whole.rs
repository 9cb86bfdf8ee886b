//! Whole numbers in the arguments of calls. JSON has one kind of number, so `60.0` is as whole as `60`, and there are
//! languages that write nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Below this every whole number is one of its own as a float too.
const EXACT: f64 = 9_007_199_254_740_992.0;

struct Whole<T>(T);

impl<'de, T: TryFrom<u64>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<T>(PhantomData<T>);

        impl<T: TryFrom<u64>> Visitor<'_> for Number<T> {
            type Value = Whole<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<T>, E> {
                let refused = |_| E::invalid_value(Unexpected::Unsigned(number), &self);
                T::try_from(number).map(Whole).map_err(refused)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Whole<T>, E> {
                if number.fract() != 0.0 || !(0.0..EXACT).contains(&number) {
                    return Err(E::invalid_value(Unexpected::Float(number), &self));
                }
                // Which loses nothing, by the line above.
                self.visit_u64(number as u64)
            }
        }

        deserializer.deserialize_any(Number(PhantomData))
    }
}

/// A field that may be missing, for serde's `deserialize_with`.
///
/// # Errors
/// For what is no whole number from 0, or does not fit.
pub fn option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    Ok(Option::<Whole<T>>::deserialize(deserializer)?.map(|number| number.0))
}

/// A field that has a default.
///
/// # Errors
/// For what is no whole number from 0, or does not fit.
pub fn number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    Ok(Whole::<T>::deserialize(deserializer)?.0)
}

/// A field that may be missing, of a number that may be below 0.
///
/// # Errors
/// For what is no whole number, or does not fit.
pub fn signed<'de, D>(deserializer: D) -> Result<Option<i64>, D::Error>
where
    D: Deserializer<'de>,
{
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() < EXACT).then_some(float as i64);
    let signed = number.as_i64().or_else(|| number.as_f64().and_then(whole));
    signed.map(Some).ok_or_else(|| Error::custom(format!("{number} is no whole number that fits")))
}

/// One for each key.
pub(crate) fn map<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let numbers = BTreeMap::<String, Whole<T>>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(|(key, number)| (key, number.0)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use crate::command::{Join, PresenceChange};

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        let join = |seconds| {
            from_value::<Join>(json!({ "presenceTtlSeconds": seconds })).map(|join| join.presence_ttl_seconds)
        };
        for seconds in [json!(60), json!(60.0), json!(6e1)] {
            assert_eq!(join(seconds).unwrap(), Some(60));
        }
        let change: PresenceChange = from_value(json!({ "presence": {}, "expire": { "typing": 5_000.0 } })).unwrap();
        assert_eq!(change.expire["typing"], 5_000);
        for wrong in
            [json!(1.5), json!(-1), json!(-1.0), json!(1e300), json!(4_294_967_296_u64), json!("60"), json!([60])]
        {
            let error = join(wrong.clone()).unwrap_err().to_string();
            assert!(error.contains("expected a whole number"), "{wrong}: {error}");
        }
    }
}
