//! Conditions on the version of what is read and written (RFC 9110, section 13): `ETag` of an answer, `If-Match` of a write,
//! `If-None-Match` of a read. An entity tag is the version of the settings, in quotes. Nothing is compared here and written
//! later: `If-Match` becomes `ifVersion` of the call, which the replica holds against its state as it writes.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use parlor::{Error, ErrorCode, MetadataChange, Room, RoomMetadata};

use crate::problem::Problem;

/// The header that names a version.
pub(crate) fn tag(version: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((ETAG, HeaderValue::from_str(&format!("\"{version}\"")).ok()?))
}

/// The settings with their tag.
pub(crate) struct Tagged(pub RoomMetadata);

impl IntoResponse for Tagged {
    fn into_response(self) -> Response {
        let header = tag(&self.0.version);
        let mut response = Json(self.0).into_response();
        response.headers_mut().extend(header);
        response
    }
}

/// What a condition names.
#[derive(Debug, PartialEq, Eq)]
enum Versions {
    /// `*`: whatever there is.
    Any,
    /// Tags; whether each is weak.
    Of(Vec<(bool, String)>),
}

/// `If-Match`.
pub(crate) struct IfMatch(Option<Versions>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(IfMatch(named(parts, &IF_MATCH)?))
    }
}

impl IfMatch {
    /// Asks the same of the call. Of several versions it is the one that there is now, so the call is refused also when
    /// another of them came meanwhile: asked again, it is taken.
    pub(crate) async fn ask(self, room: &Room, mut args: MetadataChange) -> Result<MetadataChange, Error> {
        // The settings are never nothing, so `*` always holds; and a weak tag is never the same as ours.
        let Some(Versions::Of(tags)) = self.0 else { return Ok(args) };
        let mut strong: Vec<String> = tags.into_iter().filter_map(|(weak, tag)| (!weak).then_some(tag)).collect();
        if let Some(also) = &args.if_version {
            strong.retain(|tag| tag == also);
        }
        if strong.len() > 1 {
            let now = room.metadata().await?.version;
            strong.retain(|tag| *tag == now);
        }
        // No version at all is empty, so that what fits none is refused by who knows the one of now.
        args.if_version = Some(strong.pop().unwrap_or_default());
        Ok(args)
    }
}

/// `If-None-Match`.
pub(crate) struct IfNoneMatch(Option<Versions>);

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(IfNoneMatch(named(parts, &IF_NONE_MATCH)?))
    }
}

impl IfNoneMatch {
    /// The settings, or that they are those which the caller has.
    pub(crate) fn answer(self, settings: RoomMetadata) -> Response {
        let has = match &self.0 {
            None => false,
            Some(Versions::Any) => true,
            Some(Versions::Of(tags)) => tags.iter().any(|(_, tag)| *tag == settings.version),
        };
        if !has {
            return Tagged(settings).into_response();
        }
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response.headers_mut().extend(tag(&settings.version));
        response
    }
}

/// What a condition says; several of its headers count as one list.
fn named(parts: &Parts, name: &HeaderName) -> Result<Option<Versions>, Problem> {
    let values: Vec<&HeaderValue> = parts.headers.get_all(name).iter().collect();
    if values.is_empty() {
        return Ok(None);
    }
    let text: Option<Vec<&str>> = values.iter().map(|value| value.to_str().ok()).collect();
    let versions = text.and_then(|text| parsed(&text.join(",")));
    versions.map(Some).ok_or_else(|| {
        let message = format!("{name} names no version: give `*`, or tags in quotes such as \"k3q7zt2mwn5ra6xd\"");
        Error::new(ErrorCode::PreconditionFailed, message).at(name.as_str()).into()
    })
}

/// `*`, or tags between commas; nothing when it is neither.
fn parsed(text: &str) -> Option<Versions> {
    if text.trim() == "*" {
        return Some(Versions::Any);
    }
    let mut tags = Vec::new();
    let mut rest = text.trim_matches([' ', '\t', ',']);
    loop {
        let weak = rest.strip_prefix("W/");
        let (tag, after) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        tags.push((weak.is_some(), tag.to_owned()));
        let next = after.trim_start_matches([' ', '\t']);
        if next.is_empty() {
            return Some(Versions::Of(tags));
        }
        rest = next.strip_prefix(',')?.trim_start_matches([' ', '\t', ',']);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tags: &[(bool, &str)]) -> Option<Versions> {
        Some(Versions::Of(tags.iter().map(|(weak, tag)| (*weak, (*tag).to_owned())).collect()))
    }

    #[test]
    fn conditions_are_read_as_the_rfc_writes_them() {
        assert_eq!(parsed("*"), Some(Versions::Any));
        assert_eq!(parsed(r#""a""#), of(&[(false, "a")]));
        assert_eq!(parsed(r#" "a,b" ,, W/"c""#), of(&[(false, "a,b"), (true, "c")]));
        assert_eq!(parsed(r#""""#), of(&[(false, "")]));
        for wrong in ["", " ", ",", "a", "\"a", "a\"", r#""a" "b""#, r#""a", *"#, r#"w/"a""#, r#"W/a"#, r#""a","b"#] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
