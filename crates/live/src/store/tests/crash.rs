//! `kill -9` at any moment of a write: what was acknowledged is there, and no write is there by half.
//!
//! The test runs itself again as the process that is killed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

const ROUNDS: u64 = 200;
const SLOTS: u32 = 300;
const NAME: &str = "store::tests::crash::what_was_acknowledged_survives_being_killed";
/// Names the folder to the process that is to be killed.
const VICTIM: &str = "PARLOR_TEST_STORE_OF_VICTIM";

/// Every batch says its number here, so that the file tells how far it got.
const NUMBER: &[u8] = b"";

/// The batch of that number: the same whoever makes it.
fn batch(number: u64) -> Vec<(Root, bool, Vec<Kept>)> {
    let mut random = fastrand::Rng::with_seed(number);
    let rooms = [root(1), root(2)].map(|root| {
        let some = random.u32(1..60);
        let cells = (0..some).map(|_| {
            let slot = random.u32(0..SLOTS).to_be_bytes();
            let size = if random.u8(..) == 0 { 20_000 } else { random.usize(8..600) };
            let cell = [&number.to_be_bytes(), &vec![random.u8(..); size][..]].concat();
            kept(&slot, (random.u8(..) > 40).then_some(&cell))
        });
        let cells: Vec<_> = cells.chain([kept(NUMBER, Some(&number.to_be_bytes()))]).collect();
        (root, random.u8(..) < 6, cells)
    });
    rooms.into()
}

fn apply(rooms: &mut Rooms, number: u64) {
    for (root, whole, cells) in batch(number) {
        let room = rooms.entry(root).or_default();
        if whole {
            room.clear();
        }
        for Kept { slot, cell } in cells {
            match cell {
                Some(cell) => room.insert(slot, cell),
                None => room.remove(&slot),
            };
        }
    }
}

fn written(store: &Store) -> u64 {
    let number = cells(store, root(1)).into_iter().next();
    number.map_or(0, |number| u64::from_be_bytes(number.try_into().unwrap()))
}

/// Writes until it is killed, and says what it has written.
fn victim(dir: &Path) {
    let store = opened(dir);
    let mut out = std::io::stdout().lock();
    let mut number = written(&store);
    writeln!(out, "\nopen").unwrap();
    loop {
        number += 1;
        let batch = batch(number);
        let changes: Vec<_> =
            batch.iter().map(|(root, whole, cells)| Changes { root: *root, cells, whole: *whole }).collect();
        store.write(&changes).unwrap();
        writeln!(out, "wrote {number}").unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    if let Some(dir) = std::env::var_os(VICTIM) {
        return victim(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(15);
    let (mut rooms, mut applied, mut in_doubt) = (Rooms::new(), 0, 0);
    let started = Instant::now();
    for round in 0..ROUNDS {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact", "--nocapture"])
            .env(VICTIM, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        // Now and then while it is opening, which may be a repair.
        if round % 10 != 9 {
            assert!(lines.any(|line| line == "open"), "round {round}: it did not open");
        }
        // After some writes, and some of the time that the next one takes.
        let mut numbers = lines.filter_map(|line| line.strip_prefix("wrote ")?.parse::<u64>().ok());
        let writes = if round % 10 == 9 { 0 } else { random.usize(0..4) };
        let began = Instant::now();
        let mut acknowledged = numbers.by_ref().take(writes).last().unwrap_or(applied);
        let each = began.elapsed() / u32::try_from(writes).unwrap().max(1);
        std::thread::sleep(each.max(Duration::from_millis(1)).mul_f64(random.f64() * 1.2));
        process.kill().unwrap();
        acknowledged = numbers.last().unwrap_or(acknowledged);
        let status = process.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "round {round}: it ended by itself");

        let store = opened(dir.path());
        let there = written(&store);
        assert!(
            (acknowledged..=acknowledged + 1).contains(&there),
            "round {round}: {acknowledged} said, {there} there"
        );
        in_doubt += u64::from(there > acknowledged);
        for number in applied + 1..=there {
            apply(&mut rooms, number);
        }
        applied = there;
        agrees(&store, &rooms, [root(1), root(2)]);
        if round % 3 == 0 {
            // The next one finds a file that nobody closed, as after two crashes in a row.
            store.abandon();
        }
    }
    println!("{ROUNDS} kills, {applied} batches, {in_doubt} not acknowledged, in {:?}", started.elapsed());
    assert!(applied > ROUNDS && in_doubt > 0, "no kill came in the middle of a write");
}
