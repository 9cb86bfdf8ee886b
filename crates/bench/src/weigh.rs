//! What one replica takes of the heap. The replica that is weighed is a twin of one that looks on in a simulated room: it
//! is given what that one is given, and nothing else is on the scales.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use parlor_core::Replica;
use parlor_testkit::sim::journal::{Entry, follow};
use parlor_testkit::sim::scale::{self, DAY_MS, LOOKS_ON, Month, STAYS};
use parlor_testkit::sim::{World, journal};
use serde::{Deserialize, Serialize};

use crate::scale::Room;

/// Does something, and tells by how many bytes the heap grew.
pub type Scales = dyn Fn(&mut dyn FnMut()) -> i64;

/// A month as long as it is measured: what fills every list on its first two days, then twenty-eight like any other.
pub const MONTH: Month =
    Month { days: 30, people: 4, visits: 1, starts: 1_100, keys: 1_100, messages: 600, notes: 11_000, sleeps: false };

/// What there is at the end of one day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Day {
    /// Which, from 1 on.
    pub day: u64,
    /// Bytes of the heap that the one who looks on takes.
    pub live_bytes: i64,
    /// Bytes of what is shared, as it is written down.
    pub stored_bytes: usize,
    /// The same of the one who takes part all month.
    pub stored_bytes_of_member: usize,
    /// Sessions that are over and remembered.
    pub departed: usize,
    /// Registers and messages.
    pub cells: usize,
}

/// A replica on the scales.
struct Twin<'a> {
    scales: &'a Scales,
    replica: Option<Replica>,
    bytes: i64,
}

impl Twin<'_> {
    fn follow(&mut self, entries: &[Entry]) {
        let replica = &mut self.replica;
        self.bytes += (self.scales)(&mut || follow(replica, entries));
    }
}

/// Bytes a member at one who looks on in a room of so many, everybody moving a cursor: what it takes more than in an empty
/// room, by their number.
///
/// # Errors
/// When the room did not come together.
pub fn member(members: usize, scales: &Scales) -> anyhow::Result<f64> {
    let mut room = Room::new(members, true);
    room.world.keep_journal(members);
    room.gather()?;
    room.let_look_on()?;
    room.move_about(10_000);
    let entries = room.world.take_journal();
    let made = entries.iter().take_while(|entry| matches!(entry, Entry::Made(..))).count();
    let mut twin = Twin { scales, replica: None, bytes: 0 };
    twin.follow(&entries[..made]);
    let empty = twin.bytes;
    twin.follow(&entries[made..]);
    let replica = twin.replica.context("nobody looks on")?;
    if replica.holdings().records != members {
        bail!("the one who looks on knows {} of {members} members", replica.holdings().records);
    }
    Ok((twin.bytes - empty) as f64 / members as f64)
}

/// A month in one room, day by day.
///
/// # Errors
/// When a program that stays did not stay, or its twin holds something else.
pub fn month(scales: &Scales) -> anyhow::Result<Vec<Day>> {
    let story = scale::month(1, &MONTH);
    let mut world = World::unwatched(&story, 0);
    world.keep_journal(LOOKS_ON);
    let mut twin = Twin { scales, replica: None, bytes: 0 };
    let mut days = Vec::new();
    for day in 1..=MONTH.days {
        for hour in 1..=24 {
            world.play((day - 1) * DAY_MS + hour * DAY_MS / 24);
            let entries: Vec<journal::Entry> = world.take_journal();
            twin.follow(&entries);
        }
        let held = |host: usize| world.hosts[host].process.as_ref().map(|process| process.replica.holdings());
        let (member, held) = (held(STAYS).context("nobody stayed")?, held(LOOKS_ON).context("nobody looked on")?);
        if twin.replica.as_ref().map(Replica::holdings) != Some(held) {
            bail!("on day {day} the twin holds something else than {held:?}");
        }
        days.push(Day {
            day,
            live_bytes: twin.bytes,
            stored_bytes: held.stored_bytes,
            stored_bytes_of_member: member.stored_bytes,
            departed: held.departed,
            cells: held.metadata + held.board + held.log,
        });
        eprintln!("day {day}: {} live bytes, {} stored", twin.bytes, held.stored_bytes);
    }
    Ok(days)
}

/// What `parlor-weigh`, which counts every allocation, says; it stands beside this program.
pub(crate) fn weighed<T: serde::de::DeserializeOwned>(args: &[&str]) -> anyhow::Result<T> {
    let program: PathBuf = std::env::current_exe()?.with_file_name("parlor-weigh");
    let output = Command::new(&program).args(args).stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("{} {args:?} ended with {}", program.display(), output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
