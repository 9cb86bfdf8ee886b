//! Parameters that many operations share.

use parlor::RoomId;
use utoipa::IntoParams;
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, Ref, Required};

/// A value of a header: space around it is not part of it.
const HEADER_PATTERN: &str =
    r"^[^ \u0000-\u001F\u007F-\u009F]([^\u0000-\u001F\u007F-\u009F]*[^ \u0000-\u001F\u007F-\u009F])?$";

/// Who acts.
pub(crate) struct ActingFor;

impl IntoParams for ActingFor {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = |name: &str, max: usize, description: &str| {
            let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(max));
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(text.pattern(Some(HEADER_PATTERN))))
                .build()
        };
        vec![
            header(
                "Parlor-User",
                128,
                "Acts for a guest of this peer, by an id of 1 to 128 characters that the caller makes up. Without it the \
                 actor is the person of the profile.",
            ),
            header(
                "Parlor-User-Name",
                256,
                "What the guest is called: 1 to 256 bytes of UTF-8; the id when missing. Names nobody without `Parlor-User`.",
            ),
        ]
    }
}

/// A condition on a version: `*`, or entity tags.
const CONDITION_PATTERN: &str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

fn condition(name: &str, description: &str) -> Parameter {
    let tags = ObjectBuilder::new().schema_type(Type::String).pattern(Some(CONDITION_PATTERN));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(tags))
        .build()
}

/// The version that a write is for.
pub(crate) struct IfMatchHeader;

impl IntoParams for IfMatchHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![condition("If-Match", "Only if the settings have one of these `ETag`s, or any with `*`.")]
    }
}

/// The version that a reader has.
pub(crate) struct IfNoneMatchHeader;

impl IntoParams for IfNoneMatchHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![condition("If-None-Match", "Only if the settings have none of these `ETag`s.")]
    }
}

/// Where a reader was.
pub(crate) struct LastEventId;

impl IntoParams for LastEventId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-f]{16}-[0-9]{1,20}$"));
        let header = ParameterBuilder::new()
            .name("Last-Event-ID")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The `id` of the last event that the reader had."))
            .schema(Some(id))
            .build();
        vec![header]
    }
}

/// The room of the path, and who acts there.
pub(crate) struct InRoom;

impl IntoParams for InRoom {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let room = ParameterBuilder::new()
            .name("room")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("The room's name, percent-encoded."))
            .schema(Some(Ref::from_schema_name(RoomId::name())))
            .build();
        [room].into_iter().chain(ActingFor::into_params(place)).collect()
    }
}
