//! Computers and the processes on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{Certificate, Config, LocalActor, PrivateRoom, Replica, RoomId, SessionId, Signer, Tick};

use super::keys::{self, FakeSigner, FakeVerifier};
use super::letter::{Letter, Seen};
use super::lies::Inventions;
use super::oracle::Row;
use super::sessions::Session;
use crate::story::{Computer, Who, names};

/// The wall clock of a host whose clock is right, when a story begins.
const WALL_MS: u64 = 1_800_000_000_000;
/// Frames that a process keeps for the tape.
const TAPE: usize = 300;

/// One computer.
pub struct Host {
    /// Its number.
    pub index: usize,
    /// The person of its profile. Two hosts may share one: two devices of one person.
    pub person: LocalActor,
    /// Somebody it hosts.
    pub guest: LocalActor,
    /// Its program lies.
    pub hostile: bool,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) profile: [u8; 16],
    boots: u64,
    /// What its monotonic clock shows when the story begins.
    pub ticks: u64,
    /// How far its wall clock is off, in milliseconds.
    pub skew_ms: i64,
    /// It sleeps: nothing runs on it.
    pub asleep: bool,
    /// Its network cable is out.
    pub unplugged: bool,
    /// Bytes of the flight recorder of each of its runs; 0: none.
    pub recorded: usize,
    /// The program, while it runs.
    pub process: Option<Process>,
    /// What the profile keeps of the room, by place (design R15).
    disk: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What was written last to each field, and to which row.
    pub(crate) written: Vec<(Who, String, Row, u64)>,
}

/// One run of the program.
pub struct Process {
    /// Its session.
    pub session: Session,
    /// Its replica of the room.
    pub replica: Replica,
    /// When it is to be woken, if that is on the calendar.
    pub(crate) wake_at: Option<u64>,
    pub(crate) seen: Seen,
    /// Signs of life that it sent.
    pub(crate) frames: u64,
    /// Own members as counted last, to notice leases that ran out.
    pub(crate) members: usize,
    /// Its wall clock is not read while the computer sleeps.
    pub(crate) clock_stopped: bool,
    /// The first frames of others that it took, for the tape.
    pub(crate) tape: Vec<Arc<Letter>>,
    /// Sessions that it made up.
    pub(crate) inventions: Inventions,
    /// It says what is not so when it is asked about others.
    pub(crate) false_witness: bool,
}

impl Host {
    /// A host that is off.
    #[must_use]
    pub fn new(index: usize, computer: &Computer, ticks: u64) -> Self {
        let signer = FakeSigner::of(&computer.person);
        let person = LocalActor::user(signer.clone(), &computer.person);
        let guest_name = format!("{}'s guest", names::host(index));
        let guest = LocalActor::guest(FakeSigner::of(&guest_name), &guest_name, person.actor.user_id.clone());
        let mut profile = [0; 16];
        profile[..8].copy_from_slice(&(index as u64).to_le_bytes());
        Host {
            index,
            person,
            guest,
            hostile: computer.hostile,
            signer,
            profile,
            boots: 0,
            ticks,
            skew_ms: computer.clock_ms,
            asleep: false,
            unplugged: false,
            recorded: 0,
            process: None,
            disk: BTreeMap::new(),
            written: Vec::new(),
        }
    }

    /// Its monotonic clock, which runs while it sleeps.
    #[must_use]
    pub fn tick(&self, now: u64) -> Tick {
        Tick(self.ticks + now)
    }

    /// Its wall clock.
    #[must_use]
    pub fn wall_ms(&self, now: u64) -> u64 {
        (WALL_MS + now).saturating_add_signed(self.skew_ms)
    }

    /// Whether the program runs and the computer is awake.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.process.is_some() && !self.asleep
    }

    /// The session that runs, if one does.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.process.as_ref().map(|process| process.session)
    }

    /// Somebody of it.
    #[must_use]
    pub fn actor(&self, who: Who) -> &LocalActor {
        match who {
            Who::Person => &self.person,
            Who::Guest => &self.guest,
        }
    }

    /// The id of its next session.
    pub(crate) fn boot(&mut self, seed: u64) -> SessionId {
        self.boots += 1;
        keys::session(seed, self.index, self.boots)
    }

    /// Starts the program: a new session, a greater boot counter, the same profile, nothing remembered but what its disk
    /// has. What its replica is made with.
    pub(crate) fn start(
        &mut self,
        seed: u64,
        id: SessionId,
        session: Session,
        (room, private): (&RoomId, Option<PrivateRoom>),
        now: u64,
    ) -> Config {
        let name = self.person.actor.name.clone();
        let certificate = Certificate::issue(&*self.signer, id, self.profile, self.boots, &name);
        let seed = seed ^ (self.index as u64) << 32 ^ self.boots;
        let config = Config { room: room.clone(), certificate, seed, loopback_only: false, private };
        let mut replica = Replica::new(config.clone(), Arc::new(FakeVerifier), self.tick(now), self.wall_ms(now));
        replica.record(self.recorded);
        let kept: Vec<Vec<u8>> = self.disk.values().cloned().collect();
        replica.restore_cells(&kept, self.tick(now));
        replica.keep();
        self.process = Some(Process {
            session,
            replica,
            wake_at: None,
            seen: Seen::default(),
            frames: 0,
            members: 0,
            tape: Vec::new(),
            inventions: Inventions::default(),
            false_witness: false,
            clock_stopped: false,
        });
        config
    }
}

impl Host {
    /// Its disk is another one.
    #[cfg(test)]
    pub(crate) fn forget(&mut self) {
        self.disk.clear();
    }

    /// What a call answered is on disk, and so is all that was new by then. What others wrote since is not there yet when
    /// the program dies, and comes back from them.
    pub(crate) fn save(&mut self) {
        let Some(process) = &mut self.process else { return };
        let changes = process.replica.take_changes(usize::MAX);
        if changes.whole {
            self.disk.clear();
        }
        for kept in changes.cells {
            match kept.cell {
                Some(cell) => drop(self.disk.insert(kept.slot, cell)),
                None => drop(self.disk.remove(&kept.slot)),
            }
        }
    }
}

impl Process {
    pub(crate) fn tape(&mut self, letter: &Arc<Letter>) {
        if self.tape.len() < TAPE {
            self.tape.push(letter.clone());
        }
    }
}
