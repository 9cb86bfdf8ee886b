//! Any calls in any order, with restarts and crashes in between, against maps in memory.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Call {
    Write(Vec<Room>),
    Forget(u8),
    Restart,
    Crash,
}

#[derive(Clone, Debug)]
struct Room {
    root: u8,
    whole: bool,
    cells: Vec<Kept>,
}

const ROOTS: [u8; 4] = [0, 7, 8, 255];

fn a_root() -> impl Strategy<Value = u8> {
    prop::sample::select(ROOTS.to_vec())
}

fn a_cell() -> impl Strategy<Value = Kept> {
    let slot = prop_oneof![8 => vec(0..4_u8, 0..3), 1 => vec(any::<u8>(), 0..80)];
    let cell =
        prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => (any::<u8>(), 0..9_000_usize).prop_map(|(b, n)| vec![b; n])];
    (slot, prop::option::weighted(0.8, cell)).prop_map(|(slot, cell)| Kept { slot, cell })
}

fn a_call() -> impl Strategy<Value = Call> {
    let room = (a_root(), prop::bool::weighted(0.15), vec(a_cell(), 0..12)).prop_map(|(root, whole, cells)| Room {
        root,
        whole,
        cells,
    });
    prop_oneof![
        8 => vec(room, 0..4).prop_map(Call::Write),
        1 => a_root().prop_map(Call::Forget),
        1 => Just(Call::Restart),
        1 => Just(Call::Crash),
    ]
}

fn play(calls: Vec<Call>) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = hurried(dir.path());
    let mut rooms = Rooms::new();
    for call in calls {
        match call {
            Call::Write(written) => {
                let changes: Vec<_> = written
                    .iter()
                    .map(|room| Changes { root: root(room.root), cells: &room.cells, whole: room.whole })
                    .collect();
                store.write(&changes).unwrap();
                for room in written {
                    let now = rooms.entry(root(room.root)).or_default();
                    if room.whole {
                        now.clear();
                    }
                    for Kept { slot, cell } in room.cells {
                        match cell {
                            Some(cell) => now.insert(slot, cell),
                            None => now.remove(&slot),
                        };
                    }
                }
            }
            Call::Forget(n) => {
                let any = rooms.remove(&root(n)).is_some_and(|room| !room.is_empty());
                assert_eq!(forget(&store, &root(n)).unwrap(), any);
            }
            Call::Restart => {
                store.close();
                store = hurried(dir.path());
            }
            Call::Crash => {
                store.abandon();
                store = hurried(dir.path());
            }
        }
        agrees(&store, &rooms, ROOTS.map(root));
    }
    assert!(store.notices.all().is_empty(), "{:?}", store.notices.all());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_store_keeps_what_maps_would_keep(calls in vec(a_call(), 1..30)) {
        play(calls);
    }
}
