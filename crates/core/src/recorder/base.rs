//! What a replica is when a reel begins: as it was made, or all that it holds at that moment.
//!
//! The first is true for ever. The second follows the types of this crate, so it has a version: a recording that begins in
//! the middle is read by programs whose replica holds the same things. What follows from something else (rows, what is shown
//! of cells, hashes) is not written down but made again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::departed::Departed;
use crate::fields::Fields;
use crate::ids::{MemberId, PublicKey, Rev, RoomId, Seq, SessionId, Tick, UserId};
use crate::own::{ClientLease, OwnRecord};
use crate::peer::{Peer, session_mark};
use crate::proof::{Certificate, LocalActor, Verifier};
use crate::replica::{Config, Continuation, PrivateRoom, Replica};
use crate::row_table::Place;
use crate::said::Breath;
use crate::twins::Twins;
use crate::view::{Actor, ActorKind, Bag, LeftReason, RowKey};

use super::step::{NUMBER_MAX, Who};
use super::witnessed::Unsigned;

/// Grows whenever [`State`] becomes another type.
const STATE_VERSION: u8 = 2;

/// How a reel begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub made: Made,
    /// Nothing of a replica that was only just made.
    pub state: Option<(u8, Vec<u8>)>,
}

/// What a replica is made with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub room: RoomId,
    pub certificate: Certificate,
    pub seed: u64,
    pub loopback_only: bool,
    /// Creator and root of a private room.
    pub private: Option<(PublicKey, [u8; 32])>,
    /// The key of a private room that its driver uses.
    pub key: (u32, [u8; 32]),
    /// How far an earlier replica of the session had counted.
    pub earlier: (Seq, Rev, u32),
    pub at: Tick,
    pub wall: (Tick, u64),
}

/// All that it holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct State {
    pub random: u64,
    pub seq: Seq,
    pub rev: Rev,
    pub incarnations: u32,
    pub own: Vec<(u32, Own)>,
    pub leaving: Vec<(Tick, u32, bool)>,
    pub peers: Vec<(SessionId, Peer)>,
    pub departed: Departed,
    pub cells: Vec<Cell>,
    pub hlc: u64,
    pub key_used: (u32, [u8; 32]),
    pub key_told: Option<(u32, [u8; 32])>,
    pub watching: u32,
    pub pace_ms: u32,
    pub outage: bool,
    pub twins: Twins,
    pub looked: Tick,
    pub syncing: Tick,
    pub beat_at: Tick,
    pub links_told: u32,
    pub links_due: Option<Tick>,
    pub told_us: Option<u64>,
    pub flush_at: Option<Tick>,
    pub questions: Vec<u64>,
    pub answered_at: Option<Tick>,
    pub asking: (u64, Tick),
    pub breath: Breath,
    pub questioning: Breath,
    pub questions_put: u64,
    pub peers_due: Tick,
    pub own_due: Tick,
    pub cells_changed: Tick,
}

/// One own record.
#[derive(Serialize, Deserialize)]
pub(crate) struct Own {
    pub member: MemberId,
    pub key: PublicKey,
    pub name: String,
    pub via: Option<UserId>,
    pub joined_ms: u64,
    #[serde(with = "bag")]
    pub metadata: Bag,
    pub fields: Fields,
    pub act: u64,
    pub rev: Rev,
    pub told: [Rev; 2],
    pub dirty: bool,
    pub whole: bool,
    pub lease: Option<ClientLease>,
}

impl Begin {
    pub fn of(replica: &Replica, now: Tick) -> Self {
        let config = &replica.config;
        let private = config.private.map(|private| (private.creator, private.root));
        let made = Made {
            room: config.room.clone(),
            certificate: config.certificate.clone(),
            seed: config.seed,
            loopback_only: config.loopback_only,
            private,
            key: replica.key_used,
            earlier: replica.continuation().parts(),
            at: now,
            wall: replica.wall,
        };
        let state = (!replica.is_new()).then(|| State::written(replica));
        Begin { made, state }
    }

    pub fn write(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// The state that it begins with, if it is one that this program knows; nothing in nothing when it was only just made.
    pub fn state(&self) -> Option<Option<State>> {
        match &self.state {
            None => Some(None),
            Some((STATE_VERSION, bytes)) => {
                let state: State = postcard::from_bytes(bytes).ok()?;
                state.is_sound().then_some(Some(state))
            }
            Some(_) => None,
        }
    }

    /// Whether its numbers are such as there are.
    pub fn is_sound(&self) -> bool {
        let Made { at, wall: (tick, ms), certificate, .. } = &self.made;
        let (seq, rev, incarnations) = self.made.earlier;
        let numbers = [at.0, tick.0, *ms, certificate.boot, seq.0, rev.0];
        numbers.iter().all(|number| *number <= NUMBER_MAX) && incarnations <= u32::MAX / 2
    }

    /// The replica, whose signatures `verifier` judges.
    pub fn replica(&self, state: Option<State>, verifier: Arc<dyn Verifier>) -> Replica {
        let made = &self.made;
        let config = Config {
            room: made.room.clone(),
            certificate: made.certificate.clone(),
            seed: made.seed,
            loopback_only: made.loopback_only,
            private: made.private.map(|(creator, root)| PrivateRoom { creator, root }),
        };
        let mut replica = Replica::new(config, verifier, made.at, made.wall.1);
        replica.wall = made.wall;
        replica.key_used = made.key;
        let (seq, rev, incarnations) = made.earlier;
        replica.continue_from(Continuation::new(seq, rev, incarnations));
        if let Some(state) = state {
            state.restore(&mut replica);
        }
        replica
    }
}

impl Who {
    /// Somebody with this key whose signatures nobody looks at.
    pub fn actor(&self) -> LocalActor {
        let kind = if self.via.is_some() { ActorKind::Guest } else { ActorKind::User };
        let actor = Actor { kind, user_id: self.key.user_id(), name: self.name.clone(), via: self.via.clone() };
        LocalActor { actor, signer: Arc::new(Unsigned(self.key)) }
    }
}

impl Replica {
    /// Whether nothing was ever put into it.
    fn is_new(&self) -> bool {
        self.peers.is_empty()
            && self.own.is_empty()
            && self.cells.hash() == 0
            && self.departed.count() == (0, 0)
            && !self.outage
            && !self.is_outranked()
            && self.questions_put == 0
            && self.outputs() == 0
    }
}

impl State {
    /// The state of a replica, as it is written down.
    pub fn written(replica: &Replica) -> (u8, Vec<u8>) {
        (STATE_VERSION, postcard::to_stdvec(&State::of(replica)).unwrap_or_default())
    }

    fn of(replica: &Replica) -> Self {
        let own = |(incarnation, record): (&u32, &OwnRecord)| (*incarnation, Own::of(record));
        State {
            random: replica.random.get_seed(),
            seq: replica.seq,
            rev: replica.rev,
            incarnations: replica.incarnations,
            own: replica.own.iter().map(own).collect(),
            leaving: replica.leaving.clone(),
            peers: replica.peers.iter().map(|(session, peer)| (*session, Peer::clone(peer))).collect(),
            departed: replica.departed.clone(),
            cells: replica.cells.all_cells().cloned().collect(),
            hlc: replica.cells.own_hlc(),
            key_used: replica.key_used,
            key_told: replica.key_told,
            watching: replica.watching,
            pace_ms: replica.pace_ms,
            outage: replica.outage,
            twins: replica.twins.clone(),
            looked: replica.looked,
            syncing: replica.syncing,
            beat_at: replica.beat_at,
            links_told: replica.links_told,
            links_due: replica.links_due,
            told_us: replica.told_us,
            flush_at: replica.flush_at,
            questions: replica.questions.clone(),
            answered_at: replica.answered_at,
            asking: replica.asking,
            breath: replica.breath,
            questioning: replica.questioning,
            questions_put: replica.questions_put,
            peers_due: replica.peers_due,
            own_due: replica.own_due,
            cells_changed: replica.cells_changed,
        }
    }

    /// Whether its counters are such as there are, so that nothing overflows that is added to them.
    fn is_sound(&self) -> bool {
        let small = |number: u64| number <= NUMBER_MAX;
        let own = self.own.iter().all(|(incarnation, own)| {
            let told = own.told[0] <= own.told[1] && own.told[1] <= own.rev && own.rev <= self.rev;
            told && *incarnation <= self.incarnations && small(own.act)
        });
        let ticks = [self.looked, self.cells_changed, self.syncing, self.asking.1];
        own && small(self.seq.0)
            && small(self.rev.0)
            && small(self.questions_put)
            && self.incarnations <= u32::MAX / 2
            && self.told_us.is_none_or(|us| us <= NUMBER_MAX * 1_000)
            && ticks.iter().chain(&self.links_due).all(|tick| small(tick.0))
            && self.hlc <= crate::cell::HLC_MAX
    }

    fn restore(self, replica: &mut Replica) {
        replica.random = fastrand::Rng::with_seed(self.random);
        (replica.seq, replica.rev, replica.incarnations) = (self.seq, self.rev, self.incarnations);
        let mut touched = Vec::new();
        for cell in self.cells {
            replica.cells.apply(cell, &mut touched);
        }
        replica.cells.set_own_hlc(self.hlc);
        replica.metadata = crate::metadata::shown(&replica.cells, &replica.config.room);
        replica.board_was_changed(&touched);
        (replica.key_used, replica.key_told) = (self.key_used, self.key_told);
        if replica.access.is_some() {
            let key = replica.key_in_force();
            replica.access = Some(replica.describe(key.as_ref()));
        }
        replica.outage = self.outage;
        replica.looked = self.looked;
        for (incarnation, own) in self.own {
            replica.add_own(incarnation, own.record());
        }
        let mut places = Vec::new();
        for (session, mut peer) in self.peers {
            peer.mark = session_mark(&session);
            for (incarnation, record) in peer.records.iter() {
                places.push((session, incarnation, (record.member.clone(), record.actor.user_id.clone())));
            }
            replica.peers.get_or_insert_with(session, || peer);
        }
        for (session, incarnation, row) in places {
            let place = replica.add_part(row, session, incarnation);
            let record = replica.peers.get_mut(&session).and_then(|peer| peer.records.get_mut(incarnation));
            record.into_iter().for_each(|record| record.place = place);
        }
        let rows: Vec<RowKey> = replica.rows.keys().cloned().collect();
        replica.refresh_all(rows, LeftReason::Left, self.looked);
        replica.forget_outputs();
        (replica.leaving, replica.departed, replica.twins) = (self.leaving, self.departed, self.twins);
        (replica.watching, replica.pace_ms) = (self.watching, self.pace_ms);
        (replica.syncing, replica.beat_at, replica.told_us) = (self.syncing, self.beat_at, self.told_us);
        (replica.links_told, replica.links_due) = (self.links_told, self.links_due);
        (replica.flush_at, replica.questions, replica.answered_at) = (self.flush_at, self.questions, self.answered_at);
        (replica.asking, replica.breath, replica.questioning) = (self.asking, self.breath, self.questioning);
        (replica.questions_put, replica.peers_due, replica.own_due) =
            (self.questions_put, self.peers_due, self.own_due);
        replica.cells_changed = self.cells_changed;
    }
}

impl Own {
    fn of(record: &OwnRecord) -> Self {
        let Who { key, name, via } = Who::of(&record.who);
        Own {
            member: record.member.clone(),
            key,
            name,
            via,
            joined_ms: record.joined_ms,
            metadata: record.metadata.clone(),
            fields: record.fields.clone(),
            act: record.act,
            rev: record.rev,
            told: record.told,
            dirty: record.dirty,
            whole: record.whole,
            lease: record.lease,
        }
    }

    fn record(self) -> OwnRecord {
        OwnRecord {
            who: Who { key: self.key, name: self.name, via: self.via }.actor(),
            member: self.member,
            joined_ms: self.joined_ms,
            metadata: self.metadata,
            fields: self.fields,
            act: self.act,
            rev: self.rev,
            told: self.told,
            dirty: self.dirty,
            whole: self.whole,
            lease: self.lease,
            place: Place::default(),
        }
    }
}

/// JSON inside postcard.
pub(crate) mod bag {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use crate::raw::Raw;
    use crate::view::Bag;

    pub(crate) fn serialize<S: Serializer>(bag: &Bag, serializer: S) -> Result<S::Ok, S::Error> {
        Raw::of(&Value::Object(bag.clone())).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bag, D::Error> {
        match Raw::deserialize(deserializer)?.value() {
            Value::Object(bag) => Ok(bag),
            _ => Err(serde::de::Error::custom("not an object")),
        }
    }
}

/// An actor inside postcard, which says of nothing that it is missing.
pub(crate) mod actor {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::ids::UserId;
    use crate::view::{Actor, ActorKind};

    pub(crate) fn serialize<S: Serializer>(actor: &Actor, serializer: S) -> Result<S::Ok, S::Error> {
        (actor.kind, &actor.user_id, &actor.name, &actor.via).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Actor, D::Error> {
        let (kind, user_id, name, via): (ActorKind, UserId, String, Option<UserId>) =
            Deserialize::deserialize(deserializer)?;
        Ok(Actor { kind, user_id, name, via })
    }
}
