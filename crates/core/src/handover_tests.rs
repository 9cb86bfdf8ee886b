//! Changed keys of a private room (design N8).

use serde_json::json;

use crate::cell::{Cell, CellKey, CellKind};
use crate::fixture::{FakeSigner, Table, session};
use crate::ids::PublicKey;
use crate::input::{DownCause, Input};
use crate::limits::PAGE_MAX;
use crate::rule;
use crate::view::LeftReason;
use crate::wire::Frame;
use crate::{AccessChange, Error, ErrorCode, Event, Join, MetadataChange, NewKey};

fn key(at: usize) -> PublicKey {
    FakeSigner::of(&format!("person {at}")).public_key()
}

/// A key by seat `at` for these seats; its parts are their numbers.
fn new_key(epoch: u32, by: u8, to: &[usize]) -> NewKey {
    let parts = to.iter().map(|to| (key(*to), vec![by, *to as u8])).collect();
    NewKey { epoch, commitment: [by; 32], share: [epoch as u8; 32], parts }
}

fn change(table: &mut Table, at: usize, epoch: u32, to: &[usize]) -> Result<(), Error> {
    let key = new_key(epoch, at as u8, to);
    table.call(at, |replica, who, now| replica.change_key(who, key, now))
}

fn make_host(table: &mut Table, at: usize) {
    let hosts = [(key(at).user_id().to_string(), true)].into();
    let change = AccessChange { hosts, ..AccessChange::default() };
    table.call(0, |replica, who, now| replica.change_access(who, &change, now)).unwrap();
}

fn cells_of(frame: &[u8]) -> Vec<Cell> {
    match Frame::decode(frame, PAGE_MAX) {
        Ok(Frame::Cells(cells)) => cells,
        other => panic!("{other:?}"),
    }
}

#[test]
fn whoever_gets_no_part_of_a_key_is_out_and_everybody_sees_it() {
    let mut table = Table::private(4);
    assert_eq!(change(&mut table, 1, 1, &[0, 1]).unwrap_err().code, ErrorCode::Forbidden, "no host");
    let mut staying = table.seats[0].replica.staying(&[key(2).user_id().to_string()]);
    staying.sort_unstable();
    let mut all = vec![key(0), key(1), key(3)];
    all.sort_unstable();
    assert_eq!(staying, all);
    change(&mut table, 0, 1, &[0, 1, 3]).unwrap();
    for at in [0, 1, 3] {
        let handover = table.seats[at].replica.handover(&key(at)).unwrap();
        assert_eq!((handover.epoch, handover.included), (1, true));
        assert_eq!(handover.part, Some(vec![0, at as u8]), "at {at}");
        assert_eq!(table.rows(at).len(), 3);
        assert!(table.told(at).contains(&"left person 2 Excluded".to_owned()), "{:?}", table.told(at));
        let access = table.seats[at].replica.access().unwrap();
        let out = access.people.iter().filter(|person| !person.inside).map(|person| &*person.name);
        assert_eq!((access.epoch, out.collect::<Vec<_>>()), (1, vec!["person 2"]));
        assert_eq!(access.rekeyed_by, Some(key(0).user_id()));
    }
    let out = table.seats[2].replica.handover(&key(2)).unwrap();
    assert!(!out.included && out.part.is_none());
    let own = table.seats[2]
        .events
        .iter()
        .filter(|event| matches!(event, Event::Left { member, reason: LeftReason::Excluded } if member.own));
    assert_eq!(own.count(), 1, "it leaves by itself");
    let said = table.log.iter().filter(|(at, ..)| *at == 2).map(|(.., bytes)| Frame::decode(bytes, PAGE_MAX));
    assert_eq!(said.filter(|frame| matches!(frame, Ok(Frame::Leave(_)))).count(), 0, "and says no goodbye");
    // Its old frames bring nobody back.
    let old: Vec<Vec<u8>> = table.log.iter().filter(|(at, ..)| *at == 2).map(|(.., bytes)| bytes.clone()).collect();
    for bytes in old {
        table.frame(0, session(3), session(3), &bytes);
    }
    assert_eq!(table.rows(0).len(), 3);
}

/// Whoever is away gets their part when they come back, also from somebody else than the host.
#[test]
fn a_part_waits_for_whoever_is_away() {
    let mut table = Table::private(3);
    table.lose = |from, to, _| from == 2 || to == 2;
    change(&mut table, 0, 1, &[0, 1, 2]).unwrap();
    assert_eq!(table.seats[2].replica.handover(&key(2)), None);
    let porch = table.seats[1].replica.porch();
    assert!(!porch.is_empty() && porch.iter().all(|frame| frame.len() <= PAGE_MAX));
    let now = table.tick();
    for frame in &porch {
        assert!(table.seats[2].replica.hear_at_porch(frame, now));
        assert!(!table.seats[2].replica.hear_at_porch(frame, now), "nothing new");
    }
    assert_eq!(table.seats[2].replica.handover(&key(2)).unwrap().part, Some(vec![0, 2]));
}

/// Cells come in any order and in any number of frames: readers hear of a key again when their part of it has come.
#[test]
fn a_part_that_comes_after_its_key_is_told() {
    let mut table = Table::private(3);
    table.lose = |from, to, _| from == 2 || to == 2;
    change(&mut table, 0, 1, &[0, 1, 2]).unwrap();
    let mut cells: Vec<Cell> = table.seats[1].replica.porch().iter().flat_map(|frame| cells_of(frame)).collect();
    cells.sort_by_key(|cell| cell.key.field != "key");
    let own = cells.iter().position(|cell| cell.key.field == rule::field_of(&key(2))).unwrap();
    let mut told = Vec::new();
    for (at, cell) in cells.into_iter().enumerate() {
        let before = table.told(2).len();
        let now = table.tick();
        assert!(table.seats[2].replica.hear_at_porch(&Frame::Cells(vec![cell]).encode(), now));
        table.settle();
        if table.told(2)[before..].iter().any(|told| told.starts_with("access key 1 ")) {
            told.push((at, table.seats[2].replica.handover(&key(2)).unwrap().part.is_some()));
        }
    }
    assert_eq!(told, [(0, false), (own, true)]);
}

/// When everybody left, whoever comes first still knows the hosts, the key and who may have it.
#[test]
fn what_stands_outlives_everybody() {
    let mut table = Table::private(3);
    make_host(&mut table, 1);
    change(&mut table, 0, 1, &[0, 1]).unwrap();
    table.metadata(0, MetadataChange::new(json!({"title": "gone with us"}))).unwrap();
    let kept = table.seats[1].replica.standing();
    let mut later = Table::private(1);
    let now = later.tick();
    later.seats[0].replica.restore(&kept, now);
    let (before, after) = (table.seats[1].replica.access().unwrap(), later.seats[0].replica.access().unwrap());
    assert_eq!(before, after);
    assert_eq!(later.seats[0].replica.handover(&key(1)).unwrap().part, Some(vec![0, 1]));
    assert!(later.seats[0].replica.metadata().metadata.is_empty());
    later.seats[0].replica.restore(&[vec![1, 2, 3], Vec::new()], now);
}

/// In front of the room nothing is said but who is a host and what the key is.
#[test]
fn nothing_else_is_told_or_heard_in_front_of_the_room() {
    let mut table = Table::private(2);
    table.metadata(0, MetadataChange::new(json!({"title": "inside"}))).unwrap();
    change(&mut table, 0, 1, &[0, 1]).unwrap();
    let cells = table.seats[0].replica.porch().iter().flat_map(|frame| cells_of(frame)).collect::<Vec<_>>();
    let kinds: Vec<CellKind> = cells.iter().map(|cell| cell.key.kind).collect();
    assert_eq!(kinds.len(), 3, "a head and two parts");
    assert!(kinds.iter().all(|kind| *kind == CellKind::Key));
    let root = table.seats[0].replica.root;
    let cell = Cell::write(
        CellKey::metadata("title"),
        u64::MAX >> 6,
        Some(json!("outside")),
        &*FakeSigner::of("person 1"),
        &root,
    );
    let now = table.tick();
    assert!(!table.seats[0].replica.hear_at_porch(&Frame::Cells(vec![cell]).encode(), now));
    assert!(!table.seats[0].replica.hear_at_porch(&[1, 2, 3], now));
    assert_eq!(table.count(0, "porch_refused"), 2);
    assert_eq!(table.seats[0].replica.metadata().metadata["title"], "inside");
}

/// Two hosts at once: everybody comes to the same key, and finds the part of that one.
#[test]
fn of_two_keys_at_once_the_later_is_in_force() {
    let mut table = Table::private(4);
    make_host(&mut table, 1);
    table.lose = |from, to, _| from % 2 != to % 2;
    change(&mut table, 0, 1, &[0, 1, 2, 3]).unwrap();
    table.pass(50);
    change(&mut table, 1, 1, &[0, 1, 3]).unwrap();
    table.lose = |_, _, _| false;
    table.pass(20_000);
    for at in [0, 1, 3] {
        let handover = table.seats[at].replica.handover(&key(at)).unwrap();
        assert_eq!((handover.commitment, handover.part), ([1; 32], Some(vec![1, at as u8])), "at {at}");
    }
    assert!(!table.seats[2].replica.handover(&key(2)).unwrap().included);
    assert_eq!(change(&mut table, 0, 1, &[0]).unwrap_err().code, ErrorCode::InvalidTicket, "that number is taken");
}

/// Who comes in with a later ticket is no recipient, and is in; so is somebody who was put out and was invited again.
#[test]
fn who_has_the_key_in_force_stays_whoever_it_was_for() {
    let mut table = Table::private(3);
    change(&mut table, 0, 1, &[0, 1]).unwrap();
    assert_eq!(table.rows(0).len(), 2);
    for seat in &mut table.seats {
        seat.replica.use_key(1, [0; 32]);
    }
    table.clear();
    table.join(2, Join::new()).unwrap();
    table.pass(5_000);
    for at in 0..3 {
        assert_eq!(table.rows(at).len(), 3, "at {at}: {:?}", table.told(at));
        let access = table.seats[at].replica.access().unwrap();
        assert!(access.people.iter().all(|person| person.inside), "at {at}: {:?}", access.people);
    }
    let mut staying = table.seats[0].replica.staying(&[]);
    staying.sort_unstable();
    let mut all = vec![key(0), key(1), key(2)];
    all.sort_unstable();
    assert_eq!(staying, all);
}

#[test]
fn a_key_of_somebody_who_is_no_host_is_none() {
    let mut table = Table::private(3);
    let root = table.seats[0].replica.root;
    let signer = FakeSigner::of("person 2");
    let head = json!({"commitment": "", "share": "", "to": ""});
    let head_key = CellKey { kind: CellKind::Key, object: "epoch 1".to_owned(), field: "key".to_owned() };
    let of_another =
        CellKey { kind: CellKind::Key, object: super::part_object(1, &key(0)), field: rule::field_of(&key(1)) };
    for name in [head_key, of_another] {
        let cell = Cell::write(name, 1 << 50, Some(head.clone()), &*signer, &root);
        table.frame(1, session(3), session(3), &Frame::Cells(vec![cell]).encode());
    }
    assert_eq!(table.seats[1].replica.handover(&key(1)), None);
    assert_eq!(table.count(1, "cell_value"), 1, "nobody writes a part in another's name");
    change(&mut table, 0, 1, &[0, 1, 2]).unwrap();
    assert_eq!(table.seats[1].replica.handover(&key(1)).unwrap().part, Some(vec![0, 1]));
}

/// Somebody whose replica is new learns of the key after it was let in with it: nobody is put out by that.
#[test]
fn a_newcomer_is_not_put_out_by_the_key_it_came_with() {
    let mut table = Table::private(2);
    change(&mut table, 0, 1, &[0, 1]).unwrap();
    table.seats.iter_mut().for_each(|seat| seat.replica.use_key(1, [0; 32]));
    table.clear();
    let at = table.newcomer(1, [0; 32]);
    table.pass(5_000);
    assert_eq!(table.seats[at].replica.access().unwrap().epoch, 1);
    for at in 0..3 {
        assert_eq!(table.rows(at).len(), 3, "at {at}: {:?}", table.told(at));
        assert!(!table.told(at).iter().any(|event| event.contains("Excluded")), "{:?}", table.told(at));
    }
}

/// Who was put out and is invited again counts as being in, also where nothing is known of the key when they come in.
#[test]
fn who_is_invited_again_is_in() {
    let mut table = Table::private(3);
    let kept = table.seats[2].replica.standing();
    change(&mut table, 0, 1, &[0, 1]).unwrap();
    table.seats.iter_mut().for_each(|seat| seat.replica.use_key(1, [0; 32]));
    table.seats.truncate(2);
    for at in 0..2 {
        let gone = session(3);
        table.input(at, Input::LinkDown { peer: gone, cause: DownCause::Closed });
    }
    table.pass(20_000);
    // The same person, whose profile kept what stood before they were put out.
    let at = table.newcomer_with(1, [0; 32], &kept);
    table.pass(5_000);
    for seat in 0..=at {
        let access = table.seats[seat].replica.access().unwrap();
        assert!(access.people.iter().all(|person| person.inside), "at {seat}: {:?}", access.people);
    }
}

/// The next key is for whoever is away, and not for whoever was put out.
#[test]
fn who_is_away_stays_and_who_is_out_does_not() {
    let mut table = Table::private(4);
    for at in [2, 3] {
        table.leave(at).unwrap();
        for other in 0..2 {
            table.close(other, at, DownCause::Closed);
        }
    }
    table.pass(20_000);
    assert_eq!(table.rows(0).len(), 2);
    let staying = |table: &Table| {
        let mut staying = table.seats[0].replica.staying(&[]);
        staying.sort_unstable();
        staying
    };
    let sorted = |mut keys: Vec<PublicKey>| {
        keys.sort_unstable();
        keys
    };
    assert_eq!(staying(&table), sorted(vec![key(0), key(1), key(2), key(3)]));
    change(&mut table, 0, 1, &[0, 1, 3]).unwrap();
    assert_eq!(staying(&table), sorted(vec![key(0), key(1), key(3)]));
}

/// A guest has no key of the room: the one who hosts it has.
#[test]
fn a_guest_is_put_out_with_who_hosts_it() {
    let mut table = Table::private(2);
    let guest = table.seats[1].guest.clone();
    let join = Join::new().member_id(crate::fixture::member("visitor"));
    let joined = table.call(1, |replica, _, now| replica.join(&guest, join, crate::Lease::Own, now));
    joined.unwrap();
    let say = MetadataChange::new(json!({"topic": "I was here"}));
    table.call(1, |replica, _, now| replica.set_metadata(&guest, say, now)).unwrap();
    let exclude = vec![guest.actor.user_id.to_string()];
    let change = AccessChange { exclude, ..AccessChange::default() };
    let refused = table.call(0, |replica, who, now| replica.change_access(who, &change, now)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    let void = [(guest.actor.user_id.to_string(), true)].into();
    let change = AccessChange { void, ..AccessChange::default() };
    table.call(0, |replica, who, now| replica.change_access(who, &change, now)).expect("but what it wrote is void");
}

/// Nothing that a host could put there by a changed program ends anybody.
#[test]
fn no_head_of_a_key_is_too_strange() {
    let mut table = Table::private(2);
    let root = table.seats[0].replica.root;
    let signer = FakeSigner::of("person 0");
    let head = |object: &str| CellKey { kind: CellKind::Key, object: object.to_owned(), field: "key".to_owned() };
    let values = [json!(null), json!("x"), json!({}), json!({"commitment": "?", "share": "AA==", "to": "AAAA"})];
    let objects =
        ["epoch 4294967295", "epoch 0", "epoch 01", "epoch -1", "epoch 99999999999", "epoch", "", "epoch 1 x"];
    for (turn, object) in objects.into_iter().enumerate() {
        for value in &values {
            let hlc = (1_900_000_000_000 + turn as u64) << 16;
            let cell = Cell::write(head(object), hlc, Some(value.clone()), &*signer, &root);
            table.frame(1, session(1), session(1), &Frame::Cells(vec![cell]).encode());
        }
    }
    assert_eq!(table.seats[1].replica.handover(&key(1)), None);
    assert!(table.count(1, "cell_value") + table.count(1, "cell_key") > 0);
    change(&mut table, 0, 1, &[0, 1]).unwrap();
    assert_eq!(table.seats[1].replica.handover(&key(1)).unwrap().epoch, 1);
}

/// A full key fits, and five of them leave the newest whole.
#[test]
fn a_key_for_a_full_room_is_whole() {
    let mut table = Table::private(1);
    for epoch in 1..=5 {
        let parts = (0..256).map(|at| (key(at), vec![9; 64])).collect();
        let key = NewKey { epoch, commitment: [epoch as u8; 32], share: [0; 32], parts };
        table.call(0, |replica, who, now| replica.change_key(who, key, now)).unwrap();
    }
    let over = NewKey { epoch: 6, commitment: [0; 32], share: [0; 32], parts: vec![(key(0), Vec::new()); 257] };
    let error = table.call(0, |replica, who, now| replica.change_key(who, over, now)).unwrap_err();
    assert_eq!(error.code, ErrorCode::PayloadTooLarge);
    for at in [0, 100, 255] {
        assert!(table.seats[0].replica.handover(&key(at)).unwrap().part.is_some(), "at {at}");
    }
    let porch = table.seats[0].replica.porch();
    assert!(porch.len() > 1, "one frame cannot hold it");
    table.input(0, Input::Timeout);
}
