//! Computers and the processes on them.

use std::collections::BTreeSet;
use std::sync::Arc;

use parlor_core::{Certificate, Config, LocalActor, Replica, RoomId, SessionId, Signer, Tick};

use super::keys::{self, FakeSigner, FakeVerifier};

/// The wall clock of a host whose clock is right, when a story begins.
const WALL_MS: u64 = 1_800_000_000_000;

/// One computer.
pub struct Host {
    /// Its number.
    pub index: usize,
    /// The person of its profile. Two hosts may share one: two devices of one person.
    pub person: LocalActor,
    /// Somebody it hosts.
    pub guest: LocalActor,
    signer: Arc<dyn Signer>,
    profile: [u8; 16],
    boots: u64,
    /// What its monotonic clock shows when the story begins.
    pub ticks: u64,
    /// How far its wall clock is off, in milliseconds.
    pub skew_ms: i64,
    /// It sleeps: nothing runs on it.
    pub asleep: bool,
    /// Its network cable is out.
    pub unplugged: bool,
    /// The program, while it runs.
    pub process: Option<Process>,
}

/// One run of the program.
pub struct Process {
    /// Its session.
    pub session: SessionId,
    /// Its replica of the room.
    pub replica: Replica,
    /// When it is to be woken, if that is on the calendar.
    pub wake_at: Option<u64>,
    /// Messages it passed on or took already.
    pub seen: BTreeSet<u64>,
    /// Own members as counted last, to notice leases that ran out.
    pub members: usize,
    /// Frames of others that it took, for the tape.
    pub tape: Vec<Taped>,
}

/// A frame as it was delivered.
#[derive(Clone, Debug)]
pub struct Taped {
    /// Who wrote it.
    pub author: SessionId,
    /// The place of the frame among all of its author's.
    pub order: u64,
    /// The frame.
    pub bytes: Arc<[u8]>,
}

impl Host {
    /// A host that is off. `person` names its identity, so that hosts with equal names are devices of one person.
    #[must_use]
    pub fn new(index: usize, person: &str, ticks: u64, skew_ms: i64) -> Self {
        let signer = FakeSigner::of(person);
        let person = LocalActor::user(signer.clone(), person);
        let guest_name = format!("guest of host {index}");
        let guest = LocalActor::guest(FakeSigner::of(&guest_name), &guest_name, person.actor.user_id.clone());
        let mut profile = [0; 16];
        profile[0] = u8::try_from(index).unwrap_or(u8::MAX);
        Host {
            index,
            person,
            guest,
            signer,
            profile,
            boots: 0,
            ticks,
            skew_ms,
            asleep: false,
            unplugged: false,
            process: None,
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
    pub fn session(&self) -> Option<SessionId> {
        self.process.as_ref().map(|process| process.session)
    }

    /// Starts the program: a new session, a greater boot counter, the same profile, nothing remembered.
    pub fn start(&mut self, seed: u64, room: &RoomId, now: u64) -> SessionId {
        self.boots += 1;
        let session = keys::session(seed, self.index, self.boots);
        let name = self.person.actor.name.clone();
        let certificate = Certificate::issue(&*self.signer, session, self.profile, self.boots, &name);
        let seed = seed ^ (self.index as u64) << 32 ^ self.boots;
        let config = Config { room: room.clone(), certificate, seed, loopback_only: false };
        let replica = Replica::new(config, Arc::new(FakeVerifier), self.tick(now), self.wall_ms(now));
        self.process =
            Some(Process { session, replica, wake_at: None, seen: BTreeSet::new(), members: 0, tape: Vec::new() });
        session
    }
}
