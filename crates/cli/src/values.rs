//! Values of the command line that clap does not know: what each must look like, and what to say when it does not.

use std::net::SocketAddr;

use parlor::ReplayAt;
use serde_json::{Map, Value};

pub(crate) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let allowed = "allowed are 127.0.0.1:PORT, [::1]:PORT and localhost:PORT";
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let addr: SocketAddr =
        numeric.as_deref().unwrap_or(text).parse().map_err(|_| format!("not an address and port; {allowed}"))?;
    if addr.ip().is_loopback() {
        Ok(addr)
    } else {
        Err(format!("the API never listens beyond this computer; {allowed}"))
    }
}

pub(crate) fn wait_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=600.0).contains(seconds));
    seconds.ok_or_else(|| "not a number of seconds from 0 to 600".to_owned())
}

pub(crate) fn whole<const MIN: u32, const MAX: u32>(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
    number.ok_or_else(|| format!("not a whole number from {MIN} to {MAX}"))
}

pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("not a JSON object; one looks like '{\"status\":\"busy\"}'".into()),
        Err(error) => Err(format!("not JSON: {error}; an object looks like '{{\"status\":\"busy\"}}'")),
    }
}

pub(crate) fn assignment(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("not KEY=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((key.to_owned(), value))
}

pub(crate) fn expiry(text: &str) -> Result<(String, u64), String> {
    let (key, ms) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("not KEY=MS")?;
    let ms = ms.parse().map_err(|_| format!("{ms:?} is not a whole number of milliseconds"))?;
    Ok((key.to_owned(), ms))
}

/// The number of a step, or a length of time with its unit.
pub(crate) fn moment(text: &str) -> Result<ReplayAt, String> {
    let not = || "neither the number of a step nor a time such as 1500ms or 12.5s".to_owned();
    let (number, scale) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(ms), _) => (ms, 1.0),
        (None, Some(seconds)) => (seconds, 1000.0),
        (None, None) => return text.parse().map(ReplayAt::Step).map_err(|_| not()),
    };
    let ms = number.trim().parse::<f64>().ok().map(|number| number * scale);
    // No recording is as long as this, and every whole number up to it is exact.
    let ms = ms.filter(|ms| (0.0..=1e15).contains(ms)).ok_or_else(not)?;
    // Not negative, and far from the greatest.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(ReplayAt::Ms(ms as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_step_or_a_time() {
        assert_eq!(moment("12"), Ok(ReplayAt::Step(12)));
        assert_eq!(moment("1500ms"), Ok(ReplayAt::Ms(1_500)));
        assert_eq!(moment("12.5s"), Ok(ReplayAt::Ms(12_500)));
        for wrong in ["", "s", "-1", "-1s", "12m", "1.5", "NaNs", "infs", "1e30s"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_setting_is_json_or_else_text() {
        assert_eq!(assignment("locked=false"), Ok(("locked".into(), Value::Bool(false))));
        assert_eq!(assignment("title=Incident response"), Ok(("title".into(), "Incident response".into())));
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
    }
}
