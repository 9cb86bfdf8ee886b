//! Keeping, loading and forgetting, and what lies on the disk meanwhile.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::super::cells::PAGE;
use super::super::{FILE, schema};
use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_written_is_loaded_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    assert!(cells(&store, root(1)).is_empty());
    put(&store, root(1), &[(b"b", Some(b"two")), (b"a", Some(b"one")), (b"", Some(b""))]).unwrap();
    put(&store, root(2), &[(b"a", Some(b"another room's"))]).unwrap();
    put(&store, root(1), &[(b"b", Some(b"two again")), (b"never", None)]).unwrap();
    assert_eq!(cells(&store, root(1)), [b"".as_slice(), b"one", b"two again"]);
    drop(store);
    let store = opened(dir.path());
    assert_eq!(cells(&store, root(1)), [b"".as_slice(), b"one", b"two again"]);
    put(&store, root(1), &[(b"a", None)]).unwrap();
    assert_eq!(cells(&store, root(1)), [b"".as_slice(), b"two again"]);
    assert_eq!(cells(&store, root(2)), [b"another room's"]);
    assert_eq!(store.begun(), 0);
}

#[test]
fn a_room_that_is_written_whole_has_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    for n in [0, 7, 255] {
        put(&store, root(n), &[(b"a", Some(b"old")), (b"b", Some(b"old"))]).unwrap();
    }
    let new = [kept(b"b", Some(b"new")), kept(b"c", Some(b"new"))];
    let none = Changes { root: root(255), cells: &[], whole: true };
    store.write(&[Changes { root: root(7), cells: &new, whole: true }, none]).unwrap();
    assert_eq!(cells(&store, root(0)), [b"old", b"old"]);
    assert_eq!(cells(&store, root(7)), [b"new", b"new"]);
    assert!(cells(&store, root(255)).is_empty());
}

#[test]
fn forgetting_takes_one_room_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    // Roots that are neighbours, at the end of all keys too.
    let mut near = root(7);
    near[31] = 8;
    let roots = [root(0), root(7), near, root(255)];
    for root in roots {
        put(&store, root, &[(b"", Some(b"1")), (&[255; 40], Some(b"2"))]).unwrap();
    }
    for (at, forgotten) in roots.iter().enumerate() {
        assert!(forget(&store, forgotten).unwrap() && !forget(&store, forgotten).unwrap());
        for (other, root) in roots.iter().enumerate() {
            assert_eq!(cells(&store, *root).len(), if other > at { 2 } else { 0 });
        }
    }
}

#[test]
fn a_big_room_comes_in_pages_and_keeps_no_writer_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let store = hurried(dir.path());
    let big = vec![5; 3_000];
    let all: Vec<_> =
        (0..700_u32).map(|n| kept(&n.to_be_bytes(), Some(&[&n.to_be_bytes(), &big[..]].concat()))).collect();
    store.write(&[Changes { root: root(1), cells: &all, whole: false }]).unwrap();
    let (mut loaded, mut pages) = (Vec::new(), 0);
    store
        .load(&root(1), |page| {
            assert!(page.iter().map(Vec::len).sum::<usize>() <= PAGE + big.len() + 4);
            // Whoever loads may write, and reads on as it was.
            put(&store, root(1), &[(b"zzzz", Some(b"later"))]).unwrap();
            forget(&store, &root(1)).unwrap();
            loaded.extend(page);
            pages += 1;
        })
        .unwrap();
    assert!(pages >= 700 * 3_000 / PAGE, "{pages}");
    assert!(loaded.iter().eq(all.iter().map(|kept| kept.cell.as_ref().unwrap())));
    assert!(cells(&store, root(1)).is_empty());
}

/// Design R15: what is in a room is for those who are in it.
#[test]
fn the_file_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    drop(opened(dir.path()));
    assert_eq!(mode(&file), 0o600);
    assert_eq!(names(dir.path()), [FILE.to_owned()].into(), "nothing is left beside it");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(opened(dir.path()));
    assert_eq!(mode(&file), 0o600);
    std::fs::write(&file, "damaged").unwrap();
    drop(opened_with(dir.path()));
    assert_eq!([mode(&file), mode(&dir.path().join("rooms.redb.damaged-1"))], [0o600; 2]);
}

#[test]
fn writing_the_same_again_and_again_makes_no_bigger_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = hurried(dir.path());
    let len = || std::fs::metadata(dir.path().join(FILE)).unwrap().len();
    let mut after_some = 0;
    for round in 0..500_u32 {
        let cell = vec![round as u8; 200];
        let all: Vec<_> = (0..100_u32).map(|n| kept(&n.to_be_bytes(), Some(&cell))).collect();
        store.write(&[Changes { root: root(1), cells: &all, whole: round % 50 == 0 }]).unwrap();
        if round == 20 {
            after_some = len();
        }
    }
    assert!(len() <= after_some * 2, "{} bytes after 50,000 cells, {after_some} after 2,000", len());
}

#[test]
fn what_was_forgotten_goes_back_to_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = hurried(dir.path());
    let len = || std::fs::metadata(dir.path().join(FILE)).unwrap().len();
    let cell = vec![7; 4_000];
    for n in 1..=4 {
        let all: Vec<_> = (0..1_000_u32).map(|slot| kept(&slot.to_be_bytes(), Some(&cell))).collect();
        store.write(&[Changes { root: root(n), cells: &all, whole: false }]).unwrap();
    }
    let full = len();
    for n in 1..=3 {
        forget(&store, &root(n)).unwrap();
    }
    assert!(len() < full / 2, "{} bytes after forgetting most of {full}", len());
    assert_eq!(cells(&store, root(4)).len(), 1_000);
    drop(store);
    assert_eq!(cells(&opened(dir.path()), root(4)).len(), 1_000);
}

#[test]
fn a_file_of_a_newer_parlor_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    let store = opened(dir.path());
    put(&store, root(1), &[(b"a", Some(b"one"))]).unwrap();
    store.run(|database| schema::pretend(database, 7)).unwrap();
    drop(store);
    let before = std::fs::read(&file).unwrap();
    let refused = |expected: &str| {
        let error = Store::open(dir.path(), Arc::default()).unwrap_err();
        assert!(matches!(error, StoreError::Newer { known: schema::VERSION, .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(names(dir.path()), [FILE.to_owned()].into());
    };
    refused("of version 7 and this Parlor reads up to version 1");
    assert!(std::fs::read(&file).unwrap() == before);
    // Also when a database of another kind is in it.
    let mut other = before.clone();
    (other[64], other[192]) = (4, 4);
    std::fs::write(&file, &other).unwrap();
    refused("newer Parlor");
    assert!(std::fs::read(&file).unwrap() == other);
    // And when nobody closed it.
    std::fs::write(&file, &before).unwrap();
    let store = {
        let database = redb::Database::open(&file).unwrap();
        schema::pretend(&database, 1).unwrap();
        drop(database);
        opened(dir.path())
    };
    store.run(|database| schema::pretend(database, 8)).unwrap();
    store.abandon();
    refused("of version 8");
    drop(store);
    let database = redb::Database::open(&file).unwrap();
    schema::pretend(&database, 1).unwrap();
    drop(database);
    assert_eq!(cells(&opened(dir.path()), root(1)), [b"one"], "nothing was lost");
}

#[test]
fn an_older_file_becomes_one_of_today() {
    let dir = tempfile::tempdir().unwrap();
    // Version 0 is a database with nothing in it.
    drop(redb::Database::create(dir.path().join(FILE)).unwrap());
    let store = opened(dir.path());
    assert_eq!(store.run(schema::version).unwrap(), schema::VERSION);
    put(&store, root(1), &[(b"a", Some(b"one"))]).unwrap();
    assert_eq!(cells(&store, root(1)), [b"one"]);
}

#[test]
fn a_closed_store_says_so_and_is_free_for_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    assert!(matches!(Store::open(dir.path(), Arc::default()), Err(StoreError::Busy(_))));
    store.close();
    let error = put(&store, root(1), &[(b"a", Some(b"one"))]).unwrap_err();
    assert_eq!(parlor_core::Error::from(error).code, parlor_core::ErrorCode::NetworkUnavailable);
    assert!(matches!(store.load(&root(1), |_| {}), Err(StoreError::Closed)));
    opened(dir.path());
}

/// What the process has in memory when it is killed stays there.
#[test]
fn an_abandoned_store_writes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    put(&store, root(1), &[(b"a", Some(b"one"))]).unwrap();
    let before = std::fs::read(dir.path().join(FILE)).unwrap();
    store.abandon();
    drop(store);
    assert!(std::fs::read(dir.path().join(FILE)).unwrap() == before);
    assert_eq!(cells(&opened(dir.path()), root(1)), [b"one"]);
}
