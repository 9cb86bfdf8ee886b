//! Hosts, the lock and voids of a private room (design N8).

use serde_json::{Value, json};

use crate::cell::{Cell, CellKey, HLC_MAX};
use crate::fixture::{FakeSigner, Table, session};
use crate::ids::PublicKey;
use crate::input::Input;
use crate::rule::{HOST, VOID};
use crate::view::Event;
use crate::wire::Frame;
use crate::{AccessChange, BoardChange, Error, ErrorCode, MetadataChange, NoteChange};

fn key(at: usize) -> PublicKey {
    FakeSigner::of(&format!("person {at}")).public_key()
}

fn user(at: usize) -> String {
    key(at).user_id().to_string()
}

fn host(at: usize, on: bool) -> AccessChange {
    AccessChange { hosts: [(user(at), on)].into(), ..AccessChange::default() }
}

fn void(at: usize, on: bool) -> AccessChange {
    AccessChange { void: [(user(at), on)].into(), ..AccessChange::default() }
}

fn access(table: &mut Table, at: usize, change: &AccessChange) -> Result<(), ErrorCode> {
    table.call(at, |replica, who, now| replica.change_access(who, change, now).map(drop)).map_err(|error| error.code)
}

fn set(table: &mut Table, at: usize, change: Value) -> Result<(), ErrorCode> {
    table.metadata(at, MetadataChange::new(change)).map(drop).map_err(|error| error.code)
}

fn paint(table: &mut Table, at: usize, color: &str) -> Result<(), Error> {
    let note = NoteChange { id: "plan".to_owned(), color: Some(color.to_owned()), ..NoteChange::default() };
    table.board(at, BoardChange { set: vec![note], remove: Vec::new() }).map(drop)
}

/// What every seat reads of a metadata key, which must be the same.
fn read(table: &Table, key: &str) -> Option<Value> {
    let values: Vec<_> = table.seats.iter().map(|seat| seat.replica.metadata().metadata.get(key).cloned()).collect();
    assert!(values.iter().all(|value| *value == values[0]), "{key}: {values:?}");
    values[0].clone()
}

/// A cell by somebody who keeps to no rule, told by one seat to all.
fn forge(table: &mut Table, by: usize, key: CellKey, hlc: u64, value: Value) {
    let signer = FakeSigner::of(&format!("person {by}"));
    let root = table.seats[0].replica.root;
    let bytes = Frame::Cells(vec![Cell::write(key, hlc, Some(value), &*signer, &root)]).encode();
    for at in 0..table.seats.len() {
        let author = session(if at == by { (by + 1) % table.seats.len() } else { by } as u8 + 1);
        table.frame(at, author, author, &bytes);
    }
}

/// The clock of somebody who writes now.
fn now(table: &Table) -> u64 {
    (1_800_000_000_000 + table.now) << 16
}

#[test]
fn a_locked_room_is_written_by_its_hosts_alone() {
    let mut table = Table::private(3);
    set(&mut table, 1, json!({"title": "open"})).unwrap();
    assert_eq!(set(&mut table, 1, json!({"locked": true})), Err(ErrorCode::Forbidden), "no host");
    set(&mut table, 0, json!({"locked": true})).unwrap();
    assert!(table.seats[2].replica.access().unwrap().locked);
    assert_eq!(set(&mut table, 1, json!({"title": "mine"})), Err(ErrorCode::RoomLocked));
    assert_eq!(paint(&mut table, 1, "red").unwrap_err().code, ErrorCode::RoomLocked);
    // What changes nothing is no write, and what is said is not locked.
    set(&mut table, 1, json!({"title": "open", "locked": true})).unwrap();
    table.say(1, "may I?", None).unwrap();
    set(&mut table, 0, json!({"title": "closed"})).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("closed")));
    set(&mut table, 0, json!({"locked": false})).unwrap();
    set(&mut table, 1, json!({"title": "open again"})).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("open again")));
}

/// Whoever keeps to no rule is read by nobody while the lock is on, and takes nothing away.
#[test]
fn a_forged_write_into_a_locked_room_hides_nothing() {
    let mut table = Table::private(3);
    set(&mut table, 1, json!({"title": "before", "mode": "calm"})).unwrap();
    set(&mut table, 0, json!({"locked": true})).unwrap();
    let later = now(&table) + (1 << 30);
    forge(&mut table, 2, CellKey::metadata("title"), later, json!("vandal"));
    forge(&mut table, 2, CellKey::metadata("locked"), later, json!(false));
    assert_eq!(read(&table, "title"), Some(json!("before")));
    assert_eq!(read(&table, "locked"), Some(json!(true)), "only a host unlocks");
    // One whose clock says that it wrote before the lock is believed: it could have.
    let earlier = now(&table) - (1 << 30);
    forge(&mut table, 2, CellKey::metadata("mode"), earlier, json!("wild"));
    assert_eq!(read(&table, "mode"), Some(json!("calm")), "and it is older than what stands there");
    set(&mut table, 0, json!({"locked": false})).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("vandal")), "kept aside until the lock went");
}

/// Who did not hear of the lock loses nothing of theirs when it goes.
#[test]
fn what_was_written_apart_from_the_lock_waits_for_its_end() {
    let mut table = Table::private(3);
    set(&mut table, 1, json!({"title": "before"})).unwrap();
    table.lose = |from, to, _| from == 2 || to == 2;
    set(&mut table, 0, json!({"locked": true})).unwrap();
    table.pass(1_000);
    set(&mut table, 2, json!({"title": "while apart"})).unwrap();
    table.lose = |_, _, _| false;
    table.pass(20_000);
    assert_eq!(read(&table, "title"), Some(json!("before")));
    set(&mut table, 0, json!({"locked": false})).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("while apart")));
}

/// A lock comes after everything, but no bad clock can make it the last word on whether the room is locked.
#[test]
fn a_lock_comes_after_all_that_was_written() {
    let mut table = Table::private(2);
    let ahead = now(&table) + (1_000 << 16);
    forge(&mut table, 1, CellKey::metadata("mode"), ahead, json!("early"));
    set(&mut table, 0, json!({"locked": true})).unwrap();
    assert_eq!(read(&table, "mode"), Some(json!("early")), "written before, whatever its clock says");
    set(&mut table, 0, json!({"locked": false})).unwrap();
    forge(&mut table, 1, CellKey::metadata("title"), HLC_MAX, json!("for ever"));
    for round in 0..3 {
        set(&mut table, 0, json!({"locked": true})).unwrap();
        assert_eq!(read(&table, "title"), None, "round {round}: it claims to come from after the lock");
        set(&mut table, 0, json!({"locked": false})).unwrap();
    }
}

/// The limit of a lock (see SECURITY.md): whoever says that it wrote just before the lock is believed, and has the last word
/// only until a host has it.
#[test]
fn a_write_from_just_before_the_lock_is_believed_until_a_host_writes() {
    let mut table = Table::private(3);
    set(&mut table, 1, json!({"title": "before"})).unwrap();
    table.pass(1_000);
    set(&mut table, 0, json!({"locked": true})).unwrap();
    let just_before = now(&table) - 1;
    forge(&mut table, 2, CellKey::metadata("title"), just_before, json!("backdated"));
    assert_eq!(read(&table, "title"), Some(json!("backdated")));
    access(&mut table, 0, &void(2, true)).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("before")));
    access(&mut table, 0, &void(2, false)).unwrap();
    set(&mut table, 0, json!({"title": "a host's"})).unwrap();
    forge(&mut table, 2, CellKey::metadata("title"), just_before + 1, json!("again"));
    assert_eq!(read(&table, "title"), Some(json!("a host's")));
}

/// A day either way is nothing. Beyond that a host with a slow clock locks away what the others wrote, for as long as the
/// lock is on; nothing is lost, and without that bound one write could lock the room for ever.
#[test]
fn a_host_whose_clock_is_slow_takes_nothing_away_for_good() {
    let hour = 3_600_000;
    for (behind, shown) in [(23 * hour, true), (3 * 24 * hour, false)] {
        let mut table = Table::private(2);
        set(&mut table, 1, json!({"title": "theirs"})).unwrap();
        table.input(0, Input::Wall { unix_ms: 1_800_000_000_000 - behind });
        set(&mut table, 0, json!({"locked": true})).unwrap();
        assert_eq!(read(&table, "title"), shown.then(|| json!("theirs")), "{behind} ms behind");
        set(&mut table, 0, json!({"locked": false})).unwrap();
        assert_eq!(read(&table, "title"), Some(json!("theirs")));
    }
}

#[test]
fn only_the_creator_names_hosts_and_a_host_that_was_decides_nothing() {
    let mut table = Table::private(3);
    assert_eq!(access(&mut table, 1, &host(1, true)), Err(ErrorCode::Forbidden));
    assert_eq!(access(&mut table, 0, &host(0, false)), Err(ErrorCode::Forbidden), "not the creator");
    let nobody = AccessChange { hosts: [("u_nobody".to_owned(), true)].into(), ..AccessChange::default() };
    assert_eq!(access(&mut table, 0, &nobody), Err(ErrorCode::NotFound));
    access(&mut table, 0, &host(1, true)).unwrap();
    let people = table.seats[2].replica.access().unwrap().people.clone();
    let hosts: Vec<&str> = people.iter().filter(|person| person.host).map(|person| &*person.name).collect();
    assert_eq!((people.len(), hosts.len()), (3, 2), "{hosts:?}");
    assert_eq!(access(&mut table, 1, &host(2, true)), Err(ErrorCode::Forbidden), "a host names no hosts");
    set(&mut table, 1, json!({"locked": true})).unwrap();
    assert_eq!(read(&table, "locked"), Some(json!(true)));
    access(&mut table, 0, &host(1, false)).unwrap();
    assert_eq!(read(&table, "locked"), None, "the lock went with its host");
    assert_eq!(set(&mut table, 1, json!({"locked": true})), Err(ErrorCode::Forbidden));
    access(&mut table, 0, &host(1, true)).unwrap();
    assert_eq!(read(&table, "locked"), Some(json!(true)), "and came back with it");
}

#[test]
fn nobody_names_hosts_over_the_creator_s_head() {
    let mut table = Table::private(3);
    let later = now(&table);
    forge(&mut table, 2, CellKey::access(HOST, &key(2)), later, json!(true));
    forge(&mut table, 2, CellKey::access(VOID, &key(1)), later, json!(true));
    forge(&mut table, 0, CellKey::access(VOID, &key(0)), later, json!(true));
    let access = table.seats[1].replica.access().unwrap();
    assert!(access.people.iter().all(|person| !person.voided && person.host == (person.name == "person 0")));
    assert_eq!((table.count(1, "cell_not_creator"), table.count(1, "cell_of_creator")), (1, 1));
}

#[test]
fn what_a_voided_person_wrote_counts_where_nobody_else_wrote() {
    let mut table = Table::private(3);
    set(&mut table, 1, json!({"title": "before"})).unwrap();
    set(&mut table, 2, json!({"title": "after", "mode": "theirs alone"})).unwrap();
    assert_eq!(access(&mut table, 1, &void(2, true)), Err(ErrorCode::Forbidden), "no host");
    access(&mut table, 0, &void(2, true)).unwrap();
    assert_eq!((read(&table, "title"), read(&table, "mode")), (Some(json!("before")), Some(json!("theirs alone"))));
    set(&mut table, 2, json!({"title": "again"})).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("before")), "nor does what they write from now on");
    access(&mut table, 0, &void(2, false)).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("again")));
    assert_eq!(access(&mut table, 0, &void(0, true)), Err(ErrorCode::Forbidden), "not the creator");
}

/// A register that somebody froze with the last stamp there is can be written again once they are void.
#[test]
fn a_void_thaws_what_was_frozen() {
    let mut table = Table::private(2);
    forge(&mut table, 1, CellKey::metadata("title"), HLC_MAX, json!("for ever"));
    assert_eq!(set(&mut table, 0, json!({"title": "mine"})), Err(ErrorCode::CellFrozen));
    set(&mut table, 0, json!({"mode": "a"})).unwrap();
    access(&mut table, 0, &void(1, true)).unwrap();
    assert_eq!(set(&mut table, 0, json!({"title": "mine"})), Err(ErrorCode::CellFrozen), "it is all there is");
    // The lock takes it out of sight, and then there is place.
    set(&mut table, 0, json!({"locked": true})).unwrap();
    set(&mut table, 0, json!({"title": "mine"})).unwrap();
    set(&mut table, 0, json!({"locked": false})).unwrap();
    assert_eq!(read(&table, "title"), Some(json!("mine")));
}

/// Everybody is told once of each change, and hears of nothing that is none.
#[test]
fn everybody_is_told_who_may_do_what() {
    let mut table = Table::private(2);
    access(&mut table, 0, &host(1, true)).unwrap();
    access(&mut table, 0, &host(1, true)).unwrap();
    set(&mut table, 1, json!({"locked": true})).unwrap();
    table.pass(10_000);
    for seat in &table.seats {
        let told = seat.events.iter().filter(|event| matches!(event, Event::Access { .. })).count();
        assert_eq!(told, 2);
        assert_eq!(seat.replica.snapshot().access, seat.replica.access());
    }
}

#[test]
fn an_open_room_has_no_hosts() {
    let mut table = Table::joined(2);
    assert_eq!(table.seats[0].replica.access(), None);
    assert_eq!(access(&mut table, 0, &host(1, true)), Err(ErrorCode::Forbidden));
    set(&mut table, 1, json!({"locked": true})).unwrap();
    set(&mut table, 0, json!({"title": "a courtesy"})).unwrap();
    forge(&mut table, 0, CellKey::roster(&key(0)), 1, json!("somebody"));
    assert_eq!(table.count(1, "cell_kind"), 1);
}
