//! Parlor at size, in the simulator with the frames that peers send: what a peer receives, takes and computes in rooms of
//! 8 to 256, how fast the simulator plays many hosts, how soon a big room heals, and what a month leaves behind.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context, bail};
use parlor_core::{Join, Lease, PresenceChange};
use parlor_testkit::sim::scale::{healed_within, healing, moving};
use parlor_testkit::sim::{Oracle, Took, World, play};
use parlor_testkit::story::Story;
use serde_json::json;

use crate::cpu;
use crate::report::{Figure, publish};
use crate::weigh::{Day, weighed};

/// Members of the rooms that are measured.
const SIZES: [usize; 6] = [8, 16, 32, 64, 128, 256];
/// Between two calls of `presence()` by one member: 30 a second.
const CALL_MS: u64 = 33;
/// Between the starts of two programs.
const APART_MS: u64 = 10;
/// From the last start until all have links to all, and from the join until all know all.
const MEET_MS: u64 = 3_000;
/// What is measured of each room.
const SPAN_MS: u64 = 10_000;
/// What the simulator plays to be timed.
const PLAYED_MS: u64 = 600_000;

/// What reached one peer.
#[derive(Clone, Copy, Debug, Default)]
struct Received {
    frames: u64,
    bytes: u64,
}

/// Counts what every host takes.
struct Counts(Rc<RefCell<Vec<Received>>>);

impl Oracle for Counts {
    fn rule(&self) -> &str {
        "what is received is counted"
    }

    fn took(&mut self, world: &World, took: &Took<'_>) -> Result<(), String> {
        let host = world.sessions.get(took.observer).host;
        if let Some(received) = self.0.borrow_mut().get_mut(host) {
            received.frames += 1;
            received.bytes += took.letter.bytes.len() as u64;
        }
        Ok(())
    }
}

/// A simulated room of members who each have the trace's presence, and perhaps somebody who looks on.
pub(crate) struct Room {
    pub world: World,
    members: usize,
    received: Rc<RefCell<Vec<Received>>>,
    turn: u64,
}

impl Room {
    pub fn new(members: usize, watched: bool) -> Room {
        let hosts = members + usize::from(watched);
        let mut story = Story::new("a big room").seed(1).hosts(hosts).latency(2..=2);
        for host in 0..members {
            story = story.at(host as u64 * APART_MS).start(host);
        }
        if watched {
            story = story.at(Room::gathered(members)).start(members);
        }
        let mut world = World::unwatched(&story, 0);
        let received = Rc::new(RefCell::new(vec![Received::default(); members]));
        world.add(Counts(received.clone()));
        Room { world, members, received, turn: 0 }
    }

    fn gathered(members: usize) -> u64 {
        members as u64 * APART_MS + 2 * MEET_MS
    }

    /// All start, have links to all, join, and know all.
    pub fn gather(&mut self) -> anyhow::Result<()> {
        self.world.play(Room::gathered(self.members) - MEET_MS);
        for host in 0..self.members {
            let who = self.world.hosts[host].person.clone();
            let presence = json!({"name": "Quiet Otter", "color": "#286fe3", "cursor": {"x": 512.25, "y": 300.5},
                "typing": false, "tool": "pen", "viewport": {"x": 120, "y": 80, "zoom": 1.25}});
            let joined = self
                .world
                .call(host, |replica, tick| replica.join(&who, Join::new().presence(presence), Lease::Own, tick));
            joined.context("a host does not run")??;
        }
        self.world.play(Room::gathered(self.members));
        self.all_are_known(0..self.members)
    }

    /// Who looks on comes, and knows all.
    pub fn let_look_on(&mut self) -> anyhow::Result<()> {
        self.world.play(self.world.now + MEET_MS);
        self.all_are_known(0..self.members + 1)
    }

    fn all_are_known(&self, hosts: std::ops::Range<usize>) -> anyhow::Result<()> {
        for host in hosts {
            let known = self.world.hosts[host].process.as_ref().map_or(0, |process| process.replica.holdings().rows);
            if known != self.members {
                bail!("host {host} knows {known} of {} members", self.members);
            }
        }
        Ok(())
    }

    /// Everybody moves a cursor, thirty times a second, one after the other.
    pub fn move_about(&mut self, ms: u64) {
        let until = self.world.now + ms;
        while self.world.now < until {
            let now = self.world.now;
            for host in (0..self.members).filter(|host| (now + *host as u64).is_multiple_of(CALL_MS)) {
                self.turn += 1;
                let who = self.world.hosts[host].person.clone();
                let change = PresenceChange::new(json!({"cursor": {"x": 512.25 + self.turn as f64, "y": 300.5}}));
                self.world.call(host, |replica, tick| replica.presence(&who, change, tick).is_ok());
            }
            self.world.play(now + 1);
        }
    }

    /// What a peer received at most, in a second, since the counts began anew.
    fn most(&self, ms: u64) -> (f64, f64) {
        let received = self.received.borrow();
        let seconds = ms as f64 / 1000.0;
        let most = |of: fn(&Received) -> u64| received.iter().map(of).max().unwrap_or(0) as f64 / seconds;
        (most(|received| received.frames), most(|received| received.bytes))
    }

    fn count_anew(&self) {
        self.received.borrow_mut().fill(Received::default());
    }
}

pub(crate) fn run() -> anyhow::Result<bool> {
    let mut figures = Vec::new();
    let mut before: BTreeMap<&str, f64> = BTreeMap::new();
    for members in SIZES {
        eprintln!("a room of {members}");
        let mut room = Room::new(members, false);
        room.gather()?;
        room.count_anew();
        room.world.play(room.world.now + SPAN_MS);
        let (idle, _) = room.most(SPAN_MS);
        // The rate takes its turns from the first change on.
        room.move_about(2_000);
        room.count_anew();
        let spent = cpu::spent_here();
        room.move_about(SPAN_MS);
        let spent = (cpu::spent_here() - spent).as_secs_f64() * 1000.0 * 1000.0 / SPAN_MS as f64 / members as f64;
        let (frames, bytes) = room.most(SPAN_MS);
        drop(room);
        let memory: f64 = weighed(&["members", &members.to_string()])?;
        let mut add = |name: &'static str, value: f64, unit: &'static str, most: Option<f64>| {
            let figure = Figure::grown(&format!("{name}, {members} members"), value, before.insert(name, value), unit);
            figures.push(most.into_iter().fold(figure, Figure::at_most));
        };
        add("frames received a peer, all moving", frames, "/s", Some(260.0));
        add("bytes received a peer, all moving", bytes, "B/s", None);
        add("frames received a peer, idle", idle, "/s", None);
        add("memory a member at an observer", memory, "B", Some(4_095.0));
        add("processor of a peer, all moving", spent, "ms/s", None);
    }
    figures.extend(speed()?);
    figures.push(heal()?);
    figures.extend(month()?);
    publish("scale", &figures)
}

/// How long one core takes for ten minutes of 64 hosts, under every rule that ordinary stories are held to.
fn speed() -> anyhow::Result<Vec<Figure>> {
    eprintln!("64 hosts, a third of them moving, for ten minutes");
    let story = moving(1, 64, PLAYED_MS);
    let spent = cpu::spent_here();
    let outcome = play(&story);
    let spent = (cpu::spent_here() - spent).as_secs_f64();
    if let Some(violation) = outcome.violation {
        bail!("{violation}");
    }
    Ok(vec![
        Figure::alone("64 hosts for ten minutes, on one core", spent, "s").at_most(10.0),
        Figure::alone("the same, a frame", spent * 1e6 / outcome.frames as f64, "µs"),
    ])
}

/// The longest that a room of 32 took to be whole again, by the time that it had.
fn heal() -> anyhow::Result<Figure> {
    eprintln!("a room of 32 falls apart and heals, eighteen times");
    let (mut longest, mut share) = (0, 0.0_f64);
    for (seed, (first, (latency_ms, apart_ms))) in (1..).zip(
        [16, 1, 25]
            .into_iter()
            .flat_map(|first| [2, 40, 100].map(|latency| (first, latency)))
            .flat_map(|(first, latency)| [3_000, 30_000].map(|apart| (first, (latency, apart)))),
    ) {
        let outcome = play(&healing(seed, 32, first, latency_ms, apart_ms));
        if let Some(violation) = outcome.violation {
            bail!("{violation}");
        }
        longest = longest.max(outcome.agreed_ms);
        share = share.max(outcome.agreed_ms as f64 / healed_within(latency_ms) as f64);
    }
    eprintln!("at most {longest} ms");
    Ok(Figure::alone("heal of 32 by two beats and two round trips", share, "×").at_most(1.0))
}

/// What a month leaves behind: as much on its last day as when every list was full for the first time.
fn month() -> anyhow::Result<Vec<Figure>> {
    eprintln!("thirty days in one room");
    let days: Vec<Day> = weighed(&["month"])?;
    println!("\n{:>4} {:>14} {:>14} {:>10} {:>10}", "day", "live bytes", "stored bytes", "departed", "cells");
    for day in &days {
        println!(
            "{:>4} {:>14} {:>14} {:>10} {:>10}",
            day.day, day.live_bytes, day.stored_bytes, day.departed, day.cells
        );
    }
    let (Some(second), Some(last)) = (days.get(1), days.last()) else { bail!("a month has thirty days") };
    let most = |of: fn(&Day) -> f64| days.iter().skip(1).map(of).fold(0.0, f64::max);
    let (live, stored) = (|day: &Day| day.live_bytes as f64, |day: &Day| day.stored_bytes as f64);
    Ok(vec![
        Figure::alone("live bytes of a replica after 30 days", live(last) / 1024.0, "KiB"),
        Figure::alone("most live bytes, days 2 to 30, by day 2", most(live) / live(second), "×").at_most(1.1),
        Figure::alone("stored bytes of a room after 30 days", stored(last) / 1024.0, "KiB"),
        Figure::alone("most stored bytes, days 2 to 30, by day 2", most(stored) / stored(second), "×").at_most(1.1),
    ])
}
