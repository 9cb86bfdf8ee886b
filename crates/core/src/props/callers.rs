//! One replica, the people who call it and a second peer that looks on, held against [`super::callers_model`] after every
//! step: every answer and error code, the list and its pages, every event, and what the other peer sees of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::{Union, ValueTree};
use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use serde_json::json;

use super::callers_model::{Answer, Call, Caller, Flaw, Key, Life, Name, Room, Row, Set, Step, Told, Val, bag};
use super::cases;
use crate::fixture::{FakeSigner, Table};
use crate::ids::UserId;
use crate::view::{Bag, Event, Member, MemberRecord, MemberState, MembersQuery, Timestamp};
use crate::{
    Error, Join, Lease, Leave, LocalActor, MetadataChange, PresenceChange, PresenceMode, RoomMetadata, RowKey,
};

/// The wall clock of the table's seats, less their ticks.
const WALL: u64 = 1_800_000_000_000;
/// After so long a change was told, with somebody to see it.
const TURN_MS: u64 = 40;
const CALLERS: [Caller; 3] = [Caller::Ann, Caller::Bob, Caller::Cid];

impl ReferenceStateMachine for Room {
    type State = Room;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Room> {
        let peer = Peer::new();
        let ids = peer.people.iter().map(|(caller, who)| (*caller, who.actor.user_id.default_member()));
        Just(Room::empty(peer.table.now, ids.collect())).boxed()
    }

    fn transitions(room: &Room) -> BoxedStrategy<Step> {
        let names = [(4, Name::Unnamed), (3, Name::Desk), (2, Name::Stand), (1, Name::Anns)];
        let names = Union::new_weighted(names.map(|(weight, name)| (weight, Just(name))).to_vec());
        let anybody = (prop::sample::select(&CALLERS[..]), names).boxed();
        // Most calls are by those who are there, or they would be refused most of the time.
        let there: Vec<(Caller, Name)> = room.rows.keys().map(|key| (key.1, room.name(key))).collect();
        let somebody = if there.is_empty() {
            anybody.clone()
        } else {
            prop_oneof![3 => prop::sample::select(there), 1 => anybody.clone()].boxed()
        };
        let flaws = vec![Flaw::NotAnObject, Flaw::ForbiddenKey, Flaw::LongKey, Flaw::TooDeep];
        let flaw = prop_oneof![16 => Just(None), 1 => prop::sample::select(flaws).prop_map(Some)];
        let key = || prop::sample::select(vec!["a", "b", "c"]);
        let value = prop_oneof![
            3 => Just(Val::One),
            2 => Just(Val::Two),
            1 => Just(Val::Null),
            3 => Just(Val::Long),
        ];
        let set = prop::collection::btree_map(key(), value, 0..=3);
        let unset = prop::collection::vec(key(), 0..2);
        let life = prop_oneof![
            8 => Just(Life::Own),
            8 => (5u32..20).prop_map(|seconds| Life::Client { seconds }),
            1 => prop::sample::select(vec![0, 4, 3_600, 3_601]).prop_map(|seconds| Life::Client { seconds }),
        ];
        let expiry = prop_oneof![12 => 100u64..3_000, 1 => prop::sample::select(vec![0, 99, 3_600_001])];
        let call = (set.clone(), unset.clone(), prop::bool::weighted(0.2), prop::collection::vec(expiry, 0..3))
            .prop_map(|(set, unset, replace, expiry)| {
                // A key that is not set may not expire either; that is tried when nothing is set.
                let expire = set.keys().copied().chain(set.is_empty().then_some("a")).zip(expiry).collect();
                Call { set, unset, replace, expire }
            });
        let bags = prop::option::of(set.clone());
        let pass = prop_oneof![
            2 => Just(TURN_MS),
            2 => 0u64..200,
            3 => 200u64..7_000,
            2 => 4_000u64..20_000,
        ];
        prop_oneof![
            5 => (prop_oneof![3 => anybody, 2 => somebody.clone()], bags.clone(), bags, life, flaw.clone()).prop_map(
                |((caller, name), presence, metadata, life, flaw)| Step::Join { caller, name, presence, metadata, life, flaw }
            ),
            10 => (somebody.clone(), call, flaw.clone())
                .prop_map(|((caller, name), call, flaw)| Step::Presence { caller, name, call, flaw }),
            2 => somebody.clone().prop_map(|(caller, name)| Step::Leave { caller, name }),
            3 => (somebody.clone(), set, unset, flaw)
                .prop_map(|((caller, _), set, unset, flaw)| Step::Settings { caller, set, unset, flaw }),
            1 => somebody.prop_map(|(caller, _)| Step::Touch { caller }),
            7 => pass.prop_map(|ms| Step::Pass { ms }),
        ]
        .boxed()
    }

    fn apply(mut room: Room, step: &Step) -> Room {
        room.step(step);
        room
    }
}

/// The replica that is called, and one that looks on.
struct Peer {
    table: Table,
    people: BTreeMap<Caller, LocalActor>,
    users: BTreeMap<UserId, Caller>,
    /// When a caller changed something last.
    called: u64,
    /// What a reader at each peer knows from events alone.
    read: [BTreeMap<Key, Bag>; 2],
}

impl Peer {
    fn new() -> Peer {
        let mut table = Table::of(2);
        let host = table.seats[0].who.clone();
        let guest = |name: &str| LocalActor::guest(FakeSigner::of(name), name, host.actor.user_id.clone());
        let people =
            BTreeMap::from([(Caller::Ann, host.clone()), (Caller::Bob, guest("Bob")), (Caller::Cid, guest("Cid"))]);
        let users = people.iter().map(|(caller, who)| (who.actor.user_id.clone(), *caller)).collect();
        table.clear();
        Peer { called: table.now, table, people, users, read: Default::default() }
    }

    fn caller(&self, user: &UserId) -> Caller {
        self.users[user]
    }

    fn make(&mut self, step: &Step, room: &Room) {
        let id = |name: Name, caller: Caller| (name != Name::Unnamed).then(|| room.id(caller, name));
        match step {
            Step::Join { caller, name, presence, metadata, life, flaw } => {
                let who = self.people[caller].clone();
                let (lease, seconds) = match life {
                    Life::Own => (Lease::Own, None),
                    Life::Client { seconds } => (Lease::Client, Some(*seconds)),
                };
                let args = Join {
                    presence: spoilt(presence.as_ref(), *flaw),
                    metadata: metadata.as_ref().map(bag),
                    member_id: id(*name, *caller),
                    presence_ttl_seconds: seconds,
                    ticket: None,
                };
                let answer = self.table.call(0, |replica, _, now| replica.join(&who, args, lease, now));
                self.record(&answer, room);
            }
            Step::Presence { caller, name, call, flaw } => {
                let who = self.people[caller].clone();
                let args = PresenceChange {
                    presence: spoilt(Some(&call.set), *flaw).unwrap(),
                    member_id: id(*name, *caller),
                    mode: if call.replace { PresenceMode::Replace } else { PresenceMode::Merge },
                    unset: call.unset.iter().map(|key| (*key).to_owned()).collect(),
                    expire: call.expire.iter().map(|(key, ms)| ((*key).to_owned(), *ms)).collect(),
                };
                let answer = self.table.call(0, |replica, _, now| replica.presence(&who, args, now));
                self.record(&answer, room);
            }
            Step::Leave { caller, name } => {
                let who = self.people[caller].clone();
                let args = Leave { member_id: id(*name, *caller) };
                let answer = self.table.call(0, |replica, _, now| replica.leave(&who, args, now));
                let told = answer.map(|left| {
                    assert_eq!(left.left_at, Timestamp(WALL + room.now));
                    Answer::Left { member: left.member_id, left: left.left }
                });
                assert_eq!(told.map_err(|error| error.code), room.answer);
            }
            Step::Settings { caller, set, unset, flaw } => {
                let who = self.people[caller].clone();
                let metadata = spoilt(Some(set), *flaw).unwrap();
                let unset = unset.iter().map(|key| (*key).to_owned()).collect();
                let args = MetadataChange { metadata, unset, if_version: None };
                let answer = self.table.call(0, |replica, _, now| replica.set_metadata(&who, args, now));
                if let Ok(settings) = &answer {
                    self.settings(settings, room);
                }
                assert_eq!(answer.map(|_| Answer::Settings).map_err(|error| error.code), room.answer);
            }
            Step::Touch { caller } => {
                let user = self.people[caller].actor.user_id.clone();
                self.table.call(0, |replica, _, now| replica.touch(&user, now));
            }
            Step::Pass { ms } => self.table.pass(*ms),
        }
        if !matches!(step, Step::Pass { .. }) {
            self.called = self.table.now;
        }
    }

    /// What `join` and `presence` answered.
    fn record(&self, answer: &Result<MemberRecord, Error>, room: &Room) {
        match (answer, &room.answer) {
            (Ok(record), Ok(Answer::Record { member, row })) => {
                assert_eq!(record.member_id, *member);
                assert_eq!(record.last_seen_at, Timestamp(WALL + room.now));
                self.same(record, row);
            }
            (answer, expected) => {
                assert_eq!(answer.as_ref().map(|_| Answer::Nothing).map_err(|error| error.code), expected.clone());
            }
        }
    }

    fn same(&self, record: &MemberRecord, row: &Row) {
        assert_eq!(record.joined_at, Timestamp(WALL + row.joined), "joinedAt of {}", record.member_id);
        assert_eq!(record.presence, row.bag(), "presence of {}", record.member_id);
        assert_eq!(record.metadata, row.metadata, "metadata of {}", record.member_id);
    }

    fn settings(&self, settings: &RoomMetadata, room: &Room) {
        assert_eq!(settings.metadata, room.settings);
        let by = settings.updated_by.as_ref().map(|user| self.caller(user));
        let at = settings.updated_at.map(|at| at.0 - WALL);
        assert_eq!(at.zip(by), room.updated);
    }

    /// A4: the whole list in its order, and the same by pages of every size.
    fn list(&self) -> Vec<Arc<Member>> {
        let replica = &self.table.seats[0].replica;
        let read = |limit, cursor| {
            let query = MembersQuery { limit: Some(limit), cursor, ..MembersQuery::default() };
            replica.members(&query, self.table.tick()).unwrap()
        };
        let whole = read(1_000, None);
        assert_eq!((whole.total as usize, whole.next_cursor), (whole.members.len(), None));
        for limit in 1..=3 {
            let mut paged = Vec::new();
            let mut page = read(limit, None);
            loop {
                let rest = whole.members.len() - paged.len();
                assert_eq!(page.members.len(), rest.min(limit as usize));
                assert_eq!(page.next_cursor.is_some(), rest > limit as usize, "a cursor says that there is more");
                paged.append(&mut page.members);
                let Some(cursor) = page.next_cursor.take() else { break };
                page = read(limit, Some(cursor));
            }
            assert_eq!(paged, whole.members, "by pages of {limit}");
        }
        whole.members
    }

    fn row_key(&self, (member, user): &RowKey) -> Key {
        (member.clone(), self.caller(user))
    }

    /// What each member's events said since the last look. R14: whoever only applies them knows the list.
    fn told(&mut self, at: usize) -> (BTreeMap<Key, Vec<Told>>, Vec<Vec<String>>) {
        let mut members: BTreeMap<Key, Vec<Told>> = BTreeMap::new();
        let mut settings = Vec::new();
        for event in std::mem::take(&mut self.table.seats[at].events) {
            let (member, told) = match event {
                Event::Joined { member } => (member, Told::Joined),
                Event::Updated { member, changed } => (member, Told::Updated(changed)),
                Event::Left { member, reason } => (member, Told::Left(reason)),
                Event::Metadata { changed, .. } => {
                    settings.push(changed);
                    continue;
                }
                Event::Watching { .. } | Event::Pace { .. } => continue,
                event => panic!("nothing of this is about links: {event:?}"),
            };
            let key = self.row_key(&member.key());
            let held = match told {
                Told::Left(_) => self.read[at].remove(&key),
                _ => self.read[at].insert(key.clone(), member.record.presence.clone()),
            };
            assert_eq!(held.is_none(), told == Told::Joined, "grammar at peer {at}: {told:?} of {key:?}");
            members.entry(key).or_default().push(told);
        }
        let list = self.table.rows(at);
        let list = list.iter().map(|member| (self.row_key(&member.key()), member.record.presence.clone()));
        assert_eq!(list.collect::<BTreeMap<_, _>>(), self.read[at], "the list and the events at peer {at}");
        (members, settings)
    }

    /// Both peers' lists, against the model.
    fn compare(&self, room: &Room) {
        let user = |caller: &Caller| self.people[caller].actor.user_id.clone();
        let mut expected: Vec<(&Key, &Row)> = room.rows.iter().collect();
        expected.sort_by_key(|((member, caller), row)| (row.joined, member.clone(), user(caller)));
        let order: Vec<&Key> = expected.iter().map(|(key, _)| *key).collect();
        for at in [0, 1] {
            let list = if at == 0 { self.list() } else { self.table.rows(at) };
            let keys: Vec<Key> = list.iter().map(|member| self.row_key(&member.key())).collect();
            assert_eq!(keys.iter().collect::<Vec<_>>(), order, "members and their order at peer {at}");
            assert_eq!(self.table.by_session(at).len(), list.len(), "one session each");
            for (member, (_, row)) in list.iter().zip(&expected) {
                assert_eq!((member.state, member.own, member.conflict), (MemberState::Active, at == 0, false));
                // The other peer is told of changes in turns, the last one always.
                if at == 0 || self.table.now >= self.called + TURN_MS {
                    self.same(&member.record, row);
                }
            }
            assert_eq!(self.table.seats[at].replica.metadata().metadata, room.settings, "settings at peer {at}");
        }
    }
}

/// The bag of a call with what is wrong in it.
fn spoilt(set: Option<&Set>, flaw: Option<Flaw>) -> Option<Bag> {
    let mut bag = set.map(bag);
    let Some(flaw) = flaw else { return bag };
    let spoilt = bag.get_or_insert_with(Bag::new);
    match flaw {
        Flaw::NotAnObject => return Join::new().presence(json!([1])).presence,
        Flaw::ForbiddenKey => spoilt.insert("a".into(), json!({ "__proto__": 1 })),
        Flaw::LongKey => spoilt.insert("k".repeat(65), json!(1)),
        Flaw::TooDeep => spoilt.insert("a".into(), json!([[[[[[[[1]]]]]]]])),
    };
    bag
}

struct Callers;

impl StateMachineTest for Callers {
    type SystemUnderTest = Peer;
    type Reference = Room;

    fn init_test(_: &Room) -> Peer {
        Peer::new()
    }

    fn apply(mut peer: Peer, room: &Room, step: Step) -> Peer {
        peer.make(&step, room);
        let (members, settings) = peer.told(0);
        assert_eq!(members, room.told, "what a reader here is told of members");
        assert_eq!(settings, room.settings_told, "what a reader here is told of settings");
        // The other peer is told in turns, so perhaps in fewer steps.
        peer.told(1);
        peer
    }

    fn check_invariants(peer: &Peer, room: &Room) {
        peer.compare(room);
    }
}

prop_state_machine! {
    #![proptest_config(cases(96))]

    // A2 A3 A4 A5 A6 R7 R14
    #[test]
    fn a_room_keeps_its_promises_to_its_callers(sequential 1..40 => Callers);
}

/// The steps that are drawn lead to every answer and every event, or the property above says less than it seems to.
#[test]
fn every_answer_is_drawn() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let (mut room, steps, _) = Room::sequential_strategy(40).new_tree(&mut runner).unwrap().current();
        for step in steps {
            room.step(&step);
            seen.insert(match &room.answer {
                Ok(Answer::Left { left, .. }) => format!("left: {left}"),
                Ok(answer) => format!("{answer:?}").split_whitespace().next().unwrap().to_owned(),
                Err(code) => code.as_str(),
            });
            seen.extend(
                room.told.values().flatten().map(|told| format!("{told:?}").split('[').next().unwrap().to_owned()),
            );
        }
    }
    let expected = [
        "AMBIGUOUS_MEMBER",
        "INVALID_MEMBER_ID",
        "INVALID_METADATA",
        "INVALID_PRESENCE",
        "Joined",
        "Left(Expired)",
        "Left(Left)",
        "MEMBER_ID_CONFLICT",
        "NOT_JOINED",
        "Nothing",
        "PAYLOAD_TOO_LARGE",
        "Record",
        "Settings",
        "Updated(",
        "left: false",
        "left: true",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}
