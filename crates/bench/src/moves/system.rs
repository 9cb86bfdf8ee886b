//! What a system has to do, and how it is timed.

use std::any::Any;
use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use anyhow::ensure;

use crate::cpu::spent_here;
use crate::weigh::Scales;

use crate::trace::{BATCH, Cursor, UPDATES, cursor};

/// Something that holds a room's presence: at each of its members, and at one who looks on.
///
/// Timed is what becomes of a change, from the call that a program makes until it has the bytes to send, and from these
/// bytes until who looks on has the new value and was told of it. It is processor time of the thread, since others may want
/// the processor. Not timed is to make the argument of the call, for no
/// system, and what the members do with each other's changes.
pub trait System: Sized {
    /// A change as the call of the system takes it.
    type Change;
    /// How many updates are timed. Fewer where the whole trace would take minutes.
    const UPDATES: usize = UPDATES;
    /// Whether every update counts. Where the clock orders them, of several in one of its steps only the first does.
    const EXACT: bool = true;

    /// A room of so many, all of them known to who looks on.
    fn new(members: usize) -> anyhow::Result<Self>;
    /// A member's cursor is here now.
    fn change(&self, member: usize, cursor: Cursor) -> Self::Change;
    /// The member makes the change; what it sends.
    fn encode(&mut self, member: usize, change: Self::Change) -> anyhow::Result<Vec<u8>>;
    /// Who looks on takes it.
    fn apply(&mut self, member: usize, frame: Vec<u8>) -> anyhow::Result<()>;
    /// Everybody else takes what was sent, where the members of a room are to know each other.
    fn pass_on(&mut self, _frames: &[(usize, Vec<u8>)]) -> anyhow::Result<()> {
        Ok(())
    }
    /// Bytes by which a newcomer gets to know the room; nothing where that is not told apart.
    fn whole(&mut self) -> anyhow::Result<Option<usize>>;
    /// Where who looks on sees a member's cursor.
    fn seen(&self, member: usize) -> Option<Cursor>;
    /// How often who looks on was told of a change.
    fn told(&self) -> Option<usize>;
    /// Who looks on, for the scales.
    fn who_looks_on(self) -> Box<dyn Any>;
}

/// One round of one system.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// In a second; nothing where it cannot be parted from applying.
    pub encode: Option<f64>,
    pub apply: Option<f64>,
    pub both: f64,
    /// Of one update.
    pub bytes: f64,
    pub whole: Option<f64>,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = |rate: Option<f64>| rate.map_or("–".to_owned(), |rate| format!("{:.3} M/s", rate / 1e6));
        write!(f, "encode {}, apply {}, ", rate(self.encode), rate(self.apply))?;
        write!(f, "both {}, {:.1} B", rate(Some(self.both)), self.bytes)
    }
}

/// Two passes over the trace: in the first, batches are encoded and then applied, and each is timed by itself; in the second
/// every update is applied as soon as it is encoded.
pub fn measured<S: System>(members: usize) -> anyhow::Result<Measured> {
    let mut system = S::new(members)?;
    let whole = system.whole()?.map(|bytes| bytes as f64);
    // What is cold at first is not what is asked.
    let warm = S::UPDATES / 10;
    pass(&mut system, members, (0, warm), true)?;
    let told = system.told();
    let apart = pass(&mut system, members, (warm, S::UPDATES), true)?;
    if let (Some(before), Some(after)) = (told, system.told()) {
        ensure!(after - before == apart.count, "told of {} of {} updates", after - before, apart.count);
    }
    let together = pass(&mut system, members, (warm + S::UPDATES, S::UPDATES), false)?;
    let rate = |time: Duration| apart.count as f64 / time.as_secs_f64();
    Ok(Measured {
        encode: Some(rate(apart.encode)),
        apply: Some(rate(apart.apply)),
        both: together.count as f64 / together.encode.as_secs_f64(),
        bytes: apart.bytes as f64 / apart.count as f64,
        whole,
    })
}

/// Bytes a member, once each of them moved twice: what who looks on takes more than in an empty room.
pub fn held<S: System>(members: usize, scales: &Scales) -> anyhow::Result<f64> {
    let mut system = S::new(members)?;
    pass(&mut system, members, (0, 2 * members), true)?;
    let weigh = |system: S| {
        let mut on = Some(system.who_looks_on());
        -scales(&mut || drop(on.take()))
    };
    let full = weigh(system);
    Ok((full - weigh(S::new(0)?)) as f64 / members as f64)
}

#[derive(Debug, Default)]
struct Passed {
    count: usize,
    encode: Duration,
    apply: Duration,
    bytes: usize,
}

fn pass<S: System>(
    system: &mut S,
    members: usize,
    (first, count): (usize, usize),
    apart: bool,
) -> anyhow::Result<Passed> {
    let mut passed = Passed::default();
    let mut last = vec![None; members];
    let mut turn = first;
    while passed.count < count {
        let size = BATCH.min(count - passed.count);
        let turns = turn..turn + size;
        let changes: Vec<(usize, S::Change)> = turns
            .map(|turn| {
                let member = turn % members;
                last[member] = Some(cursor(turn));
                (member, system.change(member, cursor(turn)))
            })
            .collect();
        let mut sent: Vec<(usize, Vec<u8>)> = Vec::with_capacity(size);
        if apart {
            let mut frames: Vec<(usize, Vec<u8>)> = Vec::with_capacity(size);
            let begun = spent_here();
            for (member, change) in changes {
                frames.push((member, system.encode(member, change)?));
            }
            passed.encode += spent_here() - begun;
            sent.clone_from(&frames);
            let begun = spent_here();
            for (member, frame) in frames {
                system.apply(member, frame)?;
            }
            passed.apply += spent_here() - begun;
        } else {
            // What is sent is copied for the others here as well, so the copies count.
            let begun = spent_here();
            for (member, change) in changes {
                let frame = system.encode(member, change)?;
                sent.push((member, frame.clone()));
                system.apply(member, frame)?;
            }
            passed.encode += spent_here() - begun;
        }
        passed.bytes += sent.iter().map(|(_, frame)| frame.len()).sum::<usize>();
        passed.count += size;
        turn += size;
        system.pass_on(black_box(&sent))?;
    }
    for (member, last) in last.iter().enumerate().filter(|(_, last)| S::EXACT && last.is_some()) {
        ensure!(system.seen(member) == *last, "member {member} is seen at {:?}, not {last:?}", system.seen(member));
    }
    Ok(passed)
}
