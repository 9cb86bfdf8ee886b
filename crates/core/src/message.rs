//! Messages that are kept (those that are not: `said`): an append-only log of which the newest 500 stay (design A12, R11).
//!
//! A message is one cell that its writer signs. It is written once: its id is derived from its writer's key and a nonce,
//! which is the caller's idempotency key when there is one, so the same call stores it once, on any device of its writer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cell::{CELL_VALUE_MAX, Cell, CellKey, CellKind, json_size};
use crate::check;
use crate::error::{Error, ErrorCode};
use crate::finite;
use crate::ids::{MemberId, Tick};
use crate::limits::{KEY_MAX, MEMBERS_LIMIT_DEFAULT, MEMBERS_LIMIT_MAX, NAME_MAX, OBJECTS_MAX};
use crate::proof::LocalActor;
use crate::raw::Raw;
use crate::recorder::step::call;
use crate::replica::Replica;
use crate::view::{Actor, ActorKind, Bag, Timestamp};

/// Arguments of `publish`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Publish {
    /// What sort of message it is: 1 to 64 bytes, `chat`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "ts", ts(optional = false))]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Key, required))]
    pub kind: String,
    /// Its content: JSON, strings up to 4 KiB, all of it up to about 8 KiB; `null` when missing.
    #[cfg_attr(feature = "ts", ts(optional, type = "unknown"))]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Said))]
    pub data: Value,
    /// Which member says it; the one joined with when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "string"))]
    pub member_id: Option<MemberId>,
    /// Whether it stays in the room's log for those who come later; else only those hear it who are there now.
    #[cfg_attr(feature = "ts", ts(as = "Option<bool>"))]
    pub keep: bool,
    /// The same key stores once: 1 to 64 bytes. For messages that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Key>))]
    pub idempotency_key: Option<String>,
}

impl Publish {
    /// A message of this sort, for those who are there now: `json!({…})`, or a type of your own. A number that is NaN or
    /// infinite is refused by the call, by its place; `json!` has made `null` of one before this sees it.
    #[must_use]
    pub fn new(kind: &str, data: impl Serialize) -> Self {
        Publish { kind: kind.to_owned(), data: finite::json(&data), ..Publish::default() }
    }

    /// The same, kept for those who come later.
    #[must_use]
    pub fn keep(self) -> Self {
        Publish { keep: true, ..self }
    }
}

/// Which messages to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct HistoryQuery {
    /// 1 to 1000, default 100.
    #[serde(deserialize_with = "crate::whole::option")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub limit: Option<u32>,
    /// The `nextCursor` of the page before.
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cursor: Option<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The same everywhere.
    pub id: String,
    /// What sort of message it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its content.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub data: Value,
    /// Who said it. The user id is proven by the signature; the name is what the writer was called then.
    pub actor: Actor,
    /// The member that it was said as.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub member_id: MemberId,
    /// When: by its writer's clock for one that is kept, else by the clock of whoever hears it.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub published_at: Timestamp,
    /// Whether it is kept in the log; one that is not was said to those who were there.
    pub kept: bool,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage {
    /// Newest first.
    #[cfg_attr(feature = "ts", ts(as = "Vec<Message>"))]
    pub messages: Vec<Arc<Message>>,
    /// Where the next page starts; `null` on the last.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
}

/// What the cell of a message holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
    member_id: MemberId,
    name: String,
    /// The host of a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<crate::ids::UserId>,
}

/// Whether a value is the content of a message. What was said is not looked at: it may be anything.
pub(crate) fn is_body(value: &Raw) -> bool {
    let Some(members) = value.members() else { return false };
    let others = members.into_iter().filter(|(key, _)| *key != "data");
    let others = others.map(|(key, value)| Some((key.to_owned(), value.scalar()?)));
    others.collect::<Option<Bag>>().is_some_and(|others| body(others.into()).is_some())
}

fn body(value: Value) -> Option<Body> {
    let body = Body::deserialize(value).ok()?;
    let short = (1..=KEY_MAX).contains(&body.kind.len()) && body.name.len() <= NAME_MAX;
    let via = body.via.as_ref().is_none_or(|via| via.as_str().len() <= KEY_MAX);
    (short && via).then_some(body)
}

impl Replica {
    /// Says something that is kept for those who come later. Only a member may. With an idempotency key that this actor
    /// used before, the message of that time is answered and nothing is stored.
    ///
    /// # Errors
    /// `INVALID_MESSAGE`, `PAYLOAD_TOO_LARGE` (4 KiB a string, 8 KiB in all), `NOT_JOINED`, `AMBIGUOUS_MEMBER`,
    /// `CELL_FROZEN`. Nothing is touched by any of them.
    pub fn publish_kept(&mut self, who: &LocalActor, args: Publish, now: Tick) -> Result<Message, Error> {
        self.note_call(who, call::SAY, &Publish { keep: true, ..args.clone() }, now);
        let code = ErrorCode::InvalidMessage;
        check::name(&args.kind, "type", code)?;
        // One level deeper than it looks: it stands inside the cell's value.
        check::data(&args.data)?;
        if let Some(key) = &args.idempotency_key {
            check::name(key, "idempotencyKey", code)?;
        }
        self.may_write(who)?;
        let member = self.own_member(who, args.member_id.as_ref())?;
        let nonce = args.idempotency_key.unwrap_or_else(|| format!("{:016x}", self.random.u64(..)));
        let key = CellKey::message(&who.signer.public_key(), &nonce);
        if let Some(said) = self.message(&key) {
            return Ok(said);
        }
        let mut value = json!({ "type": args.kind, "data": args.data, "memberId": member, "name": who.actor.name });
        if let (Some(via), Some(value)) = (&who.actor.via, value.as_object_mut()) {
            value.insert("via".to_owned(), via.as_str().into());
        }
        let size = json_size(&value);
        if size > CELL_VALUE_MAX {
            return Err(Error::too_large("bytes", CELL_VALUE_MAX, size, "data"));
        }
        let objects = check::objects(&value);
        if objects > OBJECTS_MAX {
            return Err(Error::too_large("objects", OBJECTS_MAX, objects, "data"));
        }
        self.write(who, vec![(key.clone(), Some(value))], now)?;
        let said = self.message(&key);
        said.ok_or_else(|| Error::new(ErrorCode::CellFrozen, "the log is full of messages from the future"))
    }

    /// A page of the messages that are kept, newest first. `limit` 1 to 1000, default 100.
    ///
    /// # Errors
    /// `INVALID_LIMIT`, `INVALID_CURSOR`.
    pub fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, Error> {
        let limit = query.limit.unwrap_or(MEMBERS_LIMIT_DEFAULT);
        if !(1..=MEMBERS_LIMIT_MAX).contains(&limit) {
            let text = format!("limit is {limit}; a whole number from 1 to {MEMBERS_LIMIT_MAX} is allowed");
            return Err(Error::new(ErrorCode::InvalidLimit, text).at("limit"));
        }
        let before = query.cursor.as_deref().map(read_cursor).transpose()?;
        let older = |hlc: u64, id: &str| before.as_ref().is_none_or(|(at, last)| (hlc, id) < (*at, last.as_str()));
        let mut found: Vec<&Cell> = self
            .cells
            .newest(CellKind::Log)
            .map(|held| &held.cell)
            .filter(|cell| older(cell.hlc, &cell.key.object))
            .collect();
        found.sort_by(|a, b| (b.hlc, &b.key.object).cmp(&(a.hlc, &a.key.object)));
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next_cursor = found.last().filter(|_| more).map(|cell| write_cursor(cell.hlc, &cell.key.object));
        Ok(HistoryPage { messages: found.into_iter().filter_map(message).map(Arc::new).collect(), next_cursor })
    }

    /// The ids of all messages that are kept, newest first. Costs little: none of them is read.
    pub fn message_ids(&self) -> impl Iterator<Item = &str> {
        self.cells.newest(CellKind::Log).map(|held| held.cell.key.object.as_str())
    }

    /// Readers are told of messages that were not here before.
    pub(crate) fn log_was_changed(&mut self, touched: &[Arc<CellKey>]) {
        for key in touched.iter().filter(|key| key.kind == CellKind::Log) {
            if self.cells.get(key).is_some() {
                self.emit_message(Arc::clone(key));
            }
        }
    }

    /// What a register of the log says.
    pub(crate) fn message(&self, key: &CellKey) -> Option<Message> {
        self.cells.get(key).and_then(message)
    }
}

/// The message that a cell of the log says.
fn message(cell: &Cell) -> Option<Message> {
    let body = body(cell.value.as_ref()?.value())?;
    let kind = if body.via.is_some() { ActorKind::Guest } else { ActorKind::User };
    Some(Message {
        id: cell.key.object.clone(),
        kind: body.kind,
        data: body.data,
        actor: Actor { kind, user_id: cell.writer.user_id(), name: body.name, via: body.via },
        member_id: body.member_id,
        published_at: Timestamp(cell.hlc >> 16),
        kept: true,
    })
}

fn write_cursor(hlc: u64, id: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&postcard::to_stdvec(&(hlc, id)).unwrap_or_default())
}

fn read_cursor(text: &str) -> Result<(u64, String), Error> {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| postcard::from_bytes(&bytes).ok())
        .ok_or_else(|| Error::new(ErrorCode::InvalidCursor, "cursor is not one that a page gave").at("cursor"))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
