//! Sixteen people who all move, thirty times a second each, for a minute: how late a cursor is, what is lost, and how often
//! each frame is verified.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use parlor::{Event, Live, PresenceChange, RoomEvent};
use parlor_testkit::netns::Lan;
use serde_json::json;

use super::{Person, ROOM, all_see, gather};
use crate::cpu;
use crate::report::Figure;
use crate::samples::Samples;

const PEOPLE: usize = 16;
const TIME: Duration = Duration::from_secs(60);
/// Between two calls of one of them; the source sends fewer in a crowd (design A7).
const EVERY: Duration = Duration::from_millis(33);
/// Before it is measured, so that all links are known to all.
const WARM: Duration = Duration::from_secs(5);
/// For the last value to be everywhere.
const LAST: u64 = 1_000_000;

pub(super) fn figures() -> anyhow::Result<Vec<Figure>> {
    eprintln!("{PEOPLE} people move for {} s", TIME.as_secs());
    let (lan, folder) = (Lan::new(PEOPLE)?, tempfile::tempdir()?);
    let people = gather(lan.hosts(), &folder)?;
    let moving = Moving { began: Instant::now(), samples: Arc::default() };
    for person in &people {
        let (watcher, mover) = (moving.clone(), moving.clone());
        person.resident.let_run(async move |live| watcher.watch(&live).await);
        person.resident.let_run(async move |live| mover.go_about(&live).await);
    }
    std::thread::sleep(WARM.saturating_sub(moving.began.elapsed()));
    let (before, spent) = (Counted::of(&people), cpu::spent()?);
    std::thread::sleep(TIME.saturating_sub(moving.began.elapsed()));
    let counted = Counted::of(&people).since(before);
    let spent = (cpu::spent()? - spent).as_secs_f64() / (TIME - WARM).as_secs_f64();
    while moving.began.elapsed() < TIME + EVERY * 2 {
        std::thread::sleep(EVERY);
    }

    let last = Instant::now();
    people.iter().try_for_each(|person| person.step(LAST))?;
    let lost = if all_see(&people, LAST).is_ok() { 0.0 } else { 1.0 };
    let after = last.elapsed();
    let samples = moving.samples.lock().unwrap_or_else(PoisonError::into_inner).clone();
    eprintln!("  {} moves were seen; {:?}; the last values took {after:?}", samples.len(), counted);
    let verified = (counted.heard + counted.repeated) as f64 / counted.heard.max(1) as f64;
    let name = |what: &str| format!("{PEOPLE} people moving: {what}");
    Ok(vec![
        Figure::alone(&name("cursor p50"), samples.quantile(0.5), "ms"),
        Figure::alone(&name("cursor p99"), samples.quantile(0.99), "ms").at_most(50.0),
        Figure::alone(&name("last values lost"), lost, "").at_most(0.0),
        Figure::alone(&name("links that were replaced"), counted.watchdog as f64, "").at_most(0.0),
        Figure::alone(&name("verifications a frame"), verified, "").at_most(1.1),
        Figure::alone(&name("processor of all"), spent * 100.0, "% of a core"),
    ])
}

/// What the drivers counted.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// Frames that were not had before, by gossip or by a stream.
    heard: u64,
    /// Messages that were verified in vain.
    repeated: u64,
    /// Firings of the watchdog.
    watchdog: u64,
}

impl Counted {
    fn of(people: &[Person]) -> Self {
        let sum = |name| people.iter().map(|person| person.count(name)).sum::<u64>();
        let heard = sum("gossip_heard") + sum("stream_heard");
        Counted { heard, repeated: sum("gossip_repeated"), watchdog: sum("watchdog") }
    }

    fn since(self, before: Self) -> Self {
        Counted { heard: self.heard - before.heard, repeated: self.repeated - before.repeated, ..self }
    }
}

/// What they share: all cursors say when they moved, by one clock.
#[derive(Clone)]
struct Moving {
    began: Instant,
    samples: Arc<Mutex<Samples>>,
}

impl Moving {
    async fn go_about(self, live: &Live) {
        let room = live.room(ROOM);
        let mut turn = tokio::time::interval(EVERY);
        while self.began.elapsed() < TIME {
            turn.tick().await;
            let at = self.began.elapsed().as_micros() as u64;
            let moved = room.presence(PresenceChange::new(json!({ "cursor": { "x": at, "y": 300.5 } }))).await;
            if moved.is_err() {
                return;
            }
        }
    }

    /// Notes how late each move is seen.
    async fn watch(self, live: &Live) {
        let Ok(mut events) = live.room(ROOM).events().await else { return };
        while let Some(item) = events.next().await {
            let RoomEvent::Change(Event::Updated { member, .. }) = item.event else { continue };
            let now = self.began.elapsed();
            let moved = member.record.presence.get("cursor").and_then(|cursor| cursor.get("x")?.as_u64());
            let Some(moved) = moved.map(Duration::from_micros).filter(|moved| *moved > WARM && !member.own) else {
                continue;
            };
            if now < TIME {
                self.samples.lock().unwrap_or_else(PoisonError::into_inner).add(now.saturating_sub(moved));
            }
        }
    }
}
