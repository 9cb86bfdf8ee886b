//! Files that something else wrote into: the profile opens, and nothing is read that was never written.

use std::path::PathBuf;

use parlor_core::{RoomId, Timestamp};
use redb::ReadableTable as _;

use super::super::FILE;
use super::*;

/// Puts something in the place of a store.
type Make = fn(&Path);

/// Every cell that was ever written, by its slot.
type Written = BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>;

/// A file with rooms in it, rewritten a few times.
fn a_file(seed: u64, closed: bool) -> (Vec<u8>, Written) {
    let dir = tempfile::tempdir().unwrap();
    let store = hurried(dir.path());
    let (mut random, mut written) = (fastrand::Rng::with_seed(seed), Written::new());
    for _ in 0..12 {
        let cells: Vec<_> = (0..random.usize(1..80))
            .map(|_| {
                let slot = random.u16(0..300).to_be_bytes();
                let cell = [&slot[..], &vec![random.u8(..); random.usize(0..400)]].concat();
                written.entry(slot.to_vec()).or_default().insert(cell.clone());
                kept(&slot, (random.u8(..) > 20).then_some(&cell))
            })
            .collect();
        let whole = random.u8(..) < 20;
        store.write(&[Changes { root: root(random.u8(1..4)), cells: &cells, whole }]).unwrap();
    }
    if closed {
        store.close();
    }
    (std::fs::read(dir.path().join(FILE)).unwrap(), written)
}

/// Opens what is there, holds what it gives against what was written, and uses it.
fn judge(dir: &Path, written: &Written, what: &str) -> (bool, usize) {
    let (store, notices) = hurried_with(dir);
    let mut given = 0;
    for n in 1..4 {
        // A fault that shows only now is an error, and the file is judged anew by the next call.
        let _ = store.load(&root(n), |page| {
            for cell in page {
                let slot = cell.get(..2).unwrap_or_else(|| panic!("{what}: {cell:?} was never written"));
                let known = written.get(slot).is_some_and(|known| known.contains(&cell));
                assert!(known, "{what}: {cell:?} was never written");
                given += 1;
            }
        });
    }
    let aside = names(dir).contains("rooms.redb.damaged-1");
    let said = notices.all().iter().any(|notice| notice.starts_with("rooms.redb was damaged and is kept as"));
    assert_eq!(aside, said, "{what}: {:?}", notices.all());
    // Whatever it is now, it is good for what comes.
    let mut done = put(&store, root(9), &[(b"a", Some(b"one"))]);
    if done.is_err() {
        done = put(&store, root(9), &[(b"a", Some(b"one"))]);
    }
    done.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(cells(&store, root(9)), [b"one"], "{what}");
    drop(store);
    assert_eq!(cells(&hurried(dir), root(9)), [b"one"], "{what}: after the next start");
    (aside, given)
}

/// Damages it in one of the ways that disks, backups and people have.
fn damage(file: &mut Vec<u8>, random: &mut fastrand::Rng) -> String {
    let len = file.len();
    let at = random.usize(0..len);
    match random.u8(0..8) {
        0 => {
            file.truncate(at);
            format!("cut at {at}")
        }
        1 => {
            let end = (at + random.usize(1..20_000)).min(len);
            file[at..end].fill(0);
            format!("zeros from {at} to {end}")
        }
        2 => {
            let end = (at + random.usize(1..5_000)).min(len);
            file[at..end].fill_with(|| random.u8(..));
            format!("noise from {at} to {end}")
        }
        3 => {
            let head = random.usize(0..320);
            file[head] ^= 1 << random.u8(0..8);
            format!("a bit of the head at {head}")
        }
        4 => {
            let head = random.usize(0..300);
            file[head..320].fill_with(|| random.u8(..));
            format!("noise in the head from {head}")
        }
        5 => {
            let (one, other) = (at / 4096 * 4096, random.usize(0..len) / 4096 * 4096);
            let page = file[one..(one + 4096).min(len)].to_vec();
            let end = (other + page.len()).min(len);
            file[other..end].copy_from_slice(&page[..end - other]);
            format!("the page at {one} also at {other}")
        }
        6 => {
            let more = random.usize(1..50_000);
            file.extend(std::iter::repeat_with(|| random.u8(..)).take(more));
            format!("longer by {}", file.len() - len)
        }
        _ => {
            let some = random.usize(1..30);
            for _ in 0..some {
                file[random.usize(0..len)] ^= 1 << random.u8(0..8);
            }
            format!("{some} bits anywhere")
        }
    }
}

#[test]
fn any_damage_ends_in_what_was_written_or_in_a_new_file() {
    let files: Vec<_> = (0..6).map(|seed| a_file(seed, seed % 2 == 0)).collect();
    let (mut opened, mut saved, mut lost) = (0, 0, 0);
    for seed in 0..360_u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (file, written) = &files[random.usize(0..files.len())];
        let mut file = file.clone();
        let what = damage(&mut file, &mut random);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), &file).unwrap();
        match judge(dir.path(), written, &format!("seed {seed}, {what}")) {
            (true, 0) => lost += 1,
            (true, _) => saved += 1,
            (false, _) => opened += 1,
        }
    }
    println!("{opened} opened, {saved} set aside and read in part, {lost} set aside");
    assert!([opened, saved, lost].iter().all(|some| *some > 20), "{opened} {saved} {lost}: one is hardly tried");
}

#[test]
fn what_is_no_store_is_set_aside() {
    let cases: [(&str, Make); 5] = [
        ("empty", |file| std::fs::write(file, "").unwrap()),
        ("words", |file| std::fs::write(file, "once upon a time").unwrap()),
        ("zeros", |file| std::fs::write(file, vec![0; 2_000_000]).unwrap()),
        ("a directory", |file| std::fs::create_dir_all(file.join("deep")).unwrap()),
        ("another database", |file| {
            let database = redb::Database::create(file).unwrap();
            let transaction = database.begin_write().unwrap();
            let other = redb::TableDefinition::<u64, u64>::new("cells");
            transaction.open_table(other).unwrap().insert(1, 1).unwrap();
            transaction.commit().unwrap();
        }),
    ];
    for (what, make) in cases {
        let dir = tempfile::tempdir().unwrap();
        make(&dir.path().join(FILE));
        assert_eq!(judge(dir.path(), &Written::new(), what), (true, 0), "{what}");
    }
}

#[test]
fn the_second_damaged_file_does_not_replace_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let file: PathBuf = dir.path().join(FILE);
    for said in ["first", "second"] {
        std::fs::write(&file, said).unwrap();
        drop(opened_with(dir.path()));
    }
    assert_eq!(std::fs::read_to_string(dir.path().join("rooms.redb.damaged-1")).unwrap(), "first");
    assert_eq!(std::fs::read_to_string(dir.path().join("rooms.redb.damaged-2")).unwrap(), "second");
}

/// Three rooms of 2,000 cells and one that is known; where in the file the cell 1,234 of the second room is.
fn three_rooms(dir: &Path) -> (Vec<u8>, Vec<usize>) {
    let store = hurried(dir);
    store.opened(&RoomId::new("plans").unwrap(), false, root(1), Timestamp(5)).unwrap();
    let cell = |n: u8, slot: u32| [&[n; 200][..], &slot.to_be_bytes()].concat();
    for n in 1..=3 {
        let all: Vec<_> = (0..2_000_u32).map(|slot| kept(&slot.to_be_bytes(), Some(&cell(n, slot)))).collect();
        store.write(&[Changes { root: root(n), cells: &all, whole: true }]).unwrap();
    }
    store.close();
    let (bytes, hit) = (std::fs::read(dir.join(FILE)).unwrap(), cell(2, 1_234));
    let places = (0..bytes.len() - hit.len()).filter(|at| bytes[*at..].starts_with(&hit)).collect();
    (bytes, places)
}

fn saved(dir: &Path, damaged: &[u8]) -> Store {
    std::fs::write(dir.join(FILE), damaged).unwrap();
    let (store, notices) = opened_with(dir);
    assert_eq!(store.known().iter().map(|known| known.room.as_str()).collect::<Vec<_>>(), ["plans"]);
    assert_eq!(notices.all().len(), 1);
    assert!(notices.all()[0].contains("what could be read of it was saved"), "{:?}", notices.all());
    assert!(std::fs::read(dir.join("rooms.redb.damaged-1")).unwrap() == damaged, "it is kept as it was found");
    store
}

/// One bit of one note, while nobody had the file open.
#[test]
fn a_bit_that_fell_over_costs_one_cell() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bytes, places) = three_rooms(dir.path());
    for at in places {
        bytes[at + 100] ^= 4;
    }
    let store = saved(dir.path(), &bytes);
    assert_eq!([1, 2, 3].map(|n| cells(&store, root(n)).len()), [2_000, 1_999, 2_000]);
    assert!(!cells(&store, root(2)).iter().any(|cell| cell.ends_with(&1_234_u32.to_be_bytes())));
}

/// A whole sector and more.
#[test]
fn a_page_that_is_gone_costs_what_was_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bytes, places) = three_rooms(dir.path());
    for at in places {
        bytes[at / 4096 * 4096..][..4096].fill(0);
    }
    let store = saved(dir.path(), &bytes);
    let [one, two, three] = [1, 2, 3].map(|n| cells(&store, root(n)).len());
    assert_eq!((one, three), (2_000, 2_000), "what is before it and what is behind it");
    assert!((1_960..2_000).contains(&two), "{two}");
}

/// The file is overwritten while it is open: the call that meets the damage fails, the next one has a new file, and who
/// was told so writes everything again.
#[test]
fn damage_while_it_is_in_use_costs_one_call() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    let store = opened(dir.path());
    store.opened(&RoomId::new("plans").unwrap(), false, root(1), Timestamp(5)).unwrap();
    let cell = vec![7; 3_000];
    // More than the cache holds, so that something has to be read again.
    let all: Vec<_> = (0..4_000_u32).map(|n| kept(&n.to_be_bytes(), Some(&cell))).collect();
    store.write(&[Changes { root: root(1), cells: &all, whole: true }]).unwrap();
    std::fs::write(&file, vec![9; std::fs::metadata(&file).unwrap().len() as usize]).unwrap();

    let failed = (0..20_u8).find_map(|n| {
        let written = put(&store, root(2), &[(&[n], Some(b"one"))]);
        written.and_then(|()| store.load(&root(1), |_| {})).err()
    });
    let failed = parlor_core::Error::from(failed.expect("nothing of it was read again"));
    assert_eq!(failed.code, parlor_core::ErrorCode::StorageFailed);
    assert!(failed.message.contains("is damaged"), "{}", failed.message);
    put(&store, root(2), &[(b"a", Some(b"one"))]).unwrap();
    assert_eq!(store.begun(), 1);
    assert_eq!(store.notices.all().len(), 1);
    store.write(&[Changes { root: root(1), cells: &all, whole: true }]).unwrap();
    drop(store);
    let store = opened(dir.path());
    assert_eq!((cells(&store, root(1)).len(), cells(&store, root(2)).len()), (4_000, 1));
    assert_eq!(store.known().len(), 1, "the list was in memory");
}

/// A cell that is not what was written is left out by its own check, when that of the database says nothing.
#[test]
fn a_cell_that_was_changed_is_left_out_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path());
    put(&store, root(1), &[(b"a", Some(b"one")), (b"b", Some(b"two")), (b"c", Some(b"three"))]).unwrap();
    let key = [&root(1)[..], b"b"].concat();
    store
        .run(|database| {
            let transaction = database.begin_write()?;
            {
                let mut cells = transaction.open_table(super::super::schema::CELLS)?;
                let mut value = cells.get(key.as_slice())?.map(|value| value.value().to_vec()).unwrap_or_default();
                *value.last_mut().unwrap() ^= 1;
                cells.insert(key.as_slice(), value.as_slice())?;
                cells.insert([&root(1)[..], b"d"].concat().as_slice(), b"1234567".as_slice())?;
            }
            Ok(transaction.commit()?)
        })
        .unwrap();
    assert_eq!(cells(&store, root(1)), [b"one".as_slice(), b"three"]);
    assert_eq!(store.notices.all().len(), 1);
    assert!(
        store.notices.all()[0].starts_with("2 notes or settings in rooms.redb were damaged"),
        "{:?}",
        store.notices.all()
    );
    put(&store, root(1), &[(b"b", Some(b"two again")), (b"d", None)]).unwrap();
    assert_eq!(cells(&store, root(1)), [b"one".as_slice(), b"two again", b"three"]);
}
