//! Asking others before somebody is given up.
//!
//! A session with members here that turned stale is over in five seconds (design R6). Meanwhile up to two others are asked
//! whether they hear it, three times: by links of their own alone, since a question that went through the room would add to
//! the trouble that it asks about. What they answer is kept beside the session until it is heard again or gone, and makes
//! the verdict of its [`Evidence`].
//!
//! - **No word keeps anybody alive, and none ends anybody** (design R3, R6): a witness can change a sentence and nothing else.
//! - **Each question is answered once, by whom it was put to.** Any other testimony is refused and counted.
//! - **Nobody asks or answers without end**: so many at once, so many a second, in a room.
//! - **Nothing is drawn at random.** Whom an observer asks first follows from the three sessions, so that not all ask the
//!   same; the number of a question is one more than the last.
//! - Testimony is no sign of life, neither of the witness nor of whom it is about: neither frame has a `seq`.

use serde::{Deserialize, Serialize};

use crate::departed::Fate;
use crate::evidence::{Evidence, Facts, Witness, Word, weigh};
use crate::ids::{PublicKey, Seq, SessionId, Tick};
use crate::input::{Path, Verdict};
use crate::limits::{DISCONNECTED_MS, STALE_MS, TIMEOUT_MS};
use crate::peer::Peer;
use crate::replica::Replica;
use crate::view::{LeftReason, RowKey};
use crate::wire::{Frame, Testimony, WitnessAsk};

/// From turning stale to the first question: a link that is only replaced is back by then.
const FIRST_MS: u64 = 1_000;
/// From one round to the next.
const ROUND_MS: u64 = 1_500;
const ROUNDS: usize = 3;
/// Asked in a round.
const PER_ROUND: usize = 2;
/// What is left for the last answers to come.
const LAST_MS: u64 = 1_000;

const WHOLE_MS: u64 = FIRST_MS + (ROUNDS as u64 - 1) * ROUND_MS + LAST_MS;
const _: () = assert!(WHOLE_MS <= TIMEOUT_MS - STALE_MS, "everybody was asked before silence ends a member");
const _: () = assert!(WHOLE_MS <= DISCONNECTED_MS, "and before a closed link does");

/// What others were asked about one session that fell silent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    /// When the next are asked.
    next: Option<Tick>,
    rounds: usize,
    /// At most one entry for each question.
    asked: Vec<Question>,
}

/// The last question to one witness about one session.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Question {
    witness: SessionId,
    nonce: u64,
    open: bool,
    times: usize,
    /// Its newest answer, and when that came.
    word: Option<(Tick, Word)>,
}

impl Case {
    fn new(now: Tick) -> Self {
        Case { next: Some(now.plus(FIRST_MS)), rounds: 0, asked: Vec::new() }
    }

    pub fn next(&self) -> Option<Tick> {
        self.next
    }

    pub fn count(&self) -> usize {
        self.asked.len()
    }
}

impl Peer {
    /// Opens its case when it is silent and has members, closes it when it is heard. True when others are to be asked now.
    pub(crate) fn doubt(&mut self, outage: bool, now: Tick) -> bool {
        if !self.stale || self.records.is_empty() {
            self.case = None;
            return false;
        }
        let case = self.case.get_or_insert_with(|| Box::new(Case::new(now)));
        let counts = !outage || self.loopback;
        counts && case.next.is_some_and(|at| at <= now)
    }

    fn identity(&self) -> Option<PublicKey> {
        self.certificate.as_ref().map(|certificate| certificate.identity)
    }
}

impl Replica {
    /// The next round of questions about a session.
    pub(crate) fn ask_witnesses(&mut self, of: SessionId, now: Tick) {
        let chosen = self.choose_witnesses(of);
        let mut put = Vec::new();
        for witness in chosen {
            if !self.questioning.take(now) {
                self.counters.add("witness_asks_held_back");
                break;
            }
            self.questions_put += 1;
            put.push((witness, self.questions_put));
        }
        let Some(case) = self.peers.get_mut(&of).and_then(|peer| peer.case.as_mut()) else { return };
        case.rounds += 1;
        case.next = (case.rounds < ROUNDS).then(|| now.plus(ROUND_MS));
        for (witness, nonce) in &put {
            let (witness, nonce) = (*witness, *nonce);
            match case.asked.iter_mut().find(|question| question.witness == witness) {
                Some(question) => {
                    (question.nonce, question.open) = (nonce, true);
                    question.times += 1;
                }
                None => case.asked.push(Question { witness, nonce, open: true, times: 1, word: None }),
            }
        }
        for (witness, nonce) in put {
            self.counters.add("witness_asks");
            self.send(witness, Frame::WitnessAsk(WitnessAsk { of, nonce }).encode());
        }
    }

    /// Members with a link of their own that are heard, other people than the one in doubt, those first that were asked the
    /// least; of the devices of one person one.
    fn choose_witnesses(&self, of: SessionId) -> Vec<SessionId> {
        let Some((subject, case)) = self.peers.get(&of).and_then(|peer| Some((peer, peer.case.as_ref()?))) else {
            return Vec::new();
        };
        let question = |witness: &SessionId| case.asked.iter().find(|question| question.witness == *witness);
        let asked_as = |identity: &PublicKey| {
            let sessions = case.asked.iter().map(|question| question.witness);
            let mut others = sessions.filter_map(|session| Some((session, self.peers.get(&session)?.identity()?)));
            others.find(|(_, other)| other == identity).map(|(session, _)| session)
        };
        let mut able: Vec<(usize, u32, PublicKey, SessionId)> = Vec::new();
        for (id, peer) in self.peers.iter() {
            let Some(identity) = peer.identity() else { continue };
            let hears = peer.linked && !peer.stale && !peer.records.is_empty();
            let other_device = asked_as(&identity).is_some_and(|session| session != *id);
            if *id == of || !hears || Some(identity) == subject.identity() || other_device {
                continue;
            }
            let turn = peer.mark ^ subject.mark ^ self.mark.rotate_left(8);
            able.push((question(id).map_or(0, |question| question.times), turn, identity, *id));
        }
        able.sort_unstable();
        let mut chosen: Vec<(PublicKey, SessionId)> = Vec::new();
        for (_, _, identity, id) in able {
            if chosen.len() < PER_ROUND && chosen.iter().all(|(other, _)| *other != identity) {
                chosen.push((identity, id));
            }
        }
        chosen.into_iter().map(|(_, id)| id).collect()
    }

    /// Somebody asks whether this peer hears another.
    pub(crate) fn witness_ask_in(&mut self, author: SessionId, ask: &WitnessAsk, path: Path, now: Tick) -> Verdict {
        if path != Path::Direct {
            self.counters.add("witness_by_gossip");
            return Verdict::Ignore;
        }
        if ask.of == author || ask.of == self.session() {
            // They know better themselves.
            self.counters.add("witness_of_a_party");
            return Verdict::Ignore;
        }
        let Some(peer) = self.peers.get_mut(&author).filter(|peer| peer.linked) else {
            self.counters.add("witness_asked_by_stranger");
            return Verdict::Ignore;
        };
        if !peer.asks.take(now) {
            self.counters.add("witness_asked_too_often");
            return Verdict::Ignore;
        }
        let word = self.word_on(&ask.of, now);
        self.counters.add("testimonies");
        self.send(author, Frame::Testimony(Testimony { of: ask.of, nonce: ask.nonce, word }).encode());
        Verdict::Ignore
    }

    /// What this peer itself can say of a session.
    fn word_on(&self, of: &SessionId, now: Tick) -> Word {
        if self.outage {
            return Word::Unknown;
        }
        match self.peers.get(of).filter(|peer| !peer.records.is_empty()) {
            Some(peer) if peer.is_stale(now) => Word::Silent(Some(now.since(peer.heard))),
            Some(peer) => Word::Hears(now.since(peer.heard)),
            None => match self.departed.fate(of) {
                Some(Fate::GivenUp) => Word::Silent(None),
                Some(Fate::Left(last)) => Word::Left(last),
                None => Word::Unknown,
            },
        }
    }

    /// An answer.
    pub(crate) fn testimony_in(&mut self, author: SessionId, said: &Testimony, path: Path, now: Tick) -> Verdict {
        if path != Path::Direct {
            self.counters.add("witness_by_gossip");
            return Verdict::Ignore;
        }
        let subject = self.peers.get_mut(&said.of);
        // Who left and came again is another record, which the witness may have missed: that they left says nothing of it.
        let newest = subject.as_ref().and_then(|peer| peer.records.keys().max().copied());
        let word = match said.word {
            Word::Left(last) if newest > Some(last) => Word::Unknown,
            word => word,
        };
        let case = subject.and_then(|peer| peer.case.as_mut());
        let question = case.and_then(|case| {
            let put =
                |question: &&mut Question| question.open && question.witness == author && question.nonce == said.nonce;
            case.asked.iter_mut().find(put)
        });
        match question {
            Some(question) => {
                question.open = false;
                question.word = Some((now, word));
            }
            None => self.counters.add("testimony_unasked"),
        }
        Verdict::Ignore
    }

    /// A newest sign of life of `author` was passed on by `via`.
    pub(crate) fn note_relay(&mut self, author: SessionId, via: SessionId, seq: Seq, now: Tick) {
        if let Some(peer) = self.peers.get_mut(&author).filter(|peer| peer.seq == seq && peer.heard == now) {
            peer.relayed = Some((now, via));
        }
    }

    /// What is known of whether a member is there; of one of its sessions only when that is named.
    pub(crate) fn evidence_of_row(&self, key: &RowKey, only: Option<SessionId>, now: Tick) -> Option<Evidence> {
        let of = self.best_session(key, only, now)?;
        if of == self.session() { Some(Facts::own()) } else { self.evidence_of(of, now) }
    }

    /// What is known of a session that is about to be given up, for those who are told that its members left.
    pub(crate) fn last_evidence(&self, of: SessionId, reason: LeftReason, now: Tick) -> Option<Evidence> {
        let given_up = matches!(reason, LeftReason::Timeout | LeftReason::Disconnected);
        given_up.then(|| self.evidence_of(of, now)).flatten()
    }

    fn evidence_of(&self, of: SessionId, now: Tick) -> Option<Evidence> {
        let peer = self.peers.get(&of)?;
        let name = |id: &SessionId| {
            let record = self.peers.get(id)?.records.values().next()?;
            Some((record.actor.user_id.clone(), record.actor.name.clone()))
        };
        let witness = |question: &Question| {
            let (says, heard_ms_ago) = weigh(question.word, peer.heard, now);
            let (user_id, name) = name(&question.witness).unzip();
            Witness { session_id: question.witness.to_string(), user_id, name, says, heard_ms_ago }
        };
        let case = peer.case.as_ref();
        let relayed = peer.relayed.filter(|(at, _)| *at == peer.heard);
        let facts = Facts {
            now,
            heard: peer.heard,
            stale: peer.is_stale(now),
            linked: peer.linked,
            relayed: relayed.map(|(_, via)| name(&via).map(|(_, name)| name)),
            lost: peer.lost.map(|(_, cause)| cause),
            outage: self.outage && !peer.loopback,
            rtt_us: peer.rtt_us,
            asked: case.is_some_and(|case| case.rounds > 0),
            over: case.is_some_and(|case| case.next.is_none()),
            witnesses: case.map(|case| case.asked.iter().map(witness).collect()).unwrap_or_default(),
        };
        Some(facts.evidence())
    }

    /// Others that hear a session, as they say.
    #[cfg(test)]
    pub(crate) fn heard_by(&self, of: SessionId, now: Tick) -> usize {
        let evidence = self.evidence_of(of, now);
        let hear = |witness: &&Witness| witness.says == crate::WitnessSays::Hears;
        evidence.map_or(0, |evidence| evidence.witnesses.iter().filter(hear).count())
    }
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
