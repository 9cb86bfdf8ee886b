//! The two subcommands that stay: `join` keeps a membership, `watch` prints what happens.

use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use parlor::MemberRecord;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::args::{JoinArgs, WatchArgs};
use crate::calls::guest;
use crate::failure::Failure;
use crate::membership::{End, Membership};
use crate::output::{harmless_json, note, print};
use crate::peer::Peer;
use crate::signals::Stop;
use crate::text;

/// From the leave of its last member to the end of a peer that stops.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Enters a room, stays, and leaves it at Ctrl-C. The open stream of events keeps the membership alive (design R7).
pub(crate) async fn join(args: JoinArgs) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let peer = Peer::of(&args.peer, guest(&args.room)).await?;
    let result = stay_joined(&args, &peer, &mut stop).await;
    peer.close().await;
    result
}

async fn stay_joined(args: &JoinArgs, peer: &Peer, stop: &mut Stop) -> Result<(), Failure> {
    let room = args.room.room.as_str();
    let mut body = Map::from_iter([("presenceTtlSeconds".to_owned(), args.ttl.into())]);
    body.extend(args.member.clone().map(|member| ("memberId".to_owned(), member.into())));
    body.extend(args.presence.clone().map(|presence| ("presence".to_owned(), presence.into())));
    body.extend(args.metadata.clone().map(|metadata| ("metadata".to_owned(), metadata.into())));
    body.extend(args.ticket.clone().map(|ticket| ("ticket".to_owned(), ticket.into())));

    let joined = peer.client.post(&["rooms", room, "join"], &body.into()).await?;
    let record: MemberRecord = joined.read()?;
    let mut membership = Membership::new(record.member_id.as_str());
    let result = async {
        print(&if args.json { harmless_json(&joined.0) } else { text::joined(&record) })?;
        let events = peer.client.events(room).await?;
        note("Ctrl-C leaves the room.");
        follow(events, stop, |event| {
            if let Some(line) = text::event(event).filter(|_| !args.json) {
                print(&line)?;
            }
            Ok(membership.follow(event))
        })
        .await
    };
    match result.await {
        Ok(Some(end)) => end.told(&record),
        result => {
            let left = peer.client.post(&["rooms", room, "leave"], &json!({"memberId": record.member_id})).await;
            result.and(left).map(drop)
        }
    }
}

/// Prints every event of a room as a line of JSON, until Ctrl-C.
pub(crate) async fn watch(args: WatchArgs) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let peer = Peer::of(&args.peer, guest(&args.room)).await?;
    let result = async {
        let events = peer.client.events(&args.room.room).await?;
        follow(events, &mut stop, |event| print(&harmless_json(event)).map(|()| None)).await
    };
    let result = result.await;
    peer.close().await;
    result.map(drop)
}

/// Hands on every event until somebody asks to stop, or until `each` says that this was the end.
async fn follow(
    events: impl Stream<Item = Result<String, Failure>>,
    stop: &mut Stop,
    mut each: impl FnMut(&str) -> Result<Option<End>, Failure>,
) -> Result<Option<End>, Failure> {
    let mut events = pin!(events);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    if let Some(end) = each(&event?)? {
                        // A peer that stops takes its members out first, and one that forgets the room does too.
                        let last = async { while events.next().await.is_some_and(|event| event.is_ok()) {} };
                        let over = timeout(STOPS_WITHIN, last).await.is_ok();
                        return if over && !end.ends_the_room() { Err(stopped()) } else { Ok(Some(end)) };
                    }
                }
                None => return Err(stopped()),
            },
            () = stop.asked() => return Ok(None),
        }
    }
}

fn stopped() -> Failure {
    Failure::Unreachable("the peer has stopped, or has forgotten the room".into())
}

/// The `type` of an event.
pub(crate) fn kind(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}
