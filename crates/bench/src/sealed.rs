//! What the seal of a private room costs: processor time of both peers for each cursor that is delivered, in an open room
//! and in a private one, on the same work in turns.

use std::time::Duration;

use futures::StreamExt;
use parlor::{Event, Events, Join, Live, MemberId, PresenceChange, Room, RoomEvent};
use serde_json::json;

use crate::report::Figure;
use crate::samples::median;
use crate::{cpu, pair};

/// Rooms at once, with both peers moving in each: the more is delivered, the less is the idling in what is measured.
const ROOMS: usize = 4;
/// A little under 30 a second, so that the source never coalesces (design A7).
const EVERY: Duration = Duration::from_millis(36);
/// Moves of everybody in one round, and before it, so that buffers have their size.
const MOVES: u32 = 200;
const WARM: u32 = 20;
/// Rounds of each, open and private by turns.
const ROUNDS: usize = 5;

/// The figure.
pub async fn run() -> anyhow::Result<Figure> {
    let (mut open, mut sealed) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}: an open room, a private one");
        // Whichever comes first in a round comes second in the next.
        for private in [round % 2 == 0, round % 2 != 0] {
            let cost = round_of(private).await?;
            if private { &mut sealed } else { &mut open }.push(cost);
        }
    }
    let name = "processor per cursor in a private room";
    Ok(Figure::beside(name, median(sealed), "open room", median(open), "µs"))
}

/// Microseconds of all threads for each cursor that arrived.
async fn round_of(private: bool) -> anyhow::Result<f64> {
    let (one, two, _folder) = pair::start().await?;
    let mut movers = Vec::new();
    for number in 0..ROOMS {
        movers.extend(meet(&one, &two, &format!("bench {number}"), private).await?);
    }
    everybody_moves(&mut movers, 0, WARM).await?;
    let before = cpu::spent_by_all()?;
    everybody_moves(&mut movers, WARM, MOVES).await?;
    let spent = cpu::spent_by_all()? - before;
    one.close().await;
    two.close().await;
    Ok(spent.as_secs_f64() * 1e6 / (f64::from(MOVES) * movers.len() as f64))
}

/// Somebody who moves in a room, and what the other sees of it.
struct Mover {
    me: MemberId,
    room: Room,
    seen: Events,
}

/// Both peers in one room, as they see each other.
async fn meet(one: &Live, two: &Live, id: &str, private: bool) -> anyhow::Result<[Mover; 2]> {
    let (here, there) = (one.room(id), two.room(id));
    let mut come_in = Join::new();
    if private {
        one.create_private_room(id).await?;
        come_in = come_in.ticket(&here.ticket().await?.ticket);
    }
    let start = json!({"cursor": {"x": 0.0, "y": 0.0}});
    let first = here.join(Join::new().presence(start.clone())).await?.member_id;
    let second = there.join(come_in.presence(start)).await?.member_id;
    let at_second = pair::events_once_seen(&there, &first).await?;
    let at_first = pair::events_once_seen(&here, &second).await?;
    Ok([Mover { me: first, room: here, seen: at_second }, Mover { me: second, room: there, seen: at_first }])
}

/// Everybody moves so many times from a place on, and the last move of each arrives.
async fn everybody_moves(movers: &mut [Mover], from: u32, moves: u32) -> anyhow::Result<()> {
    let mut turn = tokio::time::interval(EVERY);
    for number in from..from + moves {
        turn.tick().await;
        for mover in &*movers {
            let cursor = json!({"cursor": {"x": f64::from(number) + 1.25, "y": 300.5}});
            mover.room.presence(PresenceChange::new(cursor)).await?;
        }
    }
    let last = f64::from(from + moves - 1) + 1.25;
    for mover in movers {
        let arrives = async {
            while let Some(item) = mover.seen.next().await {
                let RoomEvent::Change(Event::Updated { member, .. }) = item.event else { continue };
                let x = member.record.presence.get("cursor").and_then(|cursor| cursor.get("x")?.as_f64());
                if member.record.member_id == mover.me && x == Some(last) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), arrives).await?;
    }
    Ok(())
}
