//! `inspect`: what the peer does, a line each.

use std::pin::pin;

use futures::StreamExt;
use jiff::Timestamp;
use serde_json::Value;

use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::output::{harmless, harmless_json, note, print};
use crate::peer::Peer;
use crate::signals::Stop;
use crate::text::count;

/// What can be seen, by the `what` of the API.
pub(crate) const KINDS: [&str; 14] = [
    "frameIn",
    "frameOut",
    "cell",
    "presence",
    "link",
    "lease",
    "hash",
    "sync",
    "outage",
    "dial",
    "dialFailed",
    "connected",
    "disconnected",
    "counted",
];

/// Prints what the peer does until Ctrl-C.
pub(crate) async fn inspect(args: InspectArgs) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let peer = Peer::of(&args.peer, None).await?;
    let result = follow(&args, &peer, &mut stop).await;
    peer.close().await;
    result
}

async fn follow(args: &InspectArgs, peer: &Peer, stop: &mut Stop) -> Result<(), Failure> {
    let mut seen = pin!(peer.client.inspect(args.room.as_deref()).await?);
    note("Ctrl-C ends it.");
    loop {
        let data = tokio::select! {
            data = seen.next() => data,
            () = stop.asked() => return Ok(()),
        };
        let Some(data) = data.transpose()? else {
            return Err(Failure::Unreachable("the peer has stopped, or has become somebody new".into()));
        };
        let event: Value = serde_json::from_str(&data).unwrap_or_default();
        let kind = event["what"].as_str().unwrap_or_default();
        // What was not noted may have been what is asked for.
        let chosen = event["type"] == "seen" && kind != "lost";
        if !args.what.is_empty() && chosen && !args.what.iter().any(|wanted| wanted == kind) {
            continue;
        }
        match args.json {
            true => print(&harmless_json(&data))?,
            false => words(&event).iter().try_for_each(|line| print(&harmless(line)))?,
        }
    }
}

/// One line for a person.
fn words(event: &Value) -> Option<String> {
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let number = |key: &str| event[key].as_u64().unwrap_or_default();
    match text("type") {
        "snapshot" => {
            let cells = |room: &Value| {
                room["cells"].as_array().map_or(0, Vec::len) as u64 + room["leftOut"].as_u64().unwrap_or(0)
            };
            let rooms = event["rooms"].as_object()?.iter();
            let rooms = rooms.map(|(name, room)| {
                let records = room["records"].as_array().map_or(0, Vec::len);
                format!(
                    "{name}: {records} records, {} cells, hash {}",
                    cells(room),
                    room["hash"].as_str().unwrap_or_default()
                )
            });
            let peers = u32::try_from(event["peers"].as_array().map_or(0, Vec::len)).unwrap_or(u32::MAX);
            return Some(std::iter::once(count(peers, "peer")).chain(rooms).collect::<Vec<_>>().join("\n"));
        }
        "missed" => return Some(format!("{} things were missed", number("count"))),
        _ => {}
    }
    let short = |key: &str| text(key).chars().take(8).collect::<String>();
    let list = |key: &str| {
        let items = event[key].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let what = match text("what") {
        "frameIn" => {
            let via =
                if text("via") == text("author") { String::new() } else { format!(" by way of {}", short("via")) };
            let reasons = list("reasons");
            let reasons = if reasons.is_empty() { reasons } else { format!(": {reasons}") };
            let took = event["tookUs"].as_u64().map_or_else(String::new, |us| format!(", {us} µs"));
            let (kind, bytes, verdict) = (text("kind"), number("bytes"), text("verdict"));
            format!("← {kind} of {}{via}, {bytes} B{took}, {verdict}{reasons}", short("author"))
        }
        "frameOut" => {
            let to = if event["to"].is_null() { "all".to_owned() } else { short("to") };
            format!("→ {} to {to}, {} B", text("kind"), number("bytes"))
        }
        "cell" => {
            let register = &event["register"];
            let part = |key: &str| register[key].as_str().unwrap_or_default();
            let place = [part("kind"), part("object"), part("field")].into_iter().filter(|part| !part.is_empty());
            let place = place.collect::<Vec<_>>().join(" ");
            let outcome = &event["outcome"];
            let why = outcome["by"]
                .as_str()
                .map(|by| format!(" by its {by}"))
                .or_else(|| Some(format!(": {}", outcome["why"].as_str()?)));
            let is = match outcome["is"].as_str().unwrap_or_default() {
                "pushedOut" => "pushed out, the map is full",
                "aside" => "kept and not read",
                is => is,
            };
            format!(
                "{place} of {} {is}{}",
                event["version"]["writer"].as_str().unwrap_or_default(),
                why.unwrap_or_default()
            )
        }
        "presence" => {
            let (since, known) = (number("since"), number("known"));
            let gap =
                if since > known { format!(", versions {} to {since} are missing", known + 1) } else { String::new() };
            let changed = list("changed");
            let changed = if changed.is_empty() { "nothing new".to_owned() } else { changed };
            format!("presence of {} at version {}: {changed}{gap}", text("member"), number("rev"))
        }
        "link" => match event["up"] == true {
            true => format!("link to {} is up", short("session")),
            false => format!("link to {} is down: {}", short("session"), text("cause")),
        },
        "lease" => {
            let reason = event["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"));
            format!("{} is {}, silent for {} ms{reason}", short("session"), text("state"), number("silentMs"))
        }
        "hash" => {
            let (mine, theirs) = (text("mine"), text("theirs"));
            let same = if mine == theirs {
                format!("the same cells, {mine}")
            } else {
                format!("other cells, {theirs}; {mine} here")
            };
            format!("{} has {same}", short("session"))
        }
        "sync" => format!("sync with {}: {}, {}", short("session"), text("step"), number("count")),
        "outage" => match (event["slept"] == true, event["out"] == true) {
            (true, _) => "this computer slept, or this process did not run".to_owned(),
            (_, true) => "no network here".to_owned(),
            (_, false) => "the network is back".to_owned(),
        },
        "dial" => format!("dial {}", list("addresses")),
        "dialFailed" => {
            format!("dial of {} failed: {}", event["peerId"].as_str().unwrap_or("an address"), text("reason"))
        }
        "connected" => {
            let way = if event["dialled"] == true { "to" } else { "from" };
            format!("connected {way} {} at {}", text("peerId"), text("address"))
        }
        "disconnected" => format!("disconnected from {}: {}", text("peerId"), text("reason")),
        "counted" => format!("counted {} × {}", number("times"), text("name")),
        "lost" => format!("{} things were not noted", number("count")),
        other => other.to_owned(),
    };
    let room = event["room"].as_str().map_or_else(String::new, |room| format!("{room} "));
    Some(format!("{} {room}{what}", clock(number("wallMs"))))
}

/// The time of day, in UTC.
fn clock(wall_ms: u64) -> String {
    let ms = i64::try_from(wall_ms).unwrap_or_default();
    let at = format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or_default());
    at.split_once('T').map_or_else(String::new, |(_, time)| time.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Without the time, which depends on where the test runs.
    fn said(event: &Value) -> String {
        let mut event = event.clone();
        event["type"] = "seen".into();
        words(&event).expect("words").split_once(' ').expect("a time").1.to_owned()
    }

    #[test]
    fn what_was_seen_is_said_in_a_line() {
        let frame = json!({
            "what": "frameIn", "room": "quay", "kind": "delta", "author": "1a2b3c4d5e6f", "via": "9f8e7d6c5b4a", "bytes": 48,
            "verdict": "ignore", "reasons": ["delta_gap"], "tookUs": 35,
        });
        assert_eq!(said(&frame), "quay ← delta of 1a2b3c4d by way of 9f8e7d6c, 48 B, 35 µs, ignore: delta_gap");
        let cell = json!({
            "what": "cell", "room": "quay", "register": { "kind": "board", "object": "n1", "field": "text" },
            "version": { "writer": "u_abc" }, "outcome": { "is": "lost", "by": "clock" },
        });
        assert_eq!(said(&cell), "quay board n1 text of u_abc lost by its clock");
        let presence =
            json!({ "what": "presence", "member": "u_abc", "known": 3, "since": 5, "rev": 6, "changed": ["x", "y"] });
        assert_eq!(said(&presence), "presence of u_abc at version 6: x, y, versions 4 to 5 are missing");
        assert_eq!(clock(1_800_000_000_123), "08:00:00.123Z");
        assert_eq!(said(&json!({ "what": "counted", "name": "over_budget", "times": 7 })), "counted 7 × over_budget");
    }
}
