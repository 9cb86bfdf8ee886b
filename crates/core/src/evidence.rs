//! What a peer knows of whether somebody is there, and what follows from it in one sentence.
//!
//! A grey name says that signs of life stay away; it does not say whose fault that is. "They left" and "you lost them, three
//! others still hear them" look the same in a list and ask for different things to be done. So all that is known stands
//! together here: when the last frame came and by which way, the round trip, the heartbeats that are missing, and what others
//! said when they were asked (`witness`). [`Facts::verdict`] makes one code of it and [`Facts::sentence`] one sentence.
//!
//! Nothing here decides about anybody's life: leases do (design R6), and no word of another reaches them. A witness that lies
//! changes a sentence.

use serde::{Deserialize, Serialize};

use crate::ids::{Tick, UserId};
use crate::input::DownCause;
use crate::limits::BEAT_MS;

/// Heartbeats come no further apart than this (design R6).
const BEAT_MAX_MS: u64 = BEAT_MS + BEAT_MS / 5;
/// A witness heard somebody after this peer did when it was by more than this: the same frame is no news.
const LATER_MS: u64 = 1_000;

/// What this peer knows of whether a member is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Milliseconds since its last frame, by this peer's clock; 0 for a member of this peer.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub heard_ms_ago: u64,
    /// By which way that frame came.
    pub path: EvidencePath,
    /// The name of who passed it on, when somebody did who is a member here.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub through: Option<String>,
    /// Whether there is a link to it now.
    pub linked: bool,
    /// The last answered ping on that link, in milliseconds; `null` without a link, or before the first answer.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub rtt_ms: Option<f64>,
    /// Heartbeats that should have come since the last frame. One comes every 2 s, give or take a fifth.
    pub missed_beats: u32,
    /// Others that were asked whether they hear it, since it fell silent: at most six. Nobody is asked before.
    pub witnesses: Vec<Witness>,
    /// What follows from all of that.
    pub verdict: EvidenceVerdict,
    /// The same as a sentence in English.
    pub sentence: String,
}

/// By which way the last frame of somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum EvidencePath {
    /// By none: it is a member of this peer.
    Own,
    /// Over its own link.
    Direct,
    /// Somebody passed it on.
    Relayed,
}

/// Somebody who was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    /// Its session's public key in hexadecimal.
    pub session_id: String,
    /// Whose session that is, when it is still a member here.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub user_id: Option<UserId>,
    /// What that person is called; anybody may call themselves anything.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub name: Option<String>,
    /// What it says. That is its word, and nobody can check it.
    pub says: WitnessSays,
    /// Milliseconds since it heard the member, as it says; `null` when it did not say.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub heard_ms_ago: Option<u64>,
}

/// What a witness says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum WitnessSays {
    /// It heard it since this peer did.
    Hears,
    /// It does not hear it either.
    Silent,
    /// It was told that the member left.
    Left,
    /// It does not know it.
    Unknown,
    /// Nothing, yet.
    Nothing,
}

/// What follows from the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum EvidenceVerdict {
    /// It is a member of this peer.
    Own,
    /// It is heard on its own link.
    Here,
    /// It is heard because others pass it on: there is no direct link, or it closed.
    Relayed,
    /// A heartbeat is overdue, and nobody has said anything about it yet.
    Quiet,
    /// It left: this peer missed that, and others did not.
    Left,
    /// Most of those who answered still hear it: this peer's own network, or the way between the two.
    YouLostThem,
    /// Some hear it and at least as many do not, this peer's side among them: the network is cut.
    SomeLostThem,
    /// None of those who answered hears it: it is gone, or its network is.
    AllLostThem,
    /// It fell silent, and nobody else is here who could be asked.
    NobodyToAsk,
    /// It fell silent, and none of those who were asked answered: perhaps this peer's own network.
    NoAnswer,
    /// This peer's own network is out, so that silence says nothing (design R9).
    OwnOutage,
}

/// What another said of somebody, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Word {
    /// Heard so many milliseconds ago, and not stale.
    Hears(u64),
    /// Stale, and heard so many milliseconds ago; nothing when it was given up and forgotten.
    Silent(Option<u64>),
    /// It said that it leaves; of its records up to this incarnation that is known.
    Left(u32),
    /// Never met, or long forgotten.
    Unknown,
}

/// All that is known of one session, before it is judged.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub now: Tick,
    pub heard: Tick,
    pub stale: bool,
    pub linked: bool,
    /// Whether the last frame was passed on, and by whom.
    pub relayed: Option<Option<String>>,
    /// Why its link closed, when it did and nothing came since.
    pub lost: Option<DownCause>,
    /// Whether silence says nothing now.
    pub outage: bool,
    pub rtt_us: Option<u32>,
    /// Whether others were looked for already.
    pub asked: bool,
    /// Whether nobody will be asked any more.
    pub over: bool,
    pub witnesses: Vec<Witness>,
}

/// How many said what.
#[derive(Clone, Copy, Debug, Default)]
struct Votes {
    hear: usize,
    lost: usize,
    left: usize,
    unknown: usize,
}

/// What somebody's word comes to, for an observer who heard the subject last at `heard`.
pub(crate) fn weigh(word: Option<(Tick, Word)>, heard: Tick, now: Tick) -> (WitnessSays, Option<u64>) {
    let since = |at: Tick, ms: u64| ms.saturating_add(now.since(at));
    match word {
        None => (WitnessSays::Nothing, None),
        Some((at, Word::Hears(ms))) => {
            let later = at.0.saturating_sub(ms) > heard.0.saturating_add(LATER_MS);
            (if later { WitnessSays::Hears } else { WitnessSays::Silent }, Some(since(at, ms)))
        }
        Some((at, Word::Silent(ms))) => (WitnessSays::Silent, ms.map(|ms| since(at, ms))),
        Some((_, Word::Left(_))) => (WitnessSays::Left, None),
        Some((_, Word::Unknown)) => (WitnessSays::Unknown, None),
    }
}

impl Facts {
    /// Of a member of this peer.
    pub fn own() -> Evidence {
        Evidence {
            heard_ms_ago: 0,
            path: EvidencePath::Own,
            through: None,
            linked: false,
            rtt_ms: None,
            missed_beats: 0,
            witnesses: Vec::new(),
            verdict: EvidenceVerdict::Own,
            sentence: "This is a member of this peer itself.".to_owned(),
        }
    }

    pub fn evidence(self) -> Evidence {
        let (verdict, sentence) = (self.verdict(), self.sentence());
        let path = if self.relayed.is_some() { EvidencePath::Relayed } else { EvidencePath::Direct };
        Evidence {
            heard_ms_ago: self.silence(),
            path,
            linked: self.linked,
            rtt_ms: self.rtt_us.map(|us| f64::from(us) / 1_000.0),
            missed_beats: self.missed(),
            through: self.relayed.flatten(),
            witnesses: self.witnesses,
            verdict,
            sentence,
        }
    }

    fn silence(&self) -> u64 {
        self.now.since(self.heard)
    }

    fn missed(&self) -> u32 {
        u32::try_from(self.silence() / BEAT_MAX_MS).unwrap_or(u32::MAX)
    }

    fn through(&self) -> String {
        self.relayed.clone().flatten().unwrap_or_else(|| "others".to_owned())
    }

    fn votes(&self) -> Votes {
        let mut votes = Votes::default();
        for witness in &self.witnesses {
            match witness.says {
                WitnessSays::Hears => votes.hear += 1,
                WitnessSays::Silent => votes.lost += 1,
                WitnessSays::Left => votes.left += 1,
                WitnessSays::Unknown => votes.unknown += 1,
                WitnessSays::Nothing => {}
            }
        }
        votes
    }

    /// One code. The more say the same, the more it counts: one who lies among several who do not cannot turn it round.
    pub fn verdict(&self) -> EvidenceVerdict {
        use EvidenceVerdict as E;
        if !self.stale {
            // In a room that is not fully linked a copy may come by others sooner than by the link: that closes no link.
            return match (self.missed(), &self.relayed) {
                (1.., _) => E::Quiet,
                (_, Some(_)) if !self.linked => E::Relayed,
                _ => E::Here,
            };
        }
        if self.outage {
            return E::OwnOutage;
        }
        let votes = self.votes();
        match votes {
            Votes { hear, lost, left, .. } if hear > lost + left => E::YouLostThem,
            Votes { hear: 1.., .. } => E::SomeLostThem,
            Votes { lost, left, .. } if left > lost => E::Left,
            Votes { lost: 1.., .. } => E::AllLostThem,
            _ if self.asked && self.witnesses.is_empty() => E::NobodyToAsk,
            _ if self.over => E::NoAnswer,
            _ => E::Quiet,
        }
    }

    /// The same in words, for people.
    pub fn sentence(&self) -> String {
        use EvidenceVerdict as E;
        let (votes, ago) = (self.votes(), seconds(self.silence()));
        let others = |count: usize| if count == 1 { "1 other".to_owned() } else { format!("{count} others") };
        let hear = |count: usize| if count == 1 { "hears" } else { "hear" };
        match self.verdict() {
            E::Own => "This is a member of this peer itself.".to_owned(),
            E::Here if self.relayed.is_some() => {
                format!("Heard {ago} ago through {}, and there is a direct link too.", self.through())
            }
            E::Here => format!("Heard {ago} ago on a direct link."),
            E::Relayed => format!("Heard {ago} ago through {}; there is no direct link.", self.through()),
            E::Quiet if self.stale && !self.witnesses.is_empty() => {
                format!("Not heard for {ago}; {} asked and did not answer yet.", were(&others(self.witnesses.len())))
            }
            E::Quiet => format!("Not heard for {ago}."),
            E::Left => format!("They left: {} heard them say so, and this peer did not.", others(votes.left)),
            E::YouLostThem => {
                let (count, hear) = (others(votes.hear), hear(votes.hear));
                format!("You lost them {ago} ago, but {count} still {hear} them: it is your network.")
            }
            E::SomeLostThem => {
                let (lost, count, hear) = (others(votes.lost + votes.left), others(votes.hear), hear(votes.hear));
                format!(
                    "You and {lost} lost them {ago} ago, but {count} still {hear} them: the network is in two pieces."
                )
            }
            E::AllLostThem => {
                let end = match self.lost {
                    Some(DownCause::Closed) => "their end of the link closed, and nobody who was asked hears them",
                    _ => "nobody who was asked hears them",
                };
                format!("You and {} lost them {ago} ago: {end}.", others(votes.lost + votes.left))
            }
            E::NobodyToAsk => format!("Not heard for {ago}, and nobody else is here to ask."),
            E::NoAnswer if votes.unknown > 0 => {
                format!("Not heard for {ago}, and of {} asked none knows them.", others(self.witnesses.len()))
            }
            E::NoAnswer => {
                let count = others(self.witnesses.len());
                format!("Not heard for {ago}, and of {count} asked none answered: it may be your network.")
            }
            E::OwnOutage => "This peer's own network is out, so nothing is known of them.".to_owned(),
        }
    }
}

fn were(count: &str) -> String {
    format!("{count} {}", if count.starts_with("1 ") { "was" } else { "were" })
}

/// Tenths below ten seconds.
fn seconds(ms: u64) -> String {
    if ms < 9_950 { format!("{}.{} s", (ms + 50) / 1000, (ms + 50) % 1000 / 100) } else { format!("{} s", ms / 1000) }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
