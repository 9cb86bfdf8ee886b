//! With which codes each operation can refuse (design A9), as the document lists them: by status, each with what it means.
//!
//! The groups are the doors of a request, in the order in which it passes them; see the introduction of the crate. An
//! operation names the doors that it has, and then what the call itself can answer.

use std::collections::BTreeMap;

use parlor::ErrorCode::{self, *};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{
    AllOfBuilder, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// The media type of every refusal.
const PROBLEM_JSON: &str = "application/problem+json";

/// `guard`: where the request comes from, and the size of its head and declared body.
const HEAD: &[ErrorCode] = &[ForbiddenHost, ForbiddenOrigin, PayloadTooLarge];
/// `guard`: the token.
const TOKEN: &[ErrorCode] = &[Unauthorized];
/// `guard`: what is no read declares its body.
const DECLARED: &[ErrorCode] = &[UnsupportedMediaType];
/// `request`: the body itself.
const BODY: &[ErrorCode] = &[UnsupportedMediaType, InvalidJson];
/// `request`: who acts, by `Parlor-User` and `Parlor-User-Name`.
const CALLER: &[ErrorCode] = &[InvalidMemberId, InvalidPresence];
/// `request`: the room of the path, or of the body.
const ROOM: &[ErrorCode] = &[InvalidRoomId];
/// `condition`: the version that a header names.
const CONDITION: &[ErrorCode] = &[PreconditionFailed];
/// A call that opens its room.
const OPENS: &[ErrorCode] = &[InvalidTicket, Forbidden, NotFound, TooManyRooms, NetworkUnavailable, StorageFailed];
/// A call in a room that has to be open already.
const INSIDE: &[ErrorCode] = &[NotJoined, NotFound, NetworkUnavailable];
/// A call that writes what is shared and kept.
const SHARED: &[ErrorCode] = &[IdentityCloned, CellFrozen, StorageFailed];
/// A call that writes what a locked room protects.
const LOCKABLE: &[ErrorCode] = &[RoomLocked, Forbidden];

macro_rules! refusals {
    ($($operation:ident: $($group:expr),+;)*) => {$(
        pub(crate) struct $operation;

        impl IntoResponses for $operation {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[HEAD, $($group),+])
            }
        }
    )*};
}

refusals! {
    Healthz: &[];
    OpenApi: TOKEN;
    Rooms: TOKEN, CALLER;
    CreateRoom: TOKEN, BODY, CALLER, ROOM, &[InvalidTicket, Forbidden, NotFound, NetworkUnavailable, StorageFailed];
    ForgetRoom: TOKEN, DECLARED, CALLER, ROOM, &[NetworkUnavailable, StorageFailed];
    Join: TOKEN, BODY, CALLER, ROOM, OPENS, &[InvalidMetadata, MemberIdConflict, NotJoined, IdentityCloned];
    Presence: TOKEN, BODY, CALLER, ROOM, INSIDE, &[AmbiguousMember, IdentityCloned];
    Leave: TOKEN, BODY, CALLER, ROOM, &[AmbiguousMember];
    Listing: TOKEN, CALLER, ROOM, OPENS, &[InvalidLimit, InvalidCursor];
    Reading: TOKEN, CALLER, ROOM, OPENS;
    ReadingIf: TOKEN, CALLER, ROOM, OPENS, CONDITION;
    SetMetadata: TOKEN, BODY, CALLER, ROOM, INSIDE, SHARED, LOCKABLE, CONDITION, &[InvalidMetadata];
    SetBoard: TOKEN, BODY, CALLER, ROOM, INSIDE, SHARED, LOCKABLE, &[InvalidBoard];
    Publish: TOKEN, BODY, CALLER, ROOM, INSIDE, SHARED, &[InvalidMessage, AmbiguousMember, RateLimited];
    Socket: TOKEN, CALLER, ROOM, OPENS, &[MethodNotAllowed];
    ChangeAccess: TOKEN, BODY, CALLER, ROOM, INSIDE, SHARED, &[Forbidden, InvalidTicket];
    Invite: TOKEN, BODY, CALLER, ROOM, &[InvalidTicket, Forbidden];
    ReadTicket: TOKEN, BODY, &[InvalidTicket];
    Shared: TOKEN, CALLER, ROOM, &[Forbidden];
    ChangeShare: TOKEN, BODY, CALLER, ROOM, OPENS, &[InvalidLimit];
    Peers: TOKEN, CALLER;
    Recorded: TOKEN, ROOM, &[InvalidLimit, InvalidRecording, NotFound, NetworkUnavailable, StorageFailed];
    Handed: TOKEN, DECLARED, &[InvalidLimit, InvalidRecording];
    Inspect: TOKEN, ROOM, &[InvalidLimit, NetworkUnavailable];
    Dial: TOKEN, BODY, CALLER, &[InvalidTicket, RateLimited, NetworkUnavailable];
    Check: TOKEN, BODY, CALLER, &[NetworkUnavailable];
    Lab: TOKEN, CALLER, &[Forbidden];
    ChangeLab: TOKEN, BODY, CALLER, OPENS, &[InvalidLimit];
    Profile: TOKEN, CALLER;
    ChangeProfile: TOKEN, BODY, CALLER, &[Forbidden, NetworkUnavailable, StorageFailed];
}

/// One response a status.
fn responses(groups: &[&[ErrorCode]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in groups.iter().copied().flatten() {
        let codes = by_status.entry(code.http_status()).or_default();
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), refusal(&codes).into())).collect()
}

fn refusal(codes: &[ErrorCode]) -> Response {
    let said: Vec<String> = codes.iter().map(|code| format!("- `{}`: {}", code.as_str(), meaning(*code))).collect();
    let codes_here =
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.iter().map(|code| code.as_str())));
    let narrowed = ObjectBuilder::new().property("code", codes_here);
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(said.join("\n")).content(PROBLEM_JSON, content);
    if codes.contains(&Unauthorized) {
        let header =
            HeaderBuilder::new().schema(Some(String::schema())).description(Some("`Bearer realm=\"parlor\"`."));
        return response.header("WWW-Authenticate", header.build()).build();
    }
    response.build()
}

/// What a code says to somebody who writes a client.
fn meaning(code: ErrorCode) -> &'static str {
    match code {
        InvalidJson => "the body is no JSON object, has a field where none is taken, or did not arrive in time.",
        InvalidRoomId => "the room's name breaks a rule, or is missing.",
        InvalidMemberId => "a member's name breaks a rule, is somebody else's `u_` id, or the two headers name nobody.",
        InvalidPresence => "the presence, the lease, or the name, colour or theme of a person breaks a rule.",
        InvalidMetadata => "the metadata has a wrong type or a key that is not allowed.",
        InvalidBoard => "a field of a note breaks a rule.",
        InvalidMessage => "a field of the message breaks a rule.",
        InvalidLimit => {
            "a number is out of its bounds, such as `limit` from 1 to 1000, or the query has what it does not take."
        }
        InvalidCursor => "`cursor` is not one that a page gave.",
        InvalidRecording => "the file is no recording, or it was cut short, damaged or written by a later program.",
        InvalidTicket => {
            "the ticket or address cannot be read or leads elsewhere, or the key of the private room is lost."
        }
        Unauthorized => "the token is missing or wrong.",
        Forbidden => "the actor may not do this, was put out of the private room, or the peer has no network lab.",
        ForbiddenHost => "the `Host` header is not one of this peer's loopback names with its port.",
        ForbiddenOrigin => "the request comes from a page of another site.",
        RoomLocked => "the private room is locked: only its hosts write what is shared.",
        NotFound => "there is no such person, peer or room, or the room was closed meanwhile.",
        MethodNotAllowed => "the path takes WebSockets only.",
        NotJoined => "the actor is not a member of the room; join first.",
        AmbiguousMember => "the actor has several members in the room; name one with `memberId`.",
        MemberIdConflict => "another actor holds this member id in the room.",
        TooManyRooms => "the process is in 32 rooms already, or shares four.",
        CellFrozen => "what is to be written holds a value that nothing can be newer than.",
        IdentityCloned => "a copy of the profile runs elsewhere and was started later; this one is read-only.",
        PreconditionFailed => "the settings are not of the version that was named, or the header names none.",
        PayloadTooLarge => "a size, count or depth is over its limit: `limit`, `max`, `actual` and `path` say which.",
        UnsupportedMediaType => "the body is not declared as `application/json`, or is compressed.",
        RateLimited => "too many calls of this kind at once; try again in a second.",
        NetworkUnavailable => "the peer is closing, or nobody answers there.",
        StorageFailed => "a file could not be read or written; what was to be written holds until the process ends.",
    }
}

/// The body of every refusal: RFC 9457, with the code of the contract.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the body is written from the error itself, with whatever details it has")]
pub(super) struct Problem {
    /// The code for a person: `Not joined`.
    title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// One sentence: what was wrong and what is allowed.
    detail: String,
    /// What kind of error, for a program.
    code: ErrorCode,
    /// Whether the same call can succeed later without being changed.
    recoverable: bool,
    /// Of a limit that was passed: its name, such as `bytes`, `keys`, `depth`.
    #[schema(required = false)]
    limit: String,
    /// Of a limit that was passed: the most that is allowed.
    #[schema(required = false)]
    max: u64,
    /// Of a limit that was passed: what was given.
    #[schema(required = false)]
    actual: u64,
    /// Where in the request: `presence.cursor`.
    #[schema(required = false)]
    path: String,
    /// Of a precondition that failed: the version that there is.
    #[schema(required = false)]
    version: String,
}
