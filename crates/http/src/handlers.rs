//! The calls that answer once. Each takes a request apart, makes the call of the crate `parlor`, and answers its result.

use std::sync::Arc;

use axum::Json;
use parlor::{
    Access, AccessChange, Board, BoardChange, HistoryPage, Invitation, Join, Leave, Left, MemberRecord, MembersPage,
    Message, MetadataChange, PeerInfo, PresenceChange, ProfileChange, Publish, RoomMetadata, RoomSummary, Status,
    Ticket, TicketInfo,
};
use parlor::{Error, ErrorCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::arguments::{CreateRoom, Dial, Nothing, ReadTicket};
use crate::problem::Problem;
use crate::request::{Args, Caller, Here, Listing, Paging, RoomName};

type Answer<T> = Result<Json<T>, Problem>;

pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

pub(crate) async fn rooms(Caller(live): Caller) -> Json<Value> {
    Json(json!({"rooms": live.rooms().await}))
}

/// A private room's answer has its ticket, since nobody else can come in without one.
#[derive(Serialize)]
pub(crate) struct Created {
    #[serde(flatten)]
    room: RoomSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

pub(crate) async fn create_room(Caller(live): Caller, Args(args): Args<CreateRoom>) -> Answer<Created> {
    let Some(room) = args.room else {
        return Err(Error::new(ErrorCode::InvalidRoomId, "room is missing; give a name of 1 to 128 characters")
            .at("room")
            .into());
    };
    if !args.private {
        return Ok(Json(Created { room: live.create_room(room).await?, ticket: None, link: None }));
    }
    let created = live.create_private_room(room.as_str()).await?;
    let Invitation { ticket, link, .. } = live.room(room).ticket().await?;
    Ok(Json(Created { room: created, ticket: Some(ticket), link: Some(link) }))
}

pub(crate) async fn forget_room(Caller(live): Caller, RoomName(room): RoomName) -> Answer<Value> {
    let forgotten = live.forget_room(room.clone()).await?;
    Ok(Json(json!({"room": room, "kind": "room", "forgotten": forgotten})))
}

pub(crate) async fn join(Here(room): Here, Args(args): Args<Join>) -> Answer<MemberRecord> {
    Ok(Json(room.join_leased(args).await?))
}

pub(crate) async fn presence(Here(room): Here, Args(args): Args<PresenceChange>) -> Answer<MemberRecord> {
    Ok(Json(room.presence(args).await?))
}

pub(crate) async fn leave(Here(room): Here, Args(args): Args<Leave>) -> Answer<Left> {
    Ok(Json(room.leave(args).await?))
}

pub(crate) async fn members(Here(room): Here, Listing(query): Listing) -> Answer<MembersPage> {
    Ok(Json(room.members(query).await?))
}

pub(crate) async fn metadata(Here(room): Here) -> Answer<RoomMetadata> {
    Ok(Json(room.metadata().await?))
}

pub(crate) async fn set_metadata(Here(room): Here, Args(args): Args<MetadataChange>) -> Answer<RoomMetadata> {
    Ok(Json(room.set_metadata(args).await?))
}

pub(crate) async fn board(Here(room): Here) -> Answer<Board> {
    Ok(Json(room.board().await?))
}

pub(crate) async fn set_board(Here(room): Here, Args(args): Args<BoardChange>) -> Answer<Board> {
    Ok(Json(room.set_board(args).await?))
}

pub(crate) async fn history(Here(room): Here, Paging(query): Paging) -> Answer<HistoryPage> {
    Ok(Json(room.history(query).await?))
}

pub(crate) async fn publish(Here(room): Here, Args(args): Args<Publish>) -> Answer<Message> {
    Ok(Json(room.publish(args).await?))
}

/// `null` for an open room, where everybody may everything.
pub(crate) async fn access(Here(room): Here) -> Answer<Option<Arc<Access>>> {
    Ok(Json(room.access().await?))
}

pub(crate) async fn change_access(Here(room): Here, Args(args): Args<AccessChange>) -> Answer<Arc<Access>> {
    Ok(Json(room.change_access(args).await?))
}

pub(crate) async fn ticket(Here(room): Here, Args(_): Args<Nothing>) -> Answer<Invitation> {
    Ok(Json(room.ticket().await?))
}

pub(crate) async fn read_ticket(Args(args): Args<ReadTicket>) -> Answer<TicketInfo> {
    Ok(Json(Ticket::parse(args.ticket.as_deref().unwrap_or_default())?.info()))
}

pub(crate) async fn peers(Caller(live): Caller) -> Json<Value> {
    Json(json!({"peers": live.peers().await}))
}

pub(crate) async fn dial(Caller(live): Caller, Args(args): Args<Dial>) -> Answer<PeerInfo> {
    let Some(addr) = args.addr else {
        let message = "addr is missing; give a multiaddr such as /ip4/192.168.1.20/tcp/4747";
        return Err(Error::new(ErrorCode::InvalidTicket, message).at("addr").into());
    };
    Ok(Json(live.dial(&addr).await?))
}

pub(crate) async fn status(Caller(live): Caller) -> Json<Status> {
    Json(live.status().await)
}

pub(crate) async fn set_profile(Caller(live): Caller, Args(change): Args<ProfileChange>) -> Answer<Status> {
    Ok(Json(live.set_profile(change).await?))
}

pub(crate) async fn new_identity(Caller(live): Caller, Args(_): Args<Nothing>) -> Answer<Status> {
    Ok(Json(live.new_identity().await?))
}
