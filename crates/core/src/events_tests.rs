//! What a reader is told who only applies events: it knows what the list says, nobody comes or goes by a change, and
//! every end is the same event (design R14, R6, R8).

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use crate::fixture::{Seat, Table, member, seat};
use crate::input::{DownCause, Input};
use crate::limits::{MEMBERS_MAX, TIMEOUT_MS};
use crate::view::{Event, LeftReason, Member, MemberState, RowKey};
use crate::{Join, Lease, PresenceChange, PresenceMode};

/// A reader of one seat's room that never asks for the list.
struct Reader {
    at: usize,
    read: usize,
    rows: BTreeMap<RowKey, Arc<Member>>,
}

impl Reader {
    /// Knows the list as it is now.
    fn new(table: &Table, at: usize) -> Reader {
        let rows = table.rows(at).into_iter().map(|row| (row.key(), row)).collect();
        Reader { at, read: table.seats[at].events.len(), rows }
    }

    /// Applies what was told since; whatever breaks the grammar or differs from the list fails.
    fn catch_up(&mut self, table: &Table) {
        let events = &table.seats[self.at].events;
        for event in &events[self.read..] {
            match event {
                Event::Joined { member } => {
                    assert!(self.rows.insert(member.key(), member.clone()).is_none(), "joined twice: {member:?}");
                }
                Event::Updated { member, .. } | Event::Stale { member } | Event::Active { member } => {
                    assert!(self.rows.insert(member.key(), member.clone()).is_some(), "not there: {member:?}");
                }
                Event::Left { member, .. } => {
                    assert!(self.rows.remove(&member.key()).is_some(), "left without being there: {member:?}");
                }
                _ => {}
            }
        }
        self.read = events.len();
        let shown = |row: &Member| (row.state, row.own, row.conflict, row.actor.clone(), row.record.presence.clone());
        let list: BTreeMap<_, _> = table.rows(self.at).iter().map(|row| (row.key(), shown(row))).collect();
        assert_eq!(self.rows.iter().map(|(key, row)| (key.clone(), shown(row))).collect::<BTreeMap<_, _>>(), list);
    }
}

/// The events about one member id at a seat since they were cleared, in one word each.
fn about(table: &Table, at: usize, id: &str) -> Vec<String> {
    let told = table.seats[at].events.iter().filter_map(|event| {
        let (word, member) = match event {
            Event::Joined { member } => ("joined".to_owned(), member),
            Event::Updated { member, .. } => ("updated".to_owned(), member),
            Event::Stale { member } => ("stale".to_owned(), member),
            Event::Active { member } => ("active".to_owned(), member),
            Event::Left { member, reason } => (format!("left {reason:?}"), member),
            _ => return None,
        };
        (member.record.member_id.as_str() == id).then_some(word)
    });
    told.collect()
}

/// The desk of the seats in [`desks`].
const DESK: &str = "desk";

/// Three seats, of which only the second and the third are members yet. The first is about to join as `desk`.
fn before_the_desk() -> Table {
    let mut table = Table::of(3);
    for at in 1..3 {
        table.join(at, Join::new()).unwrap();
    }
    table.pass(3_000);
    table.clear();
    table
}

fn take_desk(table: &mut Table, at: usize) {
    table.join(at, Join::new().member_id(member(DESK)).presence(json!({"cursor": 1}))).unwrap();
}

fn restarted(table: &Table) -> Seat {
    seat(50, "person 0", 1, 2, table.now)
}

type Way = (LeftReason, fn(&mut Table));

/// Every way in which a member can end, from its join on.
const ENDS: [Way; 6] = [
    (LeftReason::Left, |table| {
        take_desk(table, 0);
        table.leave(0).unwrap();
    }),
    (LeftReason::Expired, |table| {
        let args = Join::new().member_id(member(DESK)).ttl_seconds(5);
        table.call(0, |replica, who, now| replica.join(who, args, Lease::Client, now)).unwrap();
        table.pass(5_000);
    }),
    (LeftReason::Timeout, |table| {
        take_desk(table, 0);
        table.lose = |from, _, _| from == 0;
        table.pass(10_000);
    }),
    (LeftReason::Disconnected, |table| {
        take_desk(table, 0);
        table.lose = |from, _, _| from == 0;
        table.close(1, 0, DownCause::Closed);
        table.pass(5_000);
    }),
    (LeftReason::Superseded, |table| {
        take_desk(table, 0);
        let again = table.add(restarted(table));
        table.link(1, again);
        table.join(again, Join::new()).unwrap();
    }),
    (LeftReason::Evicted, |table| {
        take_desk(table, 0);
        // Who fell silent makes place first.
        table.lose = |from, _, _| from == 0;
        table.pass(6_000);
        let guest = table.seats[2].guest.clone();
        for at in 0..MEMBERS_MAX - 2 {
            let args = Join::new().member_id(member(&format!("guest desk {at}")));
            table.call(2, |replica, _, now| replica.join(&guest, args, Lease::Own, now)).unwrap();
        }
    }),
];

// G2: silence, a lost link, a lease that ran out, a restart elsewhere: what is drawn of somebody goes by one event, the
// one that a leave is.
#[test]
fn every_end_is_the_same_event() {
    for (reason, end) in ENDS {
        let mut table = before_the_desk();
        let mut reader = Reader::new(&table, 1);
        end(&mut table);
        let told = about(&table, 1, DESK);
        assert_eq!(told.first().map(String::as_str), Some("joined"), "{reason:?}");
        assert_eq!(told.last(), Some(&format!("left {reason:?}")), "{reason:?}: {told:?}");
        assert_eq!(told.iter().filter(|event| event.starts_with("left")).count(), 1, "{reason:?}: {told:?}");
        reader.catch_up(&table);
        assert!(reader.rows.keys().all(|(id, _)| id.as_str() != DESK), "{reason:?}");
    }
}

// M2: of a person's three devices two end, in every way there is; it left only with the last.
#[test]
fn a_person_leaves_with_the_last_device_however_the_others_end() {
    for (reason, end) in ENDS.into_iter().filter(|(reason, _)| *reason != LeftReason::Evicted) {
        let mut table = before_the_desk();
        let mut others = Vec::new();
        for (number, profile) in [(31, 31), (32, 32)] {
            let at = table.add(seat(number, "person 0", profile, 1, table.now));
            (0..at).for_each(|other| table.link(other, at));
            take_desk(&mut table, at);
            others.push(at);
        }
        table.clear();
        let mut reader = Reader::new(&table, 1);
        end(&mut table);
        table.pass(1_000);
        let gone = |told: &[String]| told.iter().any(|event| event.starts_with("left"));
        assert!(!gone(&about(&table, 1, DESK)), "{reason:?}: {:?}", about(&table, 1, DESK));
        reader.catch_up(&table);
        for (left, at) in others.into_iter().enumerate() {
            table.leave(at).unwrap();
            table.pass(1_000);
            assert_eq!(gone(&about(&table, 1, DESK)), left == 1, "{reason:?}: {:?}", about(&table, 1, DESK));
        }
        reader.catch_up(&table);
    }
}

// F1: whatever changes of a member is an update: nobody is seen to leave and to join by it.
#[test]
fn every_change_is_an_update() {
    let mut table = before_the_desk();
    take_desk(&mut table, 0);
    table.pass(1_000);
    let mut reader = Reader::new(&table, 1);
    let second = table.add(seat(31, "person 0", 31, 1, table.now));
    let again = table.add(restarted(&table));
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Table));
    let changes: [Change<'_>; 12] = [
        ("a field", &|table| drop(table.presence(0, json!({"cursor": 2})).unwrap())),
        ("a field gone", &|table| {
            let unset = vec!["cursor".to_owned()];
            table.change(0, PresenceChange { unset, ..PresenceChange::default() }).unwrap();
        }),
        ("all fields", &|table| {
            let mode = PresenceMode::Replace;
            table.change(0, PresenceChange { mode, ..PresenceChange::new(json!({"tool": "pen"})) }).unwrap();
        }),
        ("a field that expires", &|table| {
            let expire = BTreeMap::from([("typing".to_owned(), 500)]);
            table.change(0, PresenceChange { expire, ..PresenceChange::new(json!({"typing": true})) }).unwrap();
            table.pass(600);
        }),
        ("its metadata", &|table| {
            table.join(0, Join::new().member_id(member(DESK)).metadata(json!({"role": "host"}))).unwrap();
        }),
        ("its name", &|table| {
            table.seats[0].who.actor.name = "person 0, renamed".into();
            table.join(0, Join::new().member_id(member(DESK))).unwrap();
        }),
        ("a second device", &|table| {
            (0..3).for_each(|other| table.link(other, second));
            take_desk(table, second);
        }),
        ("the second device speaks", &|table| drop(table.presence(second, json!({"cursor": 9})).unwrap())),
        ("the second device leaves", &|table| drop(table.leave(second).unwrap())),
        ("its link, for a moment", &|table| {
            table.close(1, 0, DownCause::Closed);
            table.pass(1_000);
            table.link(0, 1);
        }),
        ("somebody claims the same id", &|table| {
            table.close(0, 2, DownCause::Closed);
            table.close(2, 0, DownCause::Closed);
            table.lose = |from, to, _| from + to == 2 && from != to;
            table.pass(5_100);
            take_desk(table, 2);
            table.lose = |_, _, _| false;
            table.link(0, 2);
        }),
        ("a restart", &|table| {
            table.link(1, again);
            take_desk(table, again);
        }),
    ];
    let user = table.seats[0].who.actor.user_id.clone();
    for (what, change) in changes {
        table.clear();
        reader.read = 0;
        change(&mut table);
        table.pass(1_000);
        let own = table.seats[1].events.iter().filter(|event| match event {
            Event::Joined { member } | Event::Left { member, .. } => member.actor.user_id == user,
            _ => false,
        });
        assert_eq!(own.count(), 0, "{what}: {:?}", table.told(1));
        assert!(about(&table, 1, DESK).iter().any(|event| event == "updated" || event == "active"), "{what}");
        reader.catch_up(&table);
    }
}

// F5: after a minute apart everybody has forgotten everybody; the link alone makes the lists whole again, with no call
// of anybody, and with what each says now.
#[test]
fn a_link_that_is_back_makes_the_lists_whole() {
    let mut table = Table::joined(3);
    for (a, b) in [(0, 1), (0, 2), (1, 0), (2, 0)] {
        table.close(a, b, DownCause::TimedOut);
    }
    table.lose = |from, to, _| from == 0 || to == 0;
    table.presence(0, json!({"said": "while away"})).unwrap();
    table.pass(60_000);
    assert_eq!((table.rows(0).len(), table.rows(1).len(), table.rows(2).len()), (1, 2, 2), "the test lost its point");
    table.lose = |_, _, _| false;
    table.clear();
    table.link(0, 1);
    table.link(0, 2);
    for at in 0..3 {
        assert_eq!(table.rows(at).len(), 3, "at {at}");
        assert_eq!(table.seen(at, 0), Some(json!({"said": "while away"})), "at {at}");
    }
    table.pass(30_000);
    assert_eq!(table.told(0), ["joined person 1", "joined person 2"]);
    assert_eq!(table.told(1), ["joined person 0"]);
}

/// Something that happens at a table of four, where the first seat is the one that looks on.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Pass(u64),
    Presence(usize),
    Leave(usize),
    Join(usize),
    Up(usize),
    Down(usize, DownCause),
    Deaf(bool),
    Outage(bool),
    Resumed,
    Jump(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let who = 1usize..4;
    let causes = prop::sample::select(vec![DownCause::Closed, DownCause::TimedOut, DownCause::Unsubscribed]);
    prop_oneof![
        3 => (1u64..6_000).prop_map(Happening::Pass),
        2 => who.clone().prop_map(Happening::Presence),
        1 => who.clone().prop_map(Happening::Leave),
        2 => who.clone().prop_map(Happening::Join),
        2 => who.clone().prop_map(Happening::Up),
        2 => (who, causes).prop_map(|(at, cause)| Happening::Down(at, cause)),
        1 => any::<bool>().prop_map(Happening::Deaf),
        1 => any::<bool>().prop_map(Happening::Outage),
        1 => Just(Happening::Resumed),
        1 => (1u64..100_000).prop_map(Happening::Jump),
    ]
}

fn happen(table: &mut Table, what: Happening) {
    match what {
        Happening::Pass(ms) => table.pass(ms),
        Happening::Presence(at) => drop(table.presence(at, json!({"at": table.now}))),
        Happening::Leave(at) => drop(table.leave(at)),
        Happening::Join(at) => drop(table.join(at, Join::new())),
        Happening::Up(at) => table.link(0, at),
        Happening::Down(at, cause) => {
            table.close(0, at, cause);
            table.close(at, 0, cause);
        }
        Happening::Deaf(deaf) => table.lose = if deaf { |_, to, _| to == 0 } else { |_, _, _| false },
        Happening::Outage(outage) => drop(table.input(0, Input::OwnOutage(outage))),
        Happening::Resumed => drop(table.input(0, Input::Resumed)),
        // The whole process stood still: nothing was looked at meanwhile.
        Happening::Jump(ms) => {
            table.now += ms;
            table.input(0, Input::Timeout);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // G3 G10: whatever happened before, once nothing is heard any more everybody has a deadline and is gone by it: by
    // the observer's timers alone, the readers told, those that only look on included.
    #[test]
    fn silence_ends_everybody_whatever_happened_before(story in prop::collection::vec(happening(), 0..40)) {
        let mut table = Table::joined(4);
        let mut reader = Reader::new(&table, 0);
        for what in story {
            happen(&mut table, what);
            reader.catch_up(&table);
        }
        table.input(0, Input::OwnOutage(false));
        let now = table.tick();
        let heard = table.seats[0].replica.peers.values().map(|peer| peer.heard).max().unwrap_or(now);
        // From here on only the observer's own timer runs: no frame, no link, nothing of anybody.
        while let Some(due) = table.seats[0].replica.next_deadline().filter(|due| *due <= heard.plus(TIMEOUT_MS)) {
            table.now = table.now.max(due.0);
            let now = table.tick();
            table.seats[0].replica.handle(Input::Timeout, now);
            while let Some(output) = table.seats[0].replica.poll_output() {
                if let crate::Output::Event(event) = output {
                    table.seats[0].events.push(event);
                }
            }
            let next = table.seats[0].replica.next_deadline();
            prop_assert!(next > Some(now), "what was due at {:?} is still to be done", now);
            reader.catch_up(&table);
        }
        prop_assert_eq!(table.seats[0].replica.snapshot().watching, 0);
        // Its own member outlives all of it.
        let rows = table.rows(0);
        prop_assert!(rows.len() == 1 && rows[0].own && rows[0].state == MemberState::Active, "{:?}", rows);
    }
}
