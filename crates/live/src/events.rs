//! The events of a room as a stream: a snapshot first, then every change, in order (design R14).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::{BoxStream, Stream, StreamExt as _};
use parlor_core::{Event, Snapshot};
use serde::Serialize;

use crate::open_rooms::Hold;
use crate::tail::{ResyncReason, Step, Tail};

/// One thing that a follower of a room learns.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum RoomEvent {
    /// The room as it is: the first item, and again whenever the follower was too slow for the changes. What was known
    /// before is void.
    Snapshot(#[cfg_attr(feature = "ts", ts(as = "Snapshot"))] Arc<Snapshot>),
    /// A snapshot comes next, though the follower was told to expect changes.
    Resync {
        /// Why.
        reason: ResyncReason,
    },
    /// A change since.
    #[serde(untagged)]
    Change(Event),
}

impl RoomEvent {
    /// The event's `type`: `snapshot`, `resync`, `joined`, `updated`, `stale`, `active`, `left`, `metadata`, `access`,
    /// `board`, `message`, `watching`, `pace`, `complete`, `diverged` or `cloned`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            RoomEvent::Snapshot(_) => "snapshot",
            RoomEvent::Resync { .. } => "resync",
            RoomEvent::Change(event) => match event {
                Event::Joined { .. } => "joined",
                Event::Updated { .. } => "updated",
                Event::Stale { .. } => "stale",
                Event::Active { .. } => "active",
                Event::Left { .. } => "left",
                Event::Metadata { .. } => "metadata",
                Event::Access { .. } => "access",
                Event::Watching { .. } => "watching",
                Event::Pace { .. } => "pace",
                Event::Complete { .. } => "complete",
                Event::Board { .. } => "board",
                Event::Message { .. } => "message",
                Event::Diverged { .. } => "diverged",
                Event::Cloned { .. } => "cloned",
            },
        }
    }
}

/// An item of [`Events`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Item {
    /// The number of the event in this opening of the room; of a snapshot, and of what announces one, that of the last event
    /// in it. It grows.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub id: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: RoomEvent,
}

/// Flat, and of two kinds.
#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Item {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::Type;
        use utoipa::openapi::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Ref};

        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .description(Some("The number of the event in this room and run of the peer; it grows."));
        let kind = |name| {
            let kind = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([name]));
            ObjectBuilder::new().property("type", kind).required("type")
        };
        let snapshot = AllOfBuilder::new().item(Ref::from_schema_name("Snapshot")).item(kind("snapshot"));
        let reason = Ref::from_schema_name("ResyncReason");
        let resync = kind("resync").property("reason", reason).required("reason");
        AllOfBuilder::new()
            .description(Some(
                "One thing that a follower of a room learns: a snapshot, what announces one, or a change since.",
            ))
            .item(ObjectBuilder::new().property("id", number).required("id"))
            .item(OneOfBuilder::new().item(snapshot).item(resync).item(Ref::from_schema_name("Event")))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Item {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        use utoipa::PartialSchema as _;

        schemas.extend([("Snapshot".into(), Snapshot::schema()), ("Event".into(), Event::schema())]);
        schemas.push(("ResyncReason".into(), ResyncReason::schema()));
        Snapshot::schemas(schemas);
        Event::schemas(schemas);
    }
}

/// The events of one room, made by [`Room::events`](crate::Room::events). It ends when the room is closed: the peer
/// stopped, or the room was forgotten.
///
/// A reader that is too slow never slows the peer: it misses changes and gets a snapshot instead. While the stream lives
/// the room stays open (design A4) and the client leases of its actor are renewed (design R7).
pub struct Events {
    items: BoxStream<'static, Item>,
    opening: Arc<str>,
}

impl Events {
    pub(crate) fn new(tail: Tail, hold: Hold, opening: Arc<str>) -> Self {
        let begin = (tail, hold, None);
        let items = futures::stream::unfold(begin, |(mut tail, hold, next): (Tail, Hold, Option<Item>)| async move {
            if let Some(item) = next {
                return Some((item, (tail, hold, None)));
            }
            let (item, next) = match tail.next().await? {
                Step::Event(id, event) => (Item { id, event: RoomEvent::Change(event) }, None),
                Step::Reset(snapshot, reason) => {
                    let id = snapshot.at;
                    let snapshot = Item { id, event: RoomEvent::Snapshot(snapshot) };
                    match reason {
                        Some(reason) => (Item { id, event: RoomEvent::Resync { reason } }, Some(snapshot)),
                        None => (snapshot, None),
                    }
                }
            };
            Some((item, (tail, hold, next)))
        });
        Self { items: items.boxed(), opening }
    }

    /// The next item; `None` when the room was closed. The same as `StreamExt::next`, for callers without it.
    pub async fn recv(&mut self) -> Option<Item> {
        self.items.next().await
    }

    /// Where a follower is that has this item: what [`Room::events_from`](crate::Room::events_from) takes. Nothing for an
    /// item that announces a snapshot, which the follower does not have yet.
    #[must_use]
    pub fn place(&self, item: &Item) -> Option<String> {
        let announces = matches!(item.event, RoomEvent::Resync { .. });
        (!announces).then(|| format!("{}-{}", self.opening, item.id))
    }
}

impl Stream for Events {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.items.poll_next_unpin(cx)
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{member, snapshot};
    use serde_json::json;

    #[test]
    fn both_kinds_are_flat_json_with_their_type() {
        let row = member("m", 1, json!({}));
        let first = Item { id: 4, event: RoomEvent::Snapshot(snapshot(vec![Arc::clone(&row)])) };
        let json = serde_json::to_value(&first).unwrap();
        assert_eq!((&json["id"], &json["type"], &json["room"]), (&json!(4), &json!("snapshot"), &json!("project_123")));
        assert_eq!(json["members"][0]["memberId"], "m");

        let then = Item { id: 5, event: RoomEvent::Change(Event::Joined { member: row }) };
        let json = serde_json::to_value(&then).unwrap();
        assert_eq!(
            (&json["id"], &json["type"], &json["member"]["memberId"]),
            (&json!(5), &json!("joined"), &json!("m"))
        );
        assert_eq!(json["type"], then.event.name());
    }
}
