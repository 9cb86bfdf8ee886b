//! How a command ends when it does not succeed.

use std::process::ExitCode;

use parlor::StartError;
use parlor_http::ServeError;
use serde::Deserialize;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was called in a way that cannot work: exit code 2. Calling it again changes nothing.
    #[error("{0}")]
    Usage(String),
    /// It did not work: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The actor is in no such room: exit code 1. A peer that was started for the call explains why.
    #[error("{0}")]
    NotJoined(String),
    /// The running peer is gone, or was never there: exit code 1.
    #[error("{0}")]
    Unreachable(String),
    /// Nobody reads the output any more: exit code 0, and nothing said.
    #[error("the output was closed")]
    OutputClosed,
}

/// An error as the API answers it.
#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl Failure {
    /// Reads the answer of a call that was refused.
    pub(crate) fn from_answer(status: u16, body: &str) -> Self {
        let Ok(Problem { code, detail }) = serde_json::from_str(body) else {
            return Failure::Failed(format!("the API answered {status} without saying why"));
        };
        let message = format!("{detail} ({code})");
        match code.as_str() {
            "NOT_JOINED" => Failure::NotJoined(message),
            "PAYLOAD_TOO_LARGE" => Failure::Usage(message),
            code if code.starts_with("INVALID_") => Failure::Usage(message),
            _ => Failure::Failed(message),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Held { .. }
            | StartError::BadProfile(_)
            | StartError::BadName(_)
            | StartError::BadAddress(_)
            | StartError::PortInUse(_) => Failure::Usage(error.to_string()),
            _ => Failure::Failed(error.to_string()),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::ApiFile(_) => Failure::Failed(error.to_string()),
            _ => Failure::Usage(error.to_string()),
        }
    }
}

/// Says what went wrong, and turns it into the exit code.
pub(crate) fn exit(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    let code = match failure {
        Failure::OutputClosed => return ExitCode::SUCCESS,
        Failure::Usage(_) => 2,
        Failure::Failed(_) | Failure::NotJoined(_) | Failure::Unreachable(_) => 1,
    };
    crate::output::note(&format!("parlor: {failure}"));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_got_wrong_is_told_apart_from_what_went_wrong() {
        let read = |code: &str| Failure::from_answer(400, &format!(r#"{{"code":"{code}","detail":"why"}}"#));
        assert!(matches!(read("INVALID_ROOM_ID"), Failure::Usage(text) if text == "why (INVALID_ROOM_ID)"));
        assert!(matches!(read("PAYLOAD_TOO_LARGE"), Failure::Usage(_)));
        assert!(matches!(read("NOT_JOINED"), Failure::NotJoined(_)));
        assert!(matches!(read("NETWORK_UNAVAILABLE"), Failure::Failed(_)));
        assert!(matches!(Failure::from_answer(502, "<html>"), Failure::Failed(text) if text.contains("502")));
    }
}
