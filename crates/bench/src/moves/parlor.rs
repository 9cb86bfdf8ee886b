//! Parlor, by the public calls of its core. Each member is a session of its own, all linked with all and with one that looks
//! on, as in a room of so many; time goes on as fast as the turns of such a room allow, and not with the processor's clock.

use std::any::Any;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use parlor_core::{
    Certificate, Config, Event, Input, Join, Lease, LocalActor, Output, Path, PresenceChange, PublicKey, Replica,
    RoomId, SessionId, Signer, Tick, Verifier,
};
use serde_json::json;

use super::system::System;
use crate::trace::{Cursor, Presence, START};

/// When the story begins, by everybody's clock.
const BEGINNING_MS: u64 = 1_800_000_000_000;
/// Refusals and repairs that nothing in this room may cause.
const AMISS: [&str; 5] = ["delta_gap", "asks", "stalled", "presence_over_limit", "frame_unreadable"];

struct Key(SigningKey);

impl Signer for Key {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_dalek::Signer::sign(&self.0, message).to_bytes()
    }
}

struct Ed25519;

impl Verifier for Ed25519 {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(&key.0);
        key.is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

struct Peer {
    replica: Replica,
    who: LocalActor,
}

impl Peer {
    fn new(number: usize) -> anyhow::Result<Peer> {
        let mut secret = [7; 32];
        secret[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let signer: Arc<dyn Signer> = Arc::new(Key(SigningKey::from_bytes(&secret)));
        // As random as a session's key is.
        let session = SessionId(SigningKey::from_bytes(&[secret[0]; 32]).verifying_key().to_bytes());
        let who = LocalActor::user(Arc::clone(&signer), "Quiet Otter");
        let certificate = Certificate::issue(&*signer, session, [number as u8; 16], BEGINNING_MS, "Quiet Otter");
        let config = Config {
            room: RoomId::new("bench")?,
            certificate,
            seed: number as u64,
            loopback_only: false,
            private: None,
        };
        Ok(Peer { replica: Replica::new(config, Arc::new(Ed25519), Tick(0), BEGINNING_MS), who })
    }
}

pub struct Parlor {
    members: Vec<Peer>,
    looks_on: Peer,
    sessions: Vec<SessionId>,
    now: u64,
    /// Microseconds of the story between two moves in the room.
    step_us: u64,
    now_us: u64,
    told: usize,
    whole: usize,
    /// What who looks on sends, for the members.
    said: Vec<Vec<u8>>,
}

impl Parlor {
    fn peer(&mut self, at: usize) -> &mut Peer {
        self.members.get_mut(at).unwrap_or(&mut self.looks_on)
    }

    /// Delivers what everybody has to say until nobody says anything more. Bytes of whole records that who looks on took.
    fn talk(&mut self) -> usize {
        let count = self.members.len();
        let mut whole = 0;
        let mut letters: VecDeque<(usize, usize, Path, Vec<u8>)> = VecDeque::new();
        loop {
            for from in 0..=count {
                while let Some(output) = self.peer(from).replica.poll_output() {
                    match output {
                        Output::Publish { bytes, .. } => {
                            let others = (0..=count).filter(|to| *to != from);
                            letters.extend(others.map(|to| (from, to, Path::Gossip, bytes.clone())));
                        }
                        Output::Send { peer, bytes } => {
                            let to = self.sessions.iter().position(|session| *session == peer);
                            letters.extend(to.map(|to| (from, to, Path::Direct, bytes)));
                        }
                        Output::Event(_) => {}
                    }
                }
            }
            if letters.is_empty() {
                return whole;
            }
            for (from, to, path, bytes) in letters.drain(..) {
                whole += if to == count { bytes.len() } else { 0 };
                self.give(from, to, path, bytes);
            }
        }
    }

    fn give(&mut self, from: usize, to: usize, path: Path, bytes: Vec<u8>) {
        let (author, now) = (self.sessions[from], Tick(self.now));
        self.peer(to).replica.handle(Input::Frame { author, via: author, path, bytes }, now);
    }

    fn link(&mut self, one: usize, other: usize) {
        let now = Tick(self.now);
        for (at, peer) in [(one, other), (other, one)] {
            let peer = self.sessions[peer];
            self.peer(at).replica.handle(Input::LinkUp { peer, loopback: false }, now);
        }
    }

    /// Everybody lives for so long without a move.
    fn live(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(50) {
            self.now += 50;
            for at in 0..=self.members.len() {
                let now = Tick(self.now);
                self.peer(at).replica.handle(Input::Timeout, now);
            }
            self.talk();
        }
        self.now_us = self.now * 1000;
    }
}

impl System for Parlor {
    type Change = PresenceChange;

    fn new(members: usize) -> anyhow::Result<Self> {
        let peers: Vec<Peer> = (0..members).map(Peer::new).collect::<anyhow::Result<_>>()?;
        let looks_on = Peer::new(members)?;
        let sessions = peers.iter().chain([&looks_on]).map(|peer| peer.replica.session()).collect();
        // A turn of a room of so many (design A7), and a little more, shared by all of its members.
        let turn_us = (members as u64 * 1_000_000 / 240).clamp(1_000_000 / 30, 1_000_000) + 1_000;
        let step_us = turn_us.div_ceil(members.max(1) as u64);
        let mut room = Parlor {
            members: peers,
            looks_on,
            sessions,
            now: 0,
            step_us,
            now_us: 0,
            told: 0,
            whole: 0,
            said: Vec::new(),
        };
        for one in 0..members {
            (0..one).for_each(|other| room.link(one, other));
        }
        room.talk();
        for at in 0..members {
            let who = room.members[at].who.clone();
            let join = Join::new().presence(json!(Presence::at(START)));
            room.members[at].replica.join(&who, join, Lease::Own, Tick(room.now))?;
        }
        room.talk();
        // Who looks on is the newcomer: what reaches it as its links come up is how the room becomes known.
        let mut whole = 0;
        for at in 0..members {
            room.link(at, members);
        }
        whole += room.talk();
        room.whole = whole;
        room.live(5_000);
        let known = room.looks_on.replica.holdings().rows;
        ensure!(known == members, "who looks on knows {known} of {members} members");
        Ok(room)
    }

    fn change(&self, _: usize, cursor: Cursor) -> PresenceChange {
        PresenceChange::new(json!({ "cursor": cursor }))
    }

    fn encode(&mut self, member: usize, change: PresenceChange) -> anyhow::Result<Vec<u8>> {
        self.now_us += self.step_us;
        self.now = self.now_us / 1000;
        let peer = &mut self.members[member];
        black_box(peer.replica.presence(&peer.who, change, Tick(self.now))?);
        let mut frame = None;
        while let Some(output) = peer.replica.poll_output() {
            match output {
                Output::Publish { bytes, .. } if frame.is_none() => frame = Some(bytes),
                Output::Event(event) => drop(black_box(event)),
                other => bail!("one move, and then {other:?}"),
            }
        }
        frame.context("a move was not told at once")
    }

    fn apply(&mut self, member: usize, frame: Vec<u8>) -> anyhow::Result<()> {
        let author = self.sessions[member];
        let input = Input::Frame { author, via: author, path: Path::Gossip, bytes: frame };
        let replica = &mut self.looks_on.replica;
        replica.handle(input, Tick(self.now));
        while let Some(output) = replica.poll_output() {
            match output {
                Output::Event(Event::Updated { member, changed }) => {
                    self.told += changed.len();
                    black_box(member);
                }
                Output::Publish { bytes, .. } => self.said.push(bytes),
                other => bail!("one move came, and then {other:?}"),
            }
        }
        Ok(())
    }

    fn pass_on(&mut self, frames: &[(usize, Vec<u8>)]) -> anyhow::Result<()> {
        let count = self.members.len();
        let said = std::mem::take(&mut self.said);
        let said = said.iter().map(|frame| (count, frame));
        for (from, frame) in said.chain(frames.iter().map(|(from, frame)| (*from, frame))) {
            for to in (0..count).filter(|to| *to != from) {
                self.give(from, to, Path::Gossip, frame.clone());
                while let Some(output) = self.members[to].replica.poll_output() {
                    match output {
                        Output::Event(Event::Updated { .. }) => {}
                        other => bail!("one heard the others, and then {other:?}"),
                    }
                }
            }
        }
        let amiss = |peer: &Peer| AMISS.into_iter().find(|name| peer.replica.counters().get(name) > 0);
        if let Some(name) = self.members.iter().chain([&self.looks_on]).find_map(amiss) {
            bail!("{name} in a room where nothing is lost");
        }
        Ok(())
    }

    fn whole(&mut self) -> anyhow::Result<Option<usize>> {
        Ok(Some(self.whole))
    }

    fn seen(&self, member: usize) -> Option<Cursor> {
        let snapshot = self.looks_on.replica.snapshot();
        let user = &self.members.get(member)?.who.actor.user_id;
        let row = snapshot.members.iter().find(|row| row.actor.user_id == *user)?;
        let cursor = row.record.presence.get("cursor")?;
        Some(Cursor { x: cursor.get("x")?.as_f64()?, y: cursor.get("y")?.as_f64()? })
    }

    fn told(&self) -> Option<usize> {
        Some(self.told)
    }

    fn who_looks_on(self) -> Box<dyn Any> {
        Box::new(self.looks_on)
    }
}
