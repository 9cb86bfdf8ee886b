//! Values of the command line that clap does not know: what each must look like, and what to say when it does not.

use std::net::SocketAddr;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_json_or_else_text() {
        assert_eq!(assignment("locked=false"), Ok(("locked".into(), Value::Bool(false))));
        assert_eq!(assignment("title=Incident response"), Ok(("title".into(), "Incident response".into())));
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
    }
}
