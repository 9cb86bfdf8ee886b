//! The same profile in two processes at once, because its folder was copied (design R2).
//!
//! A **twin** is another session of this very profile that lives while this one does. A restart makes none: one process
//! holds a profile at a time, so whoever sees its own profile in another session looks at a copy. Three rules:
//!
//! - **Both are told.** Who meets a twin introduces itself to it, since a session that only looks on tells nobody who it
//!   is. So both know, whichever of them is in the room first, and whether it has members there or not.
//! - **The later start goes on.** The earlier one ends its members and is read-only from then on, in every room of its
//!   process ([`Replica::outrank`]). Of two equal starts neither is: they are two devices of one person, as it looks.
//! - **Said once, until it is over.** A twin is gone as a member is (design R6): when it has no link here and was silent for
//!   ten seconds, or for five since it closed its link; own outage and sleep do not count. The one that goes on is then
//!   told that it is over. The read-only one is told that the other is gone, and stays read-only: everybody has retired
//!   its session for good. Its process comes back by beginning another session, whose boot counter is the next after its
//!   own and so still below that of the twin. If the twin was only out of reach, it goes on when it is back, and the two
//!   never take turns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{Seq, SessionId, Tick};
use crate::input::{DownCause, Verdict};
use crate::limits::{DISCONNECTED_MS, TIMEOUT_MS};
use crate::proof::Certificate;
use crate::recorder::step::What;
use crate::replica::Replica;
use crate::view::{Cloned, Event, LeftReason};
use crate::wire::{Frame, Introduction};

/// Twins that are told apart. However many copies there are, the person has the same to do about them.
const TWINS_MAX: usize = 8;

/// What is known of the twins of this session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Twins {
    met: BTreeMap<SessionId, Twin>,
    /// A later run of this profile is known: this session speaks no more.
    outranked: bool,
    /// What readers were told last.
    pub told: Option<Cloned>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Twin {
    /// When it is gone if it has no link until then and nothing is heard of it.
    gone_at: Tick,
    seq: Seq,
}

impl Twin {
    fn heard(seq: Seq, now: Tick) -> Self {
        Twin { gone_at: now.plus(TIMEOUT_MS), seq }
    }

    /// Takes a sign of life, unless one as new was taken before.
    fn hear(&mut self, seq: Seq, now: Tick) {
        if seq > self.seq {
            *self = Twin::heard(seq, now);
        }
    }
}

impl Replica {
    /// A session has proven who it is, and that it lives. When it is a twin, it becomes known as one.
    pub(crate) fn meet(&mut self, certificate: &Certificate, seq: Seq, now: Tick) {
        if !self.is_twin(certificate) {
            return;
        }
        self.counters.add("identity_cloned");
        let session = certificate.session;
        if let Some(twin) = self.twins.met.get_mut(&session) {
            twin.hear(seq, now);
        } else if self.twins.met.len() < TWINS_MAX {
            self.twins.met.insert(session, Twin::heard(seq, now));
            self.introduce(session);
        }
        if certificate.boot > self.config.certificate.boot {
            self.stand_down(now);
        }
        self.tell_cloned(now);
    }

    /// A later run of this profile is known to this process, in whatever room: this session ends its members and only looks
    /// on from now on.
    pub fn outrank(&mut self, now: Tick) {
        self.note_step(&What::Outrank, now);
        self.stand_down(now);
    }

    fn stand_down(&mut self, now: Tick) {
        if self.twins.outranked {
            return;
        }
        self.twins.outranked = true;
        self.leave_all_to(LeftReason::Superseded, now);
        // It goes on saying that it is there, or the other would think that it is gone.
        self.beat_at = now.plus(100);
        self.tell_cloned(now);
    }

    /// Whether this session is read-only, because a later run of its profile is known.
    #[must_use]
    pub fn is_outranked(&self) -> bool {
        self.twins.outranked
    }

    /// Any frame of a twin shows that it lives, also one that is refused because its author is retired.
    pub(crate) fn hear_twin(&mut self, author: &SessionId, seq: Option<Seq>, now: Tick) {
        if let (Some(twin), Some(seq)) = (self.twins.met.get_mut(author), seq) {
            twin.hear(seq, now);
        }
    }

    pub(crate) fn introduction_in(&mut self, author: SessionId, said: &Introduction, now: Tick) -> Verdict {
        if said.to != self.session() {
            return Verdict::Accept;
        }
        let certificate = &said.certificate;
        if certificate.session != author || !self.is_twin(certificate) || !certificate.verify(&*self.verifier) {
            self.counters.add("certificate");
            return Verdict::Reject;
        }
        self.meet(certificate, said.seq, now);
        Verdict::Accept
    }

    /// A link with a session is there: if it is a twin, its replica may be a new one that does not know us.
    pub(crate) fn greet_twin(&mut self, session: SessionId) {
        if self.twins.met.contains_key(&session) {
            self.introduce(session);
        }
    }

    /// The link of a twin is gone: silence counts from now on, and half of it when the other end closed it.
    pub(crate) fn twin_down(&mut self, session: &SessionId, cause: DownCause, now: Tick) {
        if let Some(twin) = self.twins.met.get_mut(session) {
            let patience = if cause == DownCause::TimedOut { TIMEOUT_MS } else { DISCONNECTED_MS };
            twin.gone_at = now.plus(patience);
        }
    }

    /// Time passed in which nobody could be heard.
    pub(crate) fn spare_twins(&mut self, now: Tick) {
        self.twins.met.values_mut().for_each(|twin| twin.gone_at = now.plus(TIMEOUT_MS));
    }

    /// Forgets the twins that are gone.
    pub(crate) fn expire_twins(&mut self, now: Tick) {
        let due = self.twins_due();
        let gone: Vec<SessionId> = due.filter(|(due, _)| *due <= now).map(|(_, session)| session).collect();
        if !gone.is_empty() {
            self.twins.met.retain(|session, _| !gone.contains(session));
            self.tell_cloned(now);
        }
    }

    /// When the first of them may be gone, with no traffic at all.
    pub(crate) fn twin_due(&self) -> Option<Tick> {
        self.twins_due().map(|(due, _)| due).min()
    }

    /// When those whose silence counts are gone unless they are heard.
    fn twins_due(&self) -> impl Iterator<Item = (Tick, SessionId)> {
        let silent = self.twins.met.iter().filter(|(session, _)| self.silence_counts(session));
        silent.map(|(session, twin)| (twin.gone_at, *session))
    }

    /// Whether it says something that a twin is not heard: not in own outage (design R9), nor while there is a link.
    fn silence_counts(&self, session: &SessionId) -> bool {
        let linked = self.peers.get(session).is_some_and(|peer| peer.linked);
        !self.outage && !linked
    }

    fn is_twin(&self, certificate: &Certificate) -> bool {
        let own = &self.config.certificate;
        let same = certificate.identity == own.identity && certificate.profile == own.profile;
        same && certificate.session != own.session
    }

    fn introduce(&mut self, to: SessionId) {
        let certificate = self.config.certificate.clone();
        let bytes = Frame::Introduction(Box::new(Introduction { to, seq: self.next_seq(), certificate })).encode();
        let linked = self.peers.get(&to).is_some_and(|peer| peer.linked);
        if linked { self.send(to, bytes) } else { self.publish(bytes) }
    }

    fn tell_cloned(&mut self, now: Tick) {
        let Twins { met, outranked, told } = &self.twins;
        let others: Vec<String> = met.keys().map(ToString::to_string).collect();
        let since = told.as_ref().map_or_else(|| self.timestamp(now), |told| told.since);
        let cloned = (*outranked || !others.is_empty()).then_some(Cloned { since, read_only: *outranked, others });
        if cloned != *told {
            self.twins.told.clone_from(&cloned);
            self.emit(Event::Cloned { cloned });
        }
    }
}

#[cfg(test)]
#[path = "twins_tests.rs"]
mod tests;
