//! The two subcommands that stay: `join` keeps a membership, `watch` prints what happens.

use std::pin::pin;

use futures::StreamExt;
use parlor::MemberRecord;
use serde_json::{Map, Value, json};

use crate::args::{JoinArgs, WatchArgs};
use crate::calls::guest;
use crate::failure::Failure;
use crate::output::{harmless_json, note, print};
use crate::peer::Peer;
use crate::signals::Stop;
use crate::text;

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

    let joined = peer.client.post(&["rooms", room, "join"], &body.into()).await?;
    let record: MemberRecord = joined.read()?;
    let result = async {
        print(&if args.json { harmless_json(&joined.0) } else { text::joined(&record) })?;
        note("Ctrl-C leaves the room.");
        follow(peer, room, stop, |event| {
            if args.json { Ok(()) } else { text::event(event).map_or(Ok(()), |line| print(&line)) }
        })
        .await
    };
    let result = result.await;
    let left = peer.client.post(&["rooms", room, "leave"], &json!({"memberId": record.member_id})).await;
    result.and(left.map(drop))
}

/// Prints every event of a room as a line of JSON, until Ctrl-C.
pub(crate) async fn watch(args: WatchArgs) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let peer = Peer::of(&args.peer, guest(&args.room)).await?;
    let result = follow(&peer, &args.room.room, &mut stop, |event| print(&harmless_json(event))).await;
    peer.close().await;
    result
}

/// Hands on every event until somebody asks to stop.
async fn follow(
    peer: &Peer,
    room: &str,
    stop: &mut Stop,
    mut each: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut events = pin!(peer.client.events(room).await?);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => each(&event?)?,
                None => return Err(Failure::Unreachable("the peer has stopped".into())),
            },
            () = stop.asked() => return Ok(()),
        }
    }
}

/// The `type` of an event.
pub(crate) fn kind(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}
