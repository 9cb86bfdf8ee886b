//! Eight and sixteen people who all say a hundred things a second for two seconds: what that costs may be more than there
//! is, so queues may be full and frames lost. Then it is over, and everybody hears everybody again. Messages that are kept
//! cost more, a signature each and a place on everybody's disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parlor::{Live, Publish};
use parlor_testkit::netns::Lan;
use serde_json::json;

use super::{ROOM, all_see, gather};
use crate::report::Figure;
use crate::samples::Samples;

const TIME: Duration = Duration::from_secs(2);
/// Between two messages of one of them.
const EVERY: Duration = Duration::from_millis(10);
const BURSTS: u64 = 5;

pub(super) fn figures() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (people, kept) in [(8, false), (16, false), (8, true), (16, true)] {
        figures.extend(bursts(people, kept)?);
    }
    Ok(figures)
}

/// From the end of a burst until everybody saw a step that everybody took after it.
fn bursts(count: usize, kept: bool) -> anyhow::Result<Vec<Figure>> {
    let messages = if kept { "kept messages" } else { "messages" };
    eprintln!("{BURSTS} bursts of {messages}, {} s of {count} people", TIME.as_secs());
    let (lan, folder) = (Lan::new(count)?, tempfile::tempdir()?);
    let people = gather(lan.hosts(), &folder)?;
    let mut took = Samples::default();
    for burst in 1..=BURSTS {
        let (began, taken) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        for person in &people {
            let taken = Arc::clone(&taken);
            person.resident.let_run(async move |live| write(live, kept, began, taken).await);
        }
        std::thread::sleep(TIME);
        let taken = taken.load(Ordering::Relaxed) as f64 / TIME.as_secs_f64() / count as f64;
        let end = Instant::now();
        people.iter().try_for_each(|person| person.step(burst))?;
        let seen = all_see(&people, burst)?;
        took.add(seen - end);
        eprintln!("  {taken:.0} messages a second of each; {:?} after it everybody heard everybody", seen - end);
    }
    let replaced: u64 = people.iter().map(|person| person.count("watchdog")).sum();
    let name = |what: &str| format!("{count} people, after a burst of {messages}: {what}");
    Ok(vec![
        Figure::alone(&name("all hear all, median"), took.quantile(0.5), "ms"),
        Figure::alone(&name("all hear all, worst"), took.quantile(1.0), "ms").at_most(2_000.0),
        Figure::alone(&name("links that were replaced"), replaced as f64, "").at_most(0.0),
    ])
}

/// Each message by itself: none waits until the one before is on disk.
async fn write(live: Arc<Live>, kept: bool, began: Instant, taken: Arc<AtomicU64>) {
    let mut turn = tokio::time::interval(EVERY);
    while began.elapsed() < TIME {
        turn.tick().await;
        let (live, taken) = (Arc::clone(&live), Arc::clone(&taken));
        tokio::spawn(async move {
            let message = Publish::new("note", json!({ "at": "burst" }));
            let message = if kept { message.keep() } else { message };
            if live.room(ROOM).publish(message).await.is_ok() {
                taken.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}
