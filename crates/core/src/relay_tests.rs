//! Whether frames ask to be passed on, and how soon others learn of a change of links (design N4, A7, R4).

use serde_json::json;

use crate::evidence::EvidencePath;
use crate::fields::Fields;
use crate::fixture::{Table, evidence, seat, session};
use crate::ids::{SessionId, Tick};
use crate::input::{DownCause, Input, Output, Path, Way};
use crate::limits::FRAME_MAX;
use crate::raw::Raw;
use crate::wire::{Ask, Beat, Delta, Frame, Pulse};
use crate::{Join, LocalActor, PresenceChange, Publish, Replica, Rev, Seq};

/// Whether a change at seat 0 asks to be passed on.
fn asks_for_it(table: &mut Table) -> bool {
    table.pass(5_000);
    table.clear();
    table.presence(0, json!({ "now": table.now })).unwrap();
    let frames = table.sent(0, 1);
    let [Frame::Delta(delta)] = &frames[..] else { panic!("{frames:?}") };
    delta.relay
}

// N4: where all are linked to all, nothing is passed on, somebody who looks on included.
#[test]
fn nothing_is_passed_on_in_a_whole_mesh() {
    let mut table = Table::joined(3);
    assert!(!asks_for_it(&mut table));
    let watcher = table.add(seat(40, "watcher", 40, 1, table.now));
    for member in 0..3 {
        table.link(member, watcher);
    }
    assert!(!asks_for_it(&mut table), "with somebody who looks on");
    table.close(1, 2, DownCause::Closed);
    table.close(2, 1, DownCause::Closed);
    assert!(asks_for_it(&mut table), "two of the others are not linked any more");
    table.link(1, 2);
    assert!(!asks_for_it(&mut table), "healed");
}

/// The one frame that seat 0 publishes when it does something, and how.
fn published(table: &mut Table, does: impl FnOnce(&mut Replica, &LocalActor, Tick)) -> (Vec<u8>, Way) {
    let (who, now) = (table.seats[0].who.clone(), table.tick());
    let replica = &mut table.seats[0].replica;
    does(replica, &who, now);
    replica.handle(Input::Timeout, now);
    let published = std::iter::from_fn(|| replica.poll_output()).filter_map(|output| match output {
        Output::Publish { bytes, way } => Some((bytes, way)),
        _ => None,
    });
    let mut published: Vec<_> = published.collect();
    assert_eq!(published.len(), 1);
    published.remove(0)
}

fn moves(table: &mut Table) -> (Vec<u8>, Delta, Way) {
    let (bytes, way) = published(table, |replica, who, now| {
        replica.presence(who, PresenceChange::new(json!({ "now": now.0 })), now).unwrap();
    });
    let Frame::Delta(delta) = Frame::decode(&bytes, FRAME_MAX).unwrap() else { panic!("{bytes:?}") };
    (bytes, delta, way)
}

/// How a message that is not kept goes, and one that is.
fn says(table: &mut Table) -> [Way; 2] {
    [false, true].map(|keep| {
        let said = Publish { keep, ..Publish::new("note", json!({ "now": table.now })) };
        let (_, way) = published(table, |replica, who, now| {
            replica.say(who, said, now).unwrap();
        });
        way
    })
}

// N4 N2: a movement goes to each by the link itself; by gossip too where somebody has to pass it on, and a heartbeat with it
// shows that gossip works.
#[test]
fn a_movement_goes_by_the_links_alone_where_all_are_linked_to_all() {
    let mut table = Table::joined(3);
    let mut seen = [0, 0];
    for _ in 0..100 {
        table.pass(40);
        let (_, delta, way) = moves(&mut table);
        assert!(!delta.relay);
        assert_eq!(way, if delta.pulse.is_some() { Way::Both } else { Way::Links });
        seen[usize::from(way == Way::Links)] += 1;
    }
    assert!(seen[0] >= 1 && seen[1] >= 90, "{seen:?}");
    assert_eq!(says(&mut table), [Way::Gossip; 2], "nobody repairs the one, and anybody may pass on the other");
    table.close(1, 2, DownCause::Closed);
    table.close(2, 1, DownCause::Closed);
    table.pass(300);
    let (_, delta, way) = moves(&mut table);
    assert!(delta.relay && way == Way::Both, "somebody has to pass it on");
}

// N4: what comes by the link and by gossip is told once, and says nothing of who passes it on.
#[test]
fn a_movement_that_comes_twice_is_one() {
    let mut table = Table::joined(3);
    table.close(1, 2, DownCause::Closed);
    table.close(2, 1, DownCause::Closed);
    table.pass(5_000);
    let (bytes, delta, _) = moves(&mut table);
    assert!(delta.relay);
    let (author, passer) = (table.seats[0].replica.session(), table.seats[2].replica.session());
    let now = table.tick();
    let replica = &mut table.seats[1].replica;
    let told = [(author, Path::Direct), (passer, Path::Gossip)].map(|(via, path)| {
        replica.handle(Input::Frame { author, via, path, bytes: bytes.clone() }, now);
        std::iter::from_fn(|| replica.poll_output()).filter(|output| matches!(output, Output::Event(_))).count()
    });
    assert_eq!(told, [1, 0]);
    assert_eq!(evidence(&table, 1, 0).path, EvidencePath::Direct);
}

/// Three that are linked, of whom the first has just said a heartbeat.
fn just_told() -> Table {
    let mut table = Table::joined(3);
    table.pass(1_000);
    table.clear();
    while table.sent(0, 2).is_empty() {
        table.pass(1);
    }
    table.clear();
    table
}

// N4: others learn of a change of links at once and not with the next heartbeat.
#[test]
fn a_broken_link_is_told_soon() {
    let mut table = just_told();
    table.close(0, 1, DownCause::Closed);
    table.pass(200);
    assert_eq!(table.sent(0, 2).len(), 1);
}

// N2: a first link is spoken on by gossip at once too: a second of silence would leave a dead stream unseen as long.
#[test]
fn a_first_link_is_spoken_on_soon() {
    for number in 1..20 {
        let mut table = Table::joined(1);
        let newcomer = table.add(seat(40 + number, "newcomer", 40, 1, table.now));
        table.pass(900 + 100 * u64::from(number));
        table.link(0, newcomer);
        table.clear();
        table.pass(200);
        let told = [0, newcomer].map(|at| table.sent(at, 2).len());
        assert!(told[0] >= 1 && told[1] >= 1, "{told:?} for session {number}");
    }
}

// N4: so they do when somebody joins to whom all were linked before, or leaves; till then all is passed on.
#[test]
fn who_joins_and_who_leaves_is_told_soon() {
    let mut table = just_told();
    let newcomer = table.add(seat(40, "newcomer", 40, 1, table.now));
    for member in 0..3 {
        table.link(member, newcomer);
    }
    table.pass(1_000);
    let passed_on = |table: &mut Table, after: u64| {
        table.pass(after);
        table.clear();
        table.presence(0, json!({ "now": table.now })).unwrap();
        table.pass(40);
        let frames = table.sent(0, 1);
        let [Frame::Delta(delta)] = &frames[..] else { panic!("{frames:?}") };
        delta.relay
    };
    table.join(newcomer, Join::new()).unwrap();
    assert!(passed_on(&mut table, 0), "nobody told of it yet");
    assert!(!passed_on(&mut table, 200), "after a join");
    table.pass(500);
    table.leave(newcomer).unwrap();
    assert!(!passed_on(&mut table, 250), "after a leave");
    table.join(newcomer, Join::new()).unwrap();
    table.pass(3_000);
    // Who closes says no heartbeat any more, and its last one counts for nothing.
    let now = Tick(table.now);
    table.seats[newcomer].replica.leave_all(now);
    table.settle();
    assert!(!passed_on(&mut table, 250), "after one that closes");
}

// R6: who comes back to look on, before it was quite gone, is heard of again.
#[test]
fn who_comes_back_while_it_closes_says_so() {
    let mut table = just_told();
    let now = Tick(table.now);
    table.seats[0].replica.leave_all(now);
    table.settle();
    table.pass(200);
    table.clear();
    let now = Tick(table.now);
    table.seats[0].replica.stay(now);
    table.pass(150);
    let frames = table.sent(0, 2);
    assert!(matches!(&frames[..], [Frame::Beat(beat)] if beat.pulse.count == 0), "{frames:?}");
    assert_eq!(table.seats[1].replica.watching, 1);
}

// N4: who comes and goes all the time does not make all of the room say so each time.
#[test]
fn who_comes_and_goes_is_not_told_each_time() {
    let mut table = just_told();
    let began = table.now;
    while table.now < began + 5_000 {
        table.leave(1).unwrap();
        table.pass(50);
        table.join(1, Join::new()).unwrap();
        table.pass(50);
    }
    let told = table.sent(0, 2).len();
    assert!((8..=12).contains(&told), "{told} heartbeats in five seconds");
}

// A7: what waited for its turn alone goes out when somebody who looks on is heard of, though by another's link.
#[test]
fn what_waited_alone_goes_out_for_a_newcomer() {
    let mut table = Table::joined(1);
    table.pass(2_000);
    table.presence(0, json!({ "n": 1 })).unwrap();
    table.pass(10);
    table.presence(0, json!({ "n": 2 })).unwrap();
    table.clear();
    table.pass(50);
    assert!(table.sent(0, 1).is_empty(), "alone it waits for a second");
    let pulse = Pulse { count: 0, records: 0, cells: table.seats[0].replica.cells.hash(), links: 0 };
    let beat = Frame::Beat(Beat { relay: true, seq: Seq(1), rev: Rev(0), pulse });
    table.frame(0, SessionId([88; 32]), SessionId([99; 32]), &beat.encode());
    table.pass(1);
    assert_eq!(table.sent(0, 1).len(), 1);
}

// R4 R8: a later replica of the same session counts on where the earlier one stopped, or others take it for an old one.
#[test]
fn a_room_that_is_opened_again_counts_on() {
    let mut table = Table::joined(2);
    for step in 0..5 {
        table.presence(0, json!({ "n": step })).unwrap();
        table.pass(100);
    }
    table.leave(0).unwrap();
    table.pass(500);
    let (old, now) = (&table.seats[0].replica, Tick(table.now));
    let earlier = old.continuation();
    let (seq, rev) = (old.seq, old.rev);
    let mut again = Replica::new(old.config.clone(), old.verifier.clone(), now, 1_800_000_000_000);
    again.continue_from(earlier);
    assert_eq!(again.continuation(), earlier);
    table.seats[0].replica = again;
    table.clear();
    table.join(0, Join::new().presence(json!({"back": true}))).unwrap();
    let Some(Frame::Full(full)) = table.sent(0, 4).pop() else { panic!("no full") };
    assert!(full.seq > seq && full.rev > rev && full.incarnation == 2, "{full:?}");
    table.frame(1, session(1), session(1), &Frame::Full(full).encode());
    assert_eq!(table.seen(1, 0), Some(json!({"back": true})));
}

// R4: a removal is told twice too, so that one lost frame leaves nothing behind.
#[test]
fn a_lost_removal_is_told_again() {
    let mut table = Table::joined(2);
    table.presence(0, json!({"typing": true})).unwrap();
    table.pass(100);
    table.lose = |_, _, frame| matches!(frame, Frame::Delta(_));
    let unset = vec!["typing".to_owned()];
    table.change(0, PresenceChange { unset, ..PresenceChange::default() }).unwrap();
    table.lose = |_, _, _| false;
    table.pass(40);
    table.presence(0, json!({"n": 1})).unwrap();
    assert_eq!((table.seen(1, 0), table.count(1, "asks")), (Some(json!({"n": 1})), 0));
}

// R4: a heartbeat speaks of what was told, not of what waits for its turn, or everybody would ask for what is coming.
#[test]
fn a_heartbeat_says_nothing_of_what_waits() {
    let mut table = Table::joined(3);
    table.pass(1_000);
    let crowd: Vec<SessionId> = (0..120).map(|number| SessionId([100 + number; 32])).collect();
    for peer in &crowd {
        table.input(0, Input::LinkUp { peer: *peer, loopback: false });
        let pulse = Pulse { count: 0, records: 0, cells: 0, links: 0 };
        let beat = Frame::Beat(Beat { relay: false, seq: Seq(1), rev: Rev(0), pulse });
        table.frame(0, *peer, *peer, &beat.encode());
    }
    table.pass(1_500);
    table.presence(0, json!({"n": 1})).unwrap();
    table.pass(10);
    table.presence(0, json!({"n": 2})).unwrap();
    table.clear();
    // A link that closes hastens the heartbeat, and the change waits for half a second.
    table.close(0, 2, DownCause::Closed);
    table.pass(200);
    assert_eq!((table.sent(0, 1).len(), table.sent(0, 2).len()), (0, 1));
    assert_eq!(table.count(1, "asks"), 0);
    table.pass(500);
    assert_eq!(table.seen(1, 0), Some(json!({"n": 2})));
}

// R4: what an old frame says of its session is over, its heartbeat included.
#[test]
fn the_heartbeat_of_an_old_delta_is_old() {
    let mut table = Table::joined(2);
    let pulse = table.seats[1].replica.peers[&session(1)].pulse.unwrap();
    let beat = Frame::Beat(Beat { relay: false, seq: Seq(500), rev: Rev(1), pulse });
    table.frame(1, session(1), session(1), &beat.encode());
    let before = table.count(1, "asks");
    let old = Pulse { records: 1, links: 1, ..pulse };
    let delta = Frame::Delta(Delta { relay: false, seq: Seq(400), changes: Vec::new(), pulse: Some(old) });
    table.frame(1, session(1), session(1), &delta.encode());
    assert_eq!(table.count(1, "asks"), before);
    assert_eq!(table.seats[1].replica.peers[&session(1)].pulse, Some(pulse));
}

// R5: who is asked and has no member says so, or it would be asked for ever.
#[test]
fn who_has_no_member_answers_with_a_heartbeat() {
    let mut table = Table::of(2);
    table.clear();
    let author = session(2);
    for path in [Path::Direct, Path::Gossip] {
        table.clear();
        table.pass(2_500);
        table.clear();
        let bytes = Frame::Ask(Ask { of: session(1), nonce: 9 }).encode();
        table.input(0, Input::Frame { author, via: author, path, bytes });
        assert_eq!(table.sent(0, 2).len(), 1, "{path:?}");
    }
}

// R4: a whole record drops what it does not name, but not what is newer than it.
#[test]
fn a_whole_record_leaves_what_overtook_it() {
    let mut fields = Fields::default();
    for (key, rev) in [("old", 3), ("new", 7)] {
        fields.set(key, Rev(rev), Some(Raw::of(&json!(rev)).bytes()), None);
    }
    fields.keep_only(&["other".to_owned()], Rev(5));
    assert_eq!(serde_json::Value::Object(fields.bag()), json!({"new": 7}));
}
