//! The calls that answer once. Each takes a request apart, makes the call of the crate `parlor`, and answers its result.
//! What stands before each is its entry in the OpenAPI document; see `openapi`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use parlor::{
    Access, AccessChange, Board, BoardChange, By, Diagnostics, HistoryPage, Invitation, Join, Kind, Leave, Left,
    MemberRecord, MembersPage, Message, MetadataChange, NetworkReport, PeerInfo, PresenceChange, ProfileChange,
    Publish, RoomMetadata, Status, Ticket, TicketInfo,
};
use parlor::{Error, ErrorCode};

use crate::answers::{Created, Forgotten, Health, Peers, Rooms};
use crate::arguments::{CreateRoom, Dial, Nothing, ReadTicket};
use crate::condition::{IfMatch, IfNoneMatch, Tagged};
use crate::openapi::{self, ActingFor, IfMatchHeader, IfNoneMatchHeader, InRoom, refuses};
use crate::problem::Problem;
use crate::request::{Args, Caller, Here, Listing, Paging, RoomName};
use crate::server::App;

type Answer<T> = Result<Json<T>, Problem>;

/// Whether the server is up
///
/// Needs no token.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "peer", security(()),
    responses((status = 200, description = "It is.", body = Health), refuses::Healthz),
)]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// This document
///
/// OpenAPI 3.1, made from the code of the peer that answers.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "peer",
    responses((status = 200, description = "The document.", body = Object), refuses::OpenApi),
)]
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], openapi::document())
}

/// Rooms near and known
///
/// Rooms that peers near are in, that this process has open, and that were opened before.
#[utoipa::path(
    get, path = "/rooms", operation_id = "rooms", tag = "rooms", params(ActingFor),
    responses(
        (status = 200, description = "Those with people first, then the most recently opened.", body = Rooms),
        refuses::Rooms,
    ),
)]
pub(crate) async fn rooms(Caller(live): Caller) -> Json<Rooms> {
    Json(Rooms { rooms: live.rooms().await })
}

/// Make a room
///
/// An open room needs no more than its name: this lists it among the recent ones, and others see nothing of it. A private
/// one is made, and its ticket answered; one that this profile knows already is answered as it is.
#[utoipa::path(
    post, path = "/rooms", operation_id = "create_room", tag = "rooms", params(ActingFor), request_body = CreateRoom,
    responses(
        (status = 200, description = "The room; a private one with its ticket.", body = Created),
        refuses::CreateRoom,
    ),
)]
pub(crate) async fn create_room(Caller(live): Caller, Args(args): Args<CreateRoom>) -> Answer<Created> {
    let Some(room) = args.room else {
        return Err(Error::new(ErrorCode::InvalidRoomId, "room is missing; give a name of 1 to 128 characters")
            .at("room")
            .into());
    };
    if !args.private {
        return Ok(Json(Created { room: live.create_room(room.as_str()).await?, ticket: None, link: None }));
    }
    let created = live.create_private_room(room.as_str()).await?;
    let Invitation { ticket, link, .. } = live.room(room.as_str()).ticket().await?;
    Ok(Json(Created { room: created, ticket: Some(ticket), link: Some(link) }))
}

/// Forget a room
///
/// It leaves the list, the actor's members leave it, and what this process holds of it goes unless somebody else is in it
/// through this peer.
#[utoipa::path(
    delete, path = "/rooms/{room}", operation_id = "forget_room", tag = "rooms", params(InRoom),
    responses((status = 200, description = "Whether it was known.", body = Forgotten), refuses::ForgetRoom),
)]
pub(crate) async fn forget_room(
    State(app): State<Arc<App>>,
    Caller(live): Caller,
    RoomName(room): RoomName,
) -> Answer<Forgotten> {
    app.shares.forget(&live, &room).await?;
    let forgotten = live.forget_room(room.clone()).await?;
    Ok(Json(Forgotten { room, kind: Kind::Room, forgotten }))
}

/// Join a room
///
/// The actor becomes a member, with presence and metadata from the first moment: 4 KiB of JSON each, 64 keys. Joining again
/// keeps `joinedAt`, replaces what is given and keeps the rest. The member lives `presenceTtlSeconds` after the last call of
/// its actor in the room, and while the actor has a stream of it open.
#[utoipa::path(
    post, path = "/rooms/{room}/join", operation_id = "join", tag = "members", params(InRoom), request_body = Join,
    responses((status = 200, description = "The member.", body = MemberRecord), refuses::Join),
)]
pub(crate) async fn join(Here(room): Here, Args(args): Args<Join>) -> Answer<MemberRecord> {
    Ok(Json(room.join_leased(args).await?))
}

/// Change the live state of a member
///
/// Keys merge at the top: one that is not named stays, a nested value is replaced whole, `null` is a value. The whole has at
/// most 4 KiB of JSON and 64 keys. Call it as often as you like: what goes out is coalesced to at most 30 a second, the last
/// value among them. Without `memberId` it is the actor's only member in the room.
#[utoipa::path(
    post, path = "/rooms/{room}/presence", operation_id = "presence", tag = "members", params(InRoom),
    request_body = PresenceChange,
    responses((status = 200, description = "The member as it is now.", body = MemberRecord), refuses::Presence),
)]
pub(crate) async fn presence(Here(room): Here, Args(args): Args<PresenceChange>) -> Answer<MemberRecord> {
    Ok(Json(room.presence(args).await?))
}

/// Leave a room
///
/// Always succeeds here, whatever the network does; the others hear of it within 400 ms. Twice is no error.
#[utoipa::path(
    post, path = "/rooms/{room}/leave", operation_id = "leave", tag = "members", params(InRoom), request_body = Leave,
    responses((status = 200, description = "`left` is false when it was not joined.", body = Left), refuses::Leave),
)]
pub(crate) async fn leave(Here(room): Here, Args(args): Args<Leave>) -> Answer<Left> {
    Ok(Json(room.leave(args).await?))
}

/// Who is here
///
/// This peer's own members and stale ones among them. To read a room starts a watch of it, which ends 60 s after the last
/// read; the read that opens it waits up to 600 ms for peers to say who they are.
#[utoipa::path(
    get, path = "/rooms/{room}/members", operation_id = "members", tag = "members",
    params(
        InRoom,
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many; 100 when missing."),
        ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]+$", description = "The `nextCursor` of the page before."),
        ("by" = Option<By>, Query, description = "One row a member, which is what is meant when missing, or one a session."),
        ("evidence" = Option<bool>, Query, description = "With what is known of whether each is there, as `evidence`; not when missing."),
    ),
    responses(
        (status = 200, description = "A page, by `joinedAt`, then `memberId`.", body = MembersPage),
        refuses::Listing,
    ),
)]
pub(crate) async fn members(Here(room): Here, Listing(query): Listing) -> Answer<MembersPage> {
    Ok(Json(room.members(query).await?))
}

/// The room's shared settings
///
/// With who changed them last, and when. A read, as that of the members. Their `version` is the `ETag`; one who has it and
/// asks with `If-None-Match` is answered 304 without a body.
#[utoipa::path(
    get, path = "/rooms/{room}/metadata", operation_id = "metadata", tag = "shared", params(InRoom, IfNoneMatchHeader),
    responses(
        (
            status = 200, description = "The settings.", body = RoomMetadata,
            headers(("ETag" = String, description = "The `version` in quotes.")),
        ),
        (
            status = 304, description = "They are those that `If-None-Match` names.",
            headers(("ETag" = String, description = "The `version` in quotes.")),
        ),
        refuses::ReadingIf,
    ),
)]
pub(crate) async fn metadata(Here(room): Here, condition: IfNoneMatch) -> Result<Response, Problem> {
    Ok(condition.answer(room.metadata().await?))
}

/// Change the room's shared settings
///
/// Keys merge, `unset` deletes, the last writer of a key wins everywhere. Only a member may. At most 8 KiB of JSON a value,
/// 32 KiB and 128 keys in all. With `If-Match`, or `ifVersion`, only if nobody wrote since that version was read: of two who
/// name the same one, one is refused. Answers when it is on disk.
#[utoipa::path(
    post, path = "/rooms/{room}/metadata", operation_id = "set_metadata", tag = "shared", params(InRoom, IfMatchHeader),
    request_body = MetadataChange,
    responses(
        (
            status = 200, description = "The settings as they are now.", body = RoomMetadata,
            headers(("ETag" = String, description = "The `version` in quotes.")),
        ),
        refuses::SetMetadata,
    ),
)]
pub(crate) async fn set_metadata(
    Here(room): Here,
    condition: IfMatch,
    Args(args): Args<MetadataChange>,
) -> Result<Tagged, Problem> {
    let args = condition.ask(&room, args).await?;
    Ok(Tagged(room.set_metadata(args).await?))
}

/// The notes of a room
///
/// All of them, by id. A read, as that of the members.
#[utoipa::path(
    get, path = "/rooms/{room}/board", operation_id = "board", tag = "shared", params(InRoom),
    responses((status = 200, description = "The notes.", body = Board), refuses::Reading),
)]
pub(crate) async fn board(Here(room): Here) -> Answer<Board> {
    Ok(Json(room.board().await?))
}

/// Write notes
///
/// Writes the fields that are named, also of a note that is not known yet, and removes others, all or nothing. Only a member
/// may. At most 500 notes in a call, those to remove counted, and 2,000 on a board; 4 KiB of text. Answers when it is on disk.
#[utoipa::path(
    post, path = "/rooms/{room}/board", operation_id = "set_board", tag = "shared", params(InRoom),
    request_body = BoardChange,
    responses((status = 200, description = "The notes that were set, as they are now.", body = Board), refuses::SetBoard),
)]
pub(crate) async fn set_board(Here(room): Here, Args(args): Args<BoardChange>) -> Answer<Board> {
    Ok(Json(room.set_board(args).await?))
}

/// Messages that are kept
///
/// The newest 500, newest first. A read, as that of the members.
#[utoipa::path(
    get, path = "/rooms/{room}/messages", operation_id = "history", tag = "shared",
    params(
        InRoom,
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many; 100 when missing."),
        ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]+$", description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page.", body = HistoryPage), refuses::Listing),
)]
pub(crate) async fn history(Here(room): Here, Paging(query): Paging) -> Answer<HistoryPage> {
    Ok(Json(room.history(query).await?))
}

/// Say something
///
/// To everybody who is there, or with `keep` also to those who come later. Only a member may. At most 4 KiB a string and 8
/// KiB in all; of what is not kept, 16 a second and 32 at once. With an `idempotencyKey` that the actor used before, the
/// message of that time is answered.
#[utoipa::path(
    post, path = "/rooms/{room}/messages", operation_id = "publish", tag = "shared", params(InRoom),
    request_body = Publish,
    responses((status = 200, description = "The message.", body = Message), refuses::Publish),
)]
pub(crate) async fn publish(Here(room): Here, Args(args): Args<Publish>) -> Answer<Message> {
    Ok(Json(room.publish(args).await?))
}

/// Who may do what in a private room
///
/// `null` for an open room, where everybody may everything. A read, as that of the members.
#[utoipa::path(
    get, path = "/rooms/{room}/access", operation_id = "access", tag = "rooms", params(InRoom),
    responses((status = 200, description = "Its people, its lock and its key.", body = Option<Access>), refuses::Reading),
)]
pub(crate) async fn access(Here(room): Here) -> Answer<Option<Arc<Access>>> {
    Ok(Json(room.access().await?))
}

/// Change who may do what in a private room
///
/// Names hosts, voids what somebody wrote, puts somebody out or changes the key. Only a host may, and hosts are named by who
/// made the room. Tickets given before a change of the key let nobody in any more.
#[utoipa::path(
    post, path = "/rooms/{room}/access", operation_id = "change_access", tag = "rooms", params(InRoom),
    request_body = AccessChange,
    responses((status = 200, description = "All of it as it is now.", body = Access), refuses::ChangeAccess),
)]
pub(crate) async fn change_access(Here(room): Here, Args(args): Args<AccessChange>) -> Answer<Arc<Access>> {
    Ok(Json(room.change_access(args).await?))
}

/// A ticket that lets others in
///
/// The room's name and where to find those who are there; of a private room its secret too, so give it to nobody else.
#[utoipa::path(
    post, path = "/rooms/{room}/ticket", operation_id = "ticket", tag = "rooms", params(InRoom), request_body = Nothing,
    responses((status = 200, description = "As text, link and QR code.", body = Invitation), refuses::Invite),
)]
pub(crate) async fn ticket(Here(room): Here, Args(_): Args<Nothing>) -> Answer<Invitation> {
    Ok(Json(room.ticket().await?))
}

/// What a ticket says
///
/// For asking before it is used. Nothing is done with it.
#[utoipa::path(
    post, path = "/tickets", operation_id = "read_ticket", tag = "rooms", request_body = ReadTicket,
    responses(
        (status = 200, description = "The room that it is for, and whose it is.", body = TicketInfo),
        refuses::ReadTicket,
    ),
)]
pub(crate) async fn read_ticket(Args(args): Args<ReadTicket>) -> Answer<TicketInfo> {
    Ok(Json(Ticket::parse(args.ticket.as_deref().unwrap_or_default())?.info()))
}

/// Peers that this one is linked to
///
/// Whoever acts, it is the whole peer's list.
#[utoipa::path(
    get, path = "/peers", operation_id = "peers", tag = "peer", params(ActingFor),
    responses((status = 200, description = "The links.", body = Peers), refuses::Peers),
)]
pub(crate) async fn peers(Caller(live): Caller) -> Json<Peers> {
    Json(Peers { peers: live.peers().await })
}

/// Connect to a peer by its address
///
/// Waits up to 10 s for it to answer.
#[utoipa::path(
    post, path = "/peers", operation_id = "dial", tag = "peer", params(ActingFor), request_body = Dial,
    responses((status = 200, description = "Who it is.", body = PeerInfo), refuses::Dial),
)]
pub(crate) async fn dial(Caller(live): Caller, Args(args): Args<Dial>) -> Answer<PeerInfo> {
    let Some(addr) = args.addr else {
        let message = "addr is missing; give a multiaddr such as /ip4/192.168.1.20/tcp/4747";
        return Err(Error::new(ErrorCode::InvalidTicket, message).at("addr").into());
    };
    Ok(Json(live.dial(&addr).await.map_err(|error| error.at("addr"))?))
}

/// Look for what keeps people from meeting
///
/// Asks the network once more who is there, listens for three seconds, tries the addresses of known peers for up to four, and
/// judges what came of it: `findings`, the worst first, each with what to do. A peer that listens on loopback only asks
/// nobody. Whoever acts, it is the whole peer's network.
#[utoipa::path(
    post, path = "/network/check", operation_id = "check_network", tag = "peer", params(ActingFor),
    request_body = Nothing,
    responses((status = 200, description = "What is the matter, and what was seen.", body = NetworkReport), refuses::Check),
)]
pub(crate) async fn check_network(Caller(live): Caller, Args(_): Args<Nothing>) -> Answer<NetworkReport> {
    Ok(Json(live.check_network().await?))
}

/// What somebody who looks for a fault wants to know
///
/// Version, system, network, peers, rooms by number and tag, counters, the last warnings of the log, the last panic. It names no
/// person, no room and no address. Whoever acts, it is the whole peer's.
#[utoipa::path(
    get, path = "/diagnostics", operation_id = "diagnostics", tag = "peer", params(ActingFor),
    responses((status = 200, description = "What the peer knows of itself.", body = Diagnostics), refuses::Profile),
)]
pub(crate) async fn diagnostics(Caller(live): Caller) -> Json<Diagnostics> {
    Json(live.diagnostics().await)
}

/// This peer and its person
///
/// Whoever acts, it is the person of the profile.
#[utoipa::path(
    get, path = "/profile", operation_id = "status", tag = "peer", params(ActingFor),
    responses((status = 200, description = "Both.", body = Status), refuses::Profile),
)]
pub(crate) async fn status(Caller(live): Caller) -> Json<Status> {
    Json(live.status().await)
}

/// Change the person's name, colour or theme
///
/// What is missing stays. A new name or colour shows at once where their presence has `name` or `color`. A guest has no
/// profile.
#[utoipa::path(
    post, path = "/profile", operation_id = "set_profile", tag = "peer", params(ActingFor), request_body = ProfileChange,
    responses(
        (status = 200, description = "The peer and its person as they are now.", body = Status),
        refuses::ChangeProfile,
    ),
)]
pub(crate) async fn set_profile(Caller(live): Caller, Args(change): Args<ProfileChange>) -> Answer<Status> {
    Ok(Json(live.set_profile(change).await?))
}

/// Become somebody new
///
/// A new identity for this profile, and a new session: for a profile that was copied and runs elsewhere. Members of it leave
/// their rooms, streams end, and `api.json` names the new session.
#[utoipa::path(
    post, path = "/profile/identity", operation_id = "new_identity", tag = "peer", params(ActingFor), request_body = Nothing,
    responses(
        (status = 200, description = "The peer and its person as they are now.", body = Status),
        refuses::ChangeProfile,
    ),
)]
pub(crate) async fn new_identity(Caller(live): Caller, Args(_): Args<Nothing>) -> Answer<Status> {
    Ok(Json(live.new_identity().await?))
}
