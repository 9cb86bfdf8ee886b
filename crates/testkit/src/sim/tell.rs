//! A trace in plain words: who did what, whom it reached, and what everybody was told.

use parlor_core::{Access, DownCause, Event, LeftReason, Member, Person};

use super::letter::{Letter, word};
use super::sessions::Sessions;
use super::trace::{Fact, Trace};
use crate::story::names;
use crate::story::tell::clock;

/// The byte of a heartbeat on the wire.
const BEAT: u8 = 2;

/// The facts that a trace kept, a line each.
#[must_use]
pub fn lines(trace: &Trace, sessions: &Sessions) -> Vec<String> {
    trace.facts().map(|(at, fact)| format!("{}  {}", clock(*at), fact_in_words(fact, sessions))).collect()
}

/// The same as a story: without heartbeats, of which there are many and from which seldom anything follows.
#[must_use]
pub fn story(trace: &Trace, sessions: &Sessions) -> Vec<String> {
    let beat = |fact: &Fact| match fact {
        Fact::Published(_, letter, _) | Fact::Sent(_, _, letter) | Fact::Took(_, _, letter) => letter.kind() == BEAT,
        _ => false,
    };
    let facts = trace.facts().filter(|(_, fact)| !beat(fact));
    facts.map(|(at, fact)| format!("{}  {}", clock(*at), fact_in_words(fact, sessions))).collect()
}

fn fact_in_words(fact: &Fact, sessions: &Sessions) -> String {
    let name = |session| sessions.name(session);
    match fact {
        Fact::Step(step) => format!("▸ {step}"),
        Fact::Started(session) => format!("{} runs", name(*session)),
        Fact::Gone(session, true) => format!("{} is gone, its links are closed", name(*session)),
        Fact::Gone(session, false) => format!("{} is gone, nobody was told", name(*session)),
        Fact::Published(from, letter, links) => format!("{} publishes {} to {links}", name(*from), frame(letter)),
        Fact::Sent(from, to, letter) => format!("{} sends {} to {}", name(*from), frame(letter), sessions.name_of(to)),
        Fact::Took(host, via, letter) => {
            let (host, author) = (names::host(*host), sessions.name_of(&letter.author));
            let way =
                if letter.author == *via { String::new() } else { format!(" by way of {}", sessions.name_of(via)) };
            format!("  {host} takes {} of {author}{way}", frame(letter))
        }
        Fact::Told(observer, event) => format!("    {} sees: {}", name(*observer), event_in_words(event)),
        Fact::Up(end, peer) => format!("{} has a link to {}", name(*end), name(*peer)),
        Fact::Down(end, peer, cause) => {
            let why = match cause {
                DownCause::Closed => "it was closed",
                DownCause::TimedOut => "nothing came back",
                DownCause::Unsubscribed => "it left the room's topic",
            };
            format!("{} has no link to {} any more: {why}", name(*end), name(*peer))
        }
        Fact::Wakes(host) => format!("{} wakes", names::host(*host)),
        Fact::Cable(host, true) => format!("{} is plugged in", names::host(*host)),
        Fact::Cable(host, false) => format!("{} is unplugged", names::host(*host)),
        Fact::Dropped(from, to, letter) => {
            format!("the queue from {} to {} is full and drops {}", name(*from), name(*to), frame(letter))
        }
        Fact::Came(what) => format!("✓ {what}"),
        Fact::Broken(rule) => format!("✗ {rule}"),
    }
}

fn frame(letter: &Letter) -> String {
    format!("{} ({} bytes)", word(letter.kind()), letter.bytes.len())
}

/// An event in words.
#[must_use]
pub fn event_in_words(event: &Event) -> String {
    let of = |member: &Member| {
        let record = &member.record;
        if record.member_id.as_str() == member.actor.user_id.as_str() {
            member.actor.name.clone()
        } else {
            format!("{} as “{}”", member.actor.name, record.member_id)
        }
    };
    match event {
        Event::Joined { member } => format!("{} joined{}", of(member), fields(member)),
        Event::Updated { member, changed } if changed.is_empty() => format!("{} is otherwise than before", of(member)),
        Event::Updated { member, changed } => {
            let told = |key: &String| match member.record.presence.get(key) {
                Some(value) => format!("{key} is {value}"),
                None => format!("{key} is gone"),
            };
            format!("{}: {}", of(member), changed.iter().map(told).collect::<Vec<_>>().join(", "))
        }
        Event::Stale { member } => format!("{} is silent", of(member)),
        Event::Active { member } => format!("{} is back", of(member)),
        Event::Left { member, reason } => {
            let why = match reason {
                LeftReason::Left => "it said so",
                LeftReason::Disconnected => "its link closed",
                LeftReason::Timeout => "it was silent too long",
                LeftReason::Expired => "its lease ran out",
                LeftReason::Superseded => "the same profile started anew",
                LeftReason::Evicted => "it made room for somebody",
                LeftReason::Excluded => "it did not get the new key",
            };
            format!("{} left, {why}", of(member))
        }
        Event::Metadata { metadata, changed } => {
            let told = |key: &String| match metadata.metadata.get(key) {
                Some(value) => format!("{key} is {value}"),
                None => format!("{key} is gone"),
            };
            format!("of the room, {}", changed.iter().map(told).collect::<Vec<_>>().join(", "))
        }
        Event::Board { notes, removed } => {
            let notes =
                notes.iter().map(|note| format!("note “{}” is at {} {}, {:?}", note.id, note.x, note.y, note.text));
            let removed = removed.iter().map(|id| format!("note “{id}” is gone"));
            format!("on the board, {}", notes.chain(removed).collect::<Vec<_>>().join(", "))
        }
        Event::Message { message } => format!("{} says {}", message.actor.name, message.data),
        Event::Access { access } => access_in_words(access),
        Event::Diverged { session_id } => {
            format!("it does not come to agree with {}", session_id.get(..8).unwrap_or(session_id))
        }
        Event::Watching { count: 0 } => "nobody looks on".to_owned(),
        Event::Watching { count: 1 } => "somebody looks on".to_owned(),
        Event::Watching { count } => format!("{count} look on"),
        Event::Pace { pace_ms } => format!("what it changes is told every {pace_ms} ms"),
        Event::Complete { complete: true } => "the list is current".to_owned(),
        Event::Complete { complete: false } => "the list may be old".to_owned(),
        Event::Cloned { cloned: None } => "no copy of its profile runs any more".to_owned(),
        Event::Cloned { cloned: Some(cloned) } => {
            let goes_on = if cloned.read_only { "it is read-only" } else { "it goes on" };
            format!("copies of its profile: {}; {goes_on}", cloned.others.len())
        }
    }
}

fn access_in_words(access: &Access) -> String {
    let of = |which: fn(&Person) -> bool| {
        let names = access.people.iter().filter(|person| which(person)).map(|person| person.name.clone());
        crate::story::names::list(&names.collect::<Vec<_>>())
    };
    let lock = if access.locked { "locked" } else { "not locked" };
    format!("the room is {lock}; hosts: {}; void: {}", of(|person| person.host), of(|person| person.voided))
}

fn fields(member: &Member) -> String {
    let fields: Vec<String> = member.record.presence.iter().map(|(key, value)| format!("{key} is {value}")).collect();
    if fields.is_empty() { String::new() } else { format!(", {}", fields.join(", ")) }
}
