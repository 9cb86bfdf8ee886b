//! A disk without room: an error in plain words, nothing lost, and all well again when there is room.

use parlor_core::ErrorCode;

use super::super::Disk;
use super::*;
use crate::small_disk;

fn is_full(error: StoreError) {
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    let error = parlor_core::Error::from(error);
    assert_eq!(error.code, ErrorCode::StorageFailed);
    assert!(error.message.contains("the disk is full") && error.message.contains("make room"), "{}", error.message);
}

/// Every number of bytes after which a write can be cut off, in small steps.
#[test]
fn a_write_that_does_not_fit_is_not_there_and_costs_nothing_else() {
    let mut refused = 0;
    for room in (0..120_000).step_by(1_500) {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::default();
        let limit = |left| *held(&disk.test().left) = left;
        let store = Store::open_on(dir.path(), Arc::default(), disk.clone()).unwrap();
        put(&store, root(1), &[(b"a", Some(b"one"))]).unwrap();
        let cell = vec![7; 900];
        let all: Vec<_> = (0..60_u32).map(|n| kept(&n.to_be_bytes(), Some(&cell))).collect();
        let big = Changes { root: root(2), cells: &all, whole: true };

        limit(Some(room));
        let there = match store.write(&[big]) {
            Ok(()) => 60,
            Err(error) => {
                is_full(error);
                refused += 1;
                // Also the next one, which has to open the file first.
                is_full(put(&store, root(1), &[(b"b", Some(&[5; 300_000]))]).unwrap_err());
                0
            }
        };
        limit(None);
        assert_eq!(cells(&store, root(1)), [b"one"], "{room}");
        assert_eq!(cells(&store, root(2)).len(), there, "{room}");
        store.write(&[big]).unwrap();
        assert_eq!(cells(&store, root(2)).len(), 60, "{room}");
        assert!(store.notices.all().is_empty() && store.begun() == 0, "{:?}", store.notices.all());
        drop(store);
        let store = opened(dir.path());
        assert_eq!((cells(&store, root(1)).len(), cells(&store, root(2)).len()), (1, 60), "{room}");
    }
    assert!(refused > 20, "{refused} were refused");
}

/// The same on a small file system.
#[test]
fn a_disk_that_is_really_full() {
    if let Some(dir) = small_disk::folder("6m", "store::tests::full::a_disk_that_is_really_full") {
        on_a_small_disk(&dir);
    }
}

fn on_a_small_disk(dir: &Path) {
    let store = opened(dir);
    let cell = vec![7; 4_000];
    let ballast = dir.join("ballast");
    std::fs::write(&ballast, vec![0; 2_000_000]).unwrap();
    let mut written = 0_u32;
    let error = loop {
        assert!(written < 3_000, "the disk does not fill");
        match put(&store, root(1), &[(&written.to_be_bytes(), Some(&cell))]) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    is_full(error);
    println!("the disk was full after {written} cells");
    assert!(written > 100);
    // What is there can be read on a full disk, and by the next start too.
    assert_eq!(cells(&store, root(1)).len(), written as usize);
    drop(store);
    let store = opened(dir);
    assert_eq!(cells(&store, root(1)).len(), written as usize);
    let more = (0..2_000_u32).find_map(|n| put(&store, root(2), &[(&n.to_be_bytes(), Some(&cell))]).err());
    is_full(more.unwrap());

    std::fs::remove_file(&ballast).unwrap();
    put(&store, root(1), &[(&written.to_be_bytes(), Some(&cell))]).unwrap();
    drop(store);
    let store = opened(dir);
    assert_eq!(cells(&store, root(1)).len(), written as usize + 1);
    assert!(names(dir).iter().all(|name| !name.contains("damaged")), "{:?}", names(dir));
}
