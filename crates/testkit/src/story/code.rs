//! A story as the Rust that tells it, so that one that was found by chance can stand as a test.

use super::step::{Change, Entry, Someone, Step, Who};
use super::weather::{Drops, Faults};
use super::{Computer, Story, mesh, names};

impl Story {
    /// The calls that make this story. What they use is in [`crate::story`].
    #[must_use]
    pub fn code(&self) -> String {
        let mut lines = vec![format!("Story::new({:?})", self.name)];
        let mut add = |line: String| lines.push(format!("    .{line}"));
        if self.seed != 0 {
            add(format!("seed({})", self.seed));
        }
        add(format!("hosts({})", self.hosts.len()));
        if self.private {
            add("private()".to_owned());
        }
        for (index, host) in self.hosts.iter().enumerate() {
            about(&self.hosts, index, host).into_iter().for_each(&mut add);
        }
        if self.edges != mesh(self.hosts.len()) {
            let pairs: Vec<String> = self.edges.iter().map(|(a, b)| format!("({a}, {b})")).collect();
            add(format!("links(&[{}])", pairs.join(", ")));
        }
        if self.weather == Faults::within(self.weather.latency.clone()) {
            add(format!("latency({:?})", self.weather.latency));
        } else {
            add(format!("weather({})", weather(&self.weather)));
        }
        if self.late_ms > 0 {
            add(format!("late_timers({})", self.late_ms));
        }
        let mut at = 0;
        let mut implied = 0;
        for (time, step) in &self.steps {
            if *time != at {
                add(format!("at({time})"));
                at = *time;
            }
            let within = if let Step::Expect { within_ms, .. } = step { *within_ms } else { 0 };
            implied = implied.max(time + within);
            add(call(step));
        }
        if self.until > implied {
            add(format!("until({})", self.until));
        }
        lines.join("\n")
    }
}

fn about(hosts: &[Computer], index: usize, host: &Computer) -> Vec<String> {
    let mut calls = Vec::new();
    let first = hosts.iter().position(|other| other.person == host.person).unwrap_or(index);
    if host.person != names::host(index) && first != index {
        calls.push(format!("same_person({first}, {index})"));
    }
    if host.clock_ms != 0 {
        calls.push(format!("clock_off({index}, {})", host.clock_ms));
    }
    if host.hostile {
        calls.push(format!("hostile({index})"));
    }
    calls
}

fn weather(faults: &Faults) -> String {
    let mut text = format!("Faults::within({:?})", faults.latency);
    if faults.loss > 0 {
        text += &format!(".losing({})", faults.loss);
    }
    if faults.doubled > 0 {
        text += &format!(".doubling({})", faults.doubled);
    }
    if faults.reorder {
        text += ".reordering()";
    }
    if let Some(queue) = faults.queue {
        let drops = match queue.drops {
            Drops::Oldest => "Drops::Oldest",
            Drops::Newest => "Drops::Newest",
        };
        text += &format!(".queueing({}, {}, {drops})", queue.frames, queue.pace_ms);
    }
    text
}

fn someone(someone: &Someone) -> String {
    match someone.who {
        Who::Person => someone.host.to_string(),
        Who::Guest => format!("guest({})", someone.host),
    }
}

fn entry(entry: &Entry) -> String {
    let more = entry.member.is_some() || entry.lease_s.is_some();
    let mut text = match entry.someone.who {
        Who::Person if more => format!("person({})", entry.someone.host),
        _ => someone(&entry.someone),
    };
    if let Some(member) = &entry.member {
        text += &format!(".named({member:?})");
    }
    if let Some(lease) = entry.lease_s {
        text += &format!(".leased({lease})");
    }
    text
}

fn change(change: &Change) -> String {
    match change {
        Change::Set(fields) => match &fields[..] {
            [field] => format!("set({field:?})"),
            fields => format!("set_all(&{fields:?})"),
        },
        Change::Replace(fields) => format!("replace(&{fields:?})"),
        Change::Unset(fields) => match &fields[..] {
            [field] => format!("unset({field:?})"),
            fields => format!("Change::Unset({fields:?}.map(String::from).to_vec())"),
        },
        Change::Expire { field, ms } => format!("expire({field:?}, {ms})"),
    }
}

fn call(step: &Step) -> String {
    match step {
        Step::Start { host } => format!("start({host})"),
        Step::Join(how) => format!("join({})", entry(how)),
        Step::Presence { by, member: None, change: what } => format!("presence({}, {})", someone(by), change(what)),
        Step::Presence { by, member: Some(member), change: what } => {
            format!("presence_as({}, {member:?}, {})", someone(by), change(what))
        }
        Step::Moving { by, field, every_ms, ms } => format!("moving({}, {field:?}, {every_ms}, {ms})", someone(by)),
        Step::Metadata { host, key, delete: false } => format!("metadata({host}, {key:?})"),
        Step::Metadata { host, key, delete: true } => format!("delete_metadata({host}, {key:?})"),
        Step::Lock { host, on: true } => format!("lock({host})"),
        Step::Lock { host, on: false } => format!("unlock({host})"),
        Step::NameHost { host, whom, on } => format!("name_host({host}, {whom}, {on})"),
        Step::Void { host, whom, on } => format!("void({host}, {whom}, {on})"),
        Step::Note { host, note, edit } => format!("note({host}, {note:?}, Edit::{edit:?})"),
        Step::RemoveNote { host, note } => format!("remove_note({host}, {note:?})"),
        Step::Say { by, key: None } => format!("say({})", someone(by)),
        Step::Say { by, key: Some(key) } => format!("say_once({}, {key:?})", someone(by)),
        Step::Leave { by, member: None } => format!("leave({})", someone(by)),
        Step::Leave { by, member: Some(member) } => format!("leave_as({}, {member:?})", someone(by)),
        Step::Crash { host, farewell: true } => format!("crash({host})"),
        Step::Crash { host, farewell: false } => format!("power_cut({host})"),
        Step::Quit { host } => format!("quit({host})"),
        Step::Sleep { host, ms } => format!("sleep({host}, {ms})"),
        Step::Clock { host, off_ms } => format!("clock({host}, {off_ms})"),
        Step::Unplug { host, ms } => format!("unplug({host}, {ms})"),
        Step::Partition { parts } => {
            let parts: Vec<String> = parts.iter().map(|part| format!("&{part:?}")).collect();
            format!("partition(&[{}])", parts.join(", "))
        }
        Step::Cut { a, b } => format!("cut({a}, {b})"),
        Step::Mend { a, b } => format!("mend({a}, {b})"),
        Step::Deafen { from, to } => format!("deafen({from}, {to})"),
        Step::MendAll => "mend_all()".to_owned(),
        Step::Weather { between: None, faults } => format!("turn({})", weather(faults)),
        Step::Weather { between: Some((from, to)), faults } => {
            format!("turn_between({from}, {to}, {})", weather(faults))
        }
        Step::Lose { kind, ms } => format!("lose(FrameKind::{kind:?}, {ms})"),
        Step::Heal => "heal()".to_owned(),
        Step::Replay { host, via, frames } => format!("replay({host}, {via}, {frames})"),
        Step::Forge { host, frames } => format!("forge({host}, {frames})"),
        Step::Lie { host, lie } => format!("lie({host}, Lie::{lie:?})"),
        Step::Expect { what, within_ms: 0 } => format!("expect({})", expected(what)),
        Step::Expect { what, within_ms } => format!("expect_within({within_ms}, {})", expected(what)),
    }
}

fn expected(what: &super::Expect) -> String {
    use super::Expect;
    let observers = |hosts: &[usize]| if hosts.is_empty() { "Vec::new()".to_owned() } else { format!("vec!{hosts:?}") };
    let who = |someone: &Someone| match someone.who {
        Who::Person => format!("person({})", someone.host),
        Who::Guest => format!("guest({})", someone.host),
    };
    match what {
        Expect::Sees { observers: by, of, field } => {
            format!("Expect::Sees {{ observers: {}, of: {}, field: {field:?}.into() }}", observers(by), who(of))
        }
        Expect::Knows { observers: by, of } => {
            format!("Expect::Knows {{ observers: {}, of: {} }}", observers(by), who(of))
        }
        Expect::Gone { of } => format!("Expect::Gone {{ of: {} }}", who(of)),
        plain => format!("Expect::{plain:?}"),
    }
}
