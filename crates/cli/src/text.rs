//! Answers of the API as short text for people.

use std::time::{SystemTime, UNIX_EPOCH};

use console::{Alignment, measure_text_width, pad_str};
use parlor::{
    Cloned, Invitation, Left, Member, MemberRecord, MemberState, MembersPage, PeerInfo, RoomMetadata, RoomSummary,
    Status, TicketInfo,
};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Answer;
use crate::failure::Failure;
use crate::output::harmless;
use crate::stay::kind;

/// A cell that is longer is cut unless it is the last of its line; the whole of it is in the JSON.
const CELL_MAX: usize = 44;
/// Light squares around a QR code.
const QUIET: usize = 4;

pub(crate) type Text = Result<String, Failure>;

pub(crate) fn rooms(answer: &Answer) -> Text {
    #[derive(Deserialize)]
    struct Rooms {
        rooms: Vec<RoomSummary>,
    }
    let Rooms { rooms } = answer.read()?;
    if rooms.is_empty() {
        return Ok("No rooms near you, and none known. Start one with: parlor join ROOM".into());
    }
    let rows = rooms.iter().map(|room| {
        let state = if room.joined {
            "joined"
        } else if room.near {
            "near"
        } else {
            "known"
        };
        let kind = if room.private { "private" } else { "open" };
        let title = room.title.clone().unwrap_or_default();
        vec![room.room.to_string(), title, room.members.to_string(), kind.to_owned(), state.to_owned()]
    });
    Ok(table(&["ROOM", "TITLE", "MEMBERS", "KIND", "STATE"], rows))
}

pub(crate) fn created(answer: &Answer) -> Text {
    #[derive(Deserialize)]
    struct Created {
        room: String,
        ticket: Option<String>,
    }
    let Created { room, ticket } = answer.read()?;
    let ready = format!("The room {room:?} is ready. Enter it with: parlor join {room:?}");
    Ok(harmless(&match ticket {
        Some(ticket) => format!("{ready}\nOthers need this ticket, which is its key:\n{ticket}"),
        None => ready,
    }))
}

pub(crate) fn ticket(answer: &Answer) -> Text {
    let Invitation { room, ticket, link, .. } = answer.read()?;
    let room = room.to_string();
    Ok(harmless(&format!("Enter with: parlor join {room:?} --ticket {ticket}\nOr open: {link}")))
}

pub(crate) fn ticket_as_qr(answer: &Answer) -> Text {
    let Invitation { link, qr, .. } = answer.read()?;
    if qr.is_empty() {
        return Ok(format!("The ticket is too long for a code.\n{link}"));
    }
    Ok(format!("{}\n{link}", squares(&qr)))
}

/// A QR code for a terminal.
pub(crate) fn squares(qr: &[String]) -> String {
    // Two squares a character, one above the other, drawn light on dark, with the margin that scanners need.
    let dark = |x: usize, y: usize| {
        let row = y.checked_sub(QUIET).and_then(|y| qr.get(y));
        let square = row.zip(x.checked_sub(QUIET)).and_then(|(row, x)| row.as_bytes().get(x));
        square == Some(&b'1')
    };
    let size = qr.len() + 2 * QUIET;
    let line = |y: usize| -> String {
        let square = |x| match (dark(x, y), dark(x, y + 1)) {
            (true, true) => ' ',
            (true, false) => '▄',
            (false, true) => '▀',
            (false, false) => '█',
        };
        (0..size).map(square).collect()
    };
    let lines: Vec<String> = (0..size).step_by(2).map(line).collect();
    lines.join("\n")
}

pub(crate) fn ticket_info(answer: &Answer) -> Text {
    let TicketInfo { room, private, created_by, invited_by, addresses } = answer.read()?;
    let kind = if private { "private" } else { "open" };
    let made = created_by.map(|user| format!(", made by {user}")).unwrap_or_default();
    let peers = if addresses.is_empty() { "no addresses".to_owned() } else { addresses.join(", ") };
    Ok(harmless(&format!("The {kind} room {:?}{made}. Invited by {invited_by}. Peers: {peers}", room.to_string())))
}

pub(crate) fn forgotten(answer: &Answer) -> Text {
    #[derive(Deserialize)]
    struct Forgotten {
        room: String,
        forgotten: bool,
    }
    let Forgotten { room, forgotten } = answer.read()?;
    Ok(harmless(&if forgotten {
        format!("Forgot the room {room:?}.")
    } else {
        format!("The room {room:?} was not known.")
    }))
}

pub(crate) fn joined(record: &MemberRecord) -> String {
    harmless(&format!("You are in {:?} as {}.", record.room.to_string(), record.member_id))
}

pub(crate) fn record(answer: &Answer) -> Text {
    let record: MemberRecord = answer.read()?;
    Ok(harmless(&format!("{} {}", record.member_id, Value::Object(record.presence))))
}

pub(crate) fn left(answer: &Answer) -> Text {
    let left: Left = answer.read()?;
    let (room, member) = (left.room.to_string(), left.member_id);
    Ok(harmless(&if left.left { format!("{member} left {room:?}.") } else { format!("{member} was not in {room:?}.") }))
}

pub(crate) fn members(answer: &Answer) -> Text {
    let page: MembersPage = answer.read()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let rows = page.members.iter().map(|member| {
        let presence =
            |key: &str| member.record.presence.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let state = match member.state {
            MemberState::Active => "active",
            MemberState::Stale => "stale",
        };
        vec![
            name(member),
            member.record.member_id.to_string(),
            state.to_owned(),
            presence("status"),
            presence("role"),
            age(now.saturating_sub(member.record.joined_at.0)),
        ]
    });
    let mut text = if page.members.is_empty() {
        String::new()
    } else {
        table(&["NAME", "MEMBER", "STATE", "STATUS", "ROLE", "JOINED"], rows) + "\n"
    };
    for (member, evidence) in page.members.iter().filter_map(|member| Some((member, member.evidence.as_ref()?))) {
        text += &harmless(&format!("{}: {}\n", name(member), evidence.sentence));
    }
    text += &format!("{}, {} watching", count(page.total, "member"), page.watching);
    if !page.complete {
        text += "; this computer's network is out, so this may be old";
    }
    if let Some(cursor) = page.next_cursor {
        text += &format!("\nMore with: --cursor {cursor}");
    }
    Ok(text)
}

pub(crate) fn metadata(answer: &Answer) -> Text {
    let room: RoomMetadata = answer.read()?;
    if room.metadata.is_empty() {
        return Ok("This room has no settings.".into());
    }
    let rows = room.metadata.iter().map(|(key, value)| vec![key.clone(), plain(value)]);
    let mut text = table(&["KEY", "VALUE"], rows);
    if let (Some(at), Some(by)) = (room.updated_at, room.updated_by) {
        text += &format!("\nLast change {at} by {by}");
    }
    Ok(text)
}

pub(crate) fn peers(answer: &Answer) -> Text {
    #[derive(Deserialize)]
    struct Peers {
        peers: Vec<PeerInfo>,
    }
    let Peers { peers } = answer.read()?;
    if peers.is_empty() {
        return Ok("Connected to nobody. Connect by address with: parlor dial /ip4/ADDRESS/tcp/PORT".into());
    }
    let rows = peers.iter().map(|peer| {
        vec![
            peer.name.clone().unwrap_or_default(),
            peer.addresses.first().cloned().unwrap_or_default(),
            peer.transport.to_string(),
            peer.direction.to_string(),
            peer.rtt_ms.map(|ms| format!("{ms:.1} ms")).unwrap_or_default(),
            peer.source.clone(),
            peer.rooms.len().to_string(),
            peer.peer_id.clone(),
        ]
    });
    Ok(table(&["NAME", "ADDRESS", "VIA", "WAY", "RTT", "FOUND", "ROOMS", "PEER"], rows))
}

pub(crate) fn dialled(answer: &Answer) -> Text {
    let peer: PeerInfo = answer.read()?;
    let name = peer.name.map(|name| format!(" ({name})")).unwrap_or_default();
    Ok(harmless(&format!("Connected to {}{name}.", peer.peer_id)))
}

/// To be read before it is passed on, so it is JSON here too.
pub(crate) fn diagnostics(answer: &Answer) -> Text {
    let diagnostics: Value = answer.read()?;
    let text = serde_json::to_string_pretty(&diagnostics).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(harmless(&text))
}

pub(crate) fn status(answer: &Answer) -> Text {
    let status: Status = answer.read()?;
    let network = serde_json::to_value(status.network).unwrap_or_default();
    let theme = serde_json::to_value(status.theme).unwrap_or_default();
    let mut rows = vec![
        vec!["name".to_owned(), status.name],
        vec!["color".to_owned(), status.color],
        vec!["theme".to_owned(), plain(&theme)],
        vec!["profile".to_owned(), status.profile],
        vec!["user".to_owned(), status.user_id.to_string()],
        vec!["peer".to_owned(), status.peer_id],
        vec!["network".to_owned(), format!("{}, {}", plain(&network), count(status.links, "link"))],
    ];
    rows.extend(status.listen.into_iter().map(|addr| vec!["listens on".to_owned(), addr]));
    rows.extend(status.cloned.map(|cloned| vec!["copied".to_owned(), copied(cloned.since, cloned.read_only)]));
    if status.newer > 0 {
        rows.push(vec![
            "newer".to_owned(),
            format!("{} of a newer Parlor; update this one", count(status.newer, "peer")),
        ]);
    }
    rows.extend(status.clock_ahead_ms.map(|ahead| vec!["clock".to_owned(), clock(ahead)]));
    rows.extend(status.notices.into_iter().map(|notice| vec!["notice".to_owned(), notice]));
    rows.push(vec!["version".to_owned(), status.version]);
    Ok(aligned(&rows, usize::MAX))
}

/// The clocks of the others are ahead by this, so ours is behind.
fn clock(ahead_ms: i64) -> String {
    let minutes = ahead_ms.unsigned_abs() / 60_000;
    let way = if ahead_ms > 0 { "behind" } else { "ahead of" };
    format!("about {minutes} minutes {way} the others; set it")
}

fn copied(since: impl std::fmt::Display, read_only: bool) -> String {
    let which = if read_only { "this one is read-only" } else { "this one goes on" };
    format!("a copy of this profile runs elsewhere since {since}, and {which}; end it there, or: parlor new-identity")
}

pub(crate) fn new_identity(answer: &Answer) -> Text {
    let Status { name, user_id, .. } = answer.read()?;
    Ok(harmless(&format!("{name} is somebody new: {user_id}. Rooms that this peer was in have to be joined again.")))
}

/// One event as a line for somebody who is in the room; what moves all the time makes none.
pub(crate) fn event(event: &str) -> Option<String> {
    let event: Value = serde_json::from_str(event).ok()?;
    let member = || serde_json::from_value::<Member>(event.get("member")?.clone()).ok();
    let line = match kind(&event) {
        "joined" => format!("{} joined", name(&member()?)),
        "left" => match event.get("reason").map(plain)?.as_str() {
            "left" => format!("{} left", name(&member()?)),
            reason => format!("{} left ({reason})", name(&member()?)),
        },
        "snapshot" => {
            let rows = event.get("members")?.as_array()?.iter();
            let members = rows.filter_map(|row| serde_json::from_value(row.clone()).ok());
            let others: Vec<String> = members.filter(|row: &Member| !row.own).map(|row| name(&row)).collect();
            if others.is_empty() {
                return None;
            }
            format!("Here now: {}", others.join(", "))
        }
        "stale" => format!("{} is not heard of", name(&member()?)),
        "active" => format!("{} is back", name(&member()?)),
        "cloned" => match serde_json::from_value(event.get("cloned")?.clone()).ok()? {
            Some(Cloned { since, read_only, .. }) => copied(since, read_only),
            None => "no copy of this profile runs elsewhere any more".to_owned(),
        },
        "message" => crate::messages::words(&serde_json::from_value(event.get("message")?.clone()).ok()?),
        "metadata" => format!("settings are now {}", event.get("metadata")?.get("metadata")?),
        _ => return None,
    };
    Some(harmless(&line))
}

fn name(member: &Member) -> String {
    let own = match member {
        Member { simulated: true, .. } => " (simulated)",
        Member { own: true, .. } => " (you)",
        _ => "",
    };
    let called = member.record.presence.get("name").and_then(Value::as_str).unwrap_or(&member.actor.name);
    format!("{called}{own}")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(crate) fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// How long ago, in the largest unit that fits.
fn age(ms: u64) -> String {
    match ms / 1000 {
        0 => "now".into(),
        seconds @ 1..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut all = vec![head.iter().map(|cell| (*cell).to_owned()).collect()];
    all.extend(rows);
    aligned(&all, CELL_MAX)
}

/// Columns two spaces apart, wide characters counted as wide.
fn aligned(rows: &[Vec<String>], cell_max: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let max = |column: usize| if column + 1 == columns { usize::MAX } else { cell_max };
    let fit = |(column, cell): (usize, &String)| fitting(cell, max(column));
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().enumerate().map(fit).collect()).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().zip(&widths).map(|(cell, width)| pad_str(cell, *width, Alignment::Left, None).into_owned());
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A cell on one line, harmless, cut where it is too long.
fn fitting(cell: &str, max: usize) -> String {
    let cell = harmless(cell).replace('\n', " ");
    console::truncate_str(&cell, max, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_with_wide_letters() {
        let rows = vec![vec!["静か".to_owned(), "x".to_owned()], vec!["Quiet Otter".to_owned(), "y\u{1b}".to_owned()]];
        let text = table(&["NAME", "ID"], rows.into_iter());
        assert_eq!(text, "NAME         ID\n静か         x\nQuiet Otter  y\u{fffd}");
    }

    #[test]
    fn ages_are_short() {
        let ages = [
            (400, "now"),
            (59_000, "59 s ago"),
            (61_000, "1 min ago"),
            (7_200_000, "2 h ago"),
            (200_000_000, "2 d ago"),
        ];
        for (ms, text) in ages {
            assert_eq!(age(ms), text);
        }
    }
}
