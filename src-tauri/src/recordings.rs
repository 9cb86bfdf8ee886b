//! Recordings in the inspector's window: a file that a page was given comes as bytes, with what is asked of it in a header.

use parlor::{Error, ErrorCode, ReplayAt, ReplayQuery};
use serde::Deserialize;
use tauri::ipc::{InvokeBody, Request};

use crate::saving::ASKED;

/// The ending of a recording's name.
pub const ENDING: &str = "parlor-recording";

/// What is asked of a recording.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    at: Option<usize>,
    at_ms: Option<u64>,
    from: Option<usize>,
    limit: Option<usize>,
    /// What a test is called.
    pub name: Option<String>,
    /// Of two files, how many bytes are the first.
    pub first: Option<usize>,
}

impl Asked {
    /// Which moment.
    pub fn moment(&self) -> Result<Option<ReplayAt>, Error> {
        match (self.at, self.at_ms) {
            (Some(_), Some(_)) => Err(Error::new(ErrorCode::InvalidLimit, "one of at and atMs is allowed").at("atMs")),
            (at, at_ms) => Ok(at.map(ReplayAt::Step).or(at_ms.map(ReplayAt::Ms))),
        }
    }

    /// Which part.
    pub fn query(&self) -> Result<ReplayQuery, Error> {
        Ok(ReplayQuery { at: self.moment()?, from: self.from, limit: self.limit })
    }
}

/// The two files of a call that brought both.
pub fn two(mut files: Vec<u8>, asked: &Asked) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let wrong = |why| Error::new(ErrorCode::InvalidLimit, why).at("first");
    let first = asked.first.ok_or_else(|| wrong("first is missing: how many bytes are the first file"))?;
    if first > files.len() {
        return Err(wrong("first is more than there is"));
    }
    let second = files.split_off(first);
    Ok((files, second))
}

/// What a call brought: bytes, and what is asked of them.
pub fn handed(request: &Request<'_>) -> Result<(Vec<u8>, Asked), Error> {
    let wrong = |why: String| Error::new(ErrorCode::InvalidRecording, why);
    let InvokeBody::Raw(file) = request.body() else { return Err(wrong("a recording comes as bytes".to_owned())) };
    let asked = match request.headers().get(ASKED) {
        None => Asked::default(),
        Some(asked) => serde_json::from_slice(asked.as_bytes())
            .map_err(|error| wrong(format!("what is asked of it cannot be understood: {error}")))?,
    };
    Ok((file.clone(), asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_as_over_http() {
        let place = |error: Error| (error.code, error.details["path"].as_str().map(str::to_owned));
        let both = Asked { at: Some(1), at_ms: Some(2), ..Asked::default() };
        assert_eq!(place(both.query().unwrap_err()), (ErrorCode::InvalidLimit, Some("atMs".to_owned())));
        let split = |first| two(b"abc".to_vec(), &Asked { first, ..Asked::default() });
        assert_eq!(split(Some(1)), Ok((b"a".to_vec(), b"bc".to_vec())));
        for wrong in [None, Some(4)] {
            assert_eq!(place(split(wrong).unwrap_err()), (ErrorCode::InvalidLimit, Some("first".to_owned())));
        }
    }
}
