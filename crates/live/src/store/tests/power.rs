//! The power goes: of what was written since the disk was waited for last, any part may be there, in any order, and a
//! sector may be half old and half new.

use super::super::{Disk, FILE};
use super::*;

/// What was done to the file.
#[derive(Clone, Debug)]
pub(in crate::store) enum Done {
    Wrote(u64, Vec<u8>),
    SetLen(u64),
    Synced,
    /// A write of the store was acknowledged, the one of this number.
    Acknowledged(u64),
}

const SECTOR: usize = 512;

fn cells_of(number: u64) -> Vec<Kept> {
    let mut random = fastrand::Rng::with_seed(number);
    let some = random.usize(1..40);
    let cells = (0..some).map(|_| {
        let slot = random.u8(0..120).to_be_bytes();
        kept(&slot, Some(&[&number.to_be_bytes()[..], &vec![random.u8(..); random.usize(0..900)]].concat()))
    });
    cells.chain([kept(b"", Some(&number.to_be_bytes()))]).collect()
}

fn after(number: u64) -> Rooms {
    let mut room = BTreeMap::new();
    for number in 1..=number {
        room.extend(cells_of(number).into_iter().map(|kept| (kept.slot, kept.cell.unwrap())));
    }
    [(root(1), room)].into()
}

/// The file as the power left it when this had been done.
fn cut(done: &[Done], random: &mut fastrand::Rng) -> Vec<u8> {
    let synced = done.iter().rposition(|done| matches!(done, Done::Synced)).map_or(0, |at| at + 1);
    let mut file = Vec::new();
    let (before, since) = done.split_at(synced);
    let apply = |file: &mut Vec<u8>, done: &Done, there: &mut dyn FnMut() -> bool| match done {
        Done::Wrote(at, bytes) => {
            let at = *at as usize;
            for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                let start = at + n * SECTOR;
                if there() && file.len() >= start + sector.len() {
                    file[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
        Done::SetLen(len) if there() => file.resize(*len as usize, 0),
        _ => {}
    };
    for done in before {
        apply(&mut file, done, &mut || true);
    }
    // All of it, none of it, or some.
    let odds = [0, 20, 128, 235, 255][random.usize(0..5)];
    let mut since = since.to_vec();
    if random.bool() {
        random.shuffle(&mut since);
    }
    for done in &since {
        apply(&mut file, done, &mut || random.u8(..) <= odds && odds > 0);
    }
    file
}

#[test]
fn what_was_acknowledged_survives_the_power() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let store = Store::open_on(dir.path(), Arc::default(), disk.clone()).unwrap();
    // The file is on disk as it is now.
    let mut done = vec![Done::SetLen(0)];
    let start = std::fs::read(dir.path().join(FILE)).unwrap();
    done.extend([Done::SetLen(start.len() as u64), Done::Wrote(0, start), Done::Synced]);
    *held(&disk.test().heard) = Some(done);
    for number in 1..=40 {
        store.write(&[Changes { root: root(1), cells: &cells_of(number), whole: false }]).unwrap();
        held(&disk.test().heard).as_mut().unwrap().push(Done::Acknowledged(number));
    }
    let done = held(&disk.test().heard).take().unwrap();
    drop(store);
    // Until the first cell is written the file was already there.
    let first = done.iter().position(|done| matches!(done, Done::Synced)).unwrap() + 1;

    let mut random = fastrand::Rng::with_seed(33);
    let mut behind = 0;
    for round in 0..250 {
        let until = random.usize(first..=done.len());
        let acknowledged = done[..until].iter().rev().find_map(|done| match done {
            Done::Acknowledged(number) => Some(*number),
            _ => None,
        });
        let acknowledged = acknowledged.unwrap_or(0);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), cut(&done[..until], &mut random)).unwrap();
        let store = opened(dir.path());
        let there = cells(&store, root(1)).first().map_or(0, |cell| u64::from_be_bytes(cell[..8].try_into().unwrap()));
        assert!(
            there == acknowledged || there == acknowledged + 1,
            "round {round}: {acknowledged} said, {there} there"
        );
        behind += u64::from(there > acknowledged);
        agrees(&store, &after(there), [root(1)]);
        put(&store, root(2), &[(b"a", Some(b"one"))]).unwrap();
    }
    assert!(behind > 0, "no cut came between a write and its acknowledgement");
}
