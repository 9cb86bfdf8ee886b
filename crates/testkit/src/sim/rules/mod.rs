//! The rules that the simulator watches in every story. Each of the oracles that the design names (§6) stands here in its
//! words, with the rule that a failure names:
//!
//! | the design's words | rule | kept by |
//! |---|---|---|
//! | replicas equal after heal (values, not only hashes) | [`AGREE`] | [`agree`] in every story, and what a story [expects](crate::story::Expect::Agreement) |
//! | one lost write repaired within three beats | [`REPAIR`] | [`repair`] |
//! | no field of a record ever goes back at any observer | [`FORWARD`] | [`forward`]; no value is seen that nobody wrote either |
//! | a new write beats what its author saw | [`BEATS`] | [`beats`], and the writer's own replica at each write |
//! | nobody expires by time slept through | [`LEASES`] | [`leases`]; nor by own outage or by others, and silence does expire |
//! | no resurrection after leave, crash or replay | [`APPEAR`] | [`appear`]; nor does a relayed frame alone make anybody appear |
//! | the event grammar | [`GRAMMAR`] | [`grammar`]; and the list is what events said |
//! | an update is visible everywhere within coalescing plus link latency on a lossless net | [`PROMPT`] | [`prompt`] |
//! | same seed, same trace | [`SAME`] | [`twice`](super::run::twice) |
//!
//! Of private rooms, in [`verdict`], [`VERDICT`]: hosts, locks and voids are those that somebody wished who may, and a lock
//! holds. That every replica comes to the same is part of [`AGREE`].
//!
//! What witnesses say of those who fell silent is held against what they know, in [`hearsay`], [`HEARSAY`]; that no word of
//! theirs keeps or ends anybody is part of [`LEASES`].
//!
//! Four more are of this simulator: messages are told once and stay ([`KEPT`], in [`kept`]), the next deadline of a replica
//! lies ahead ([`DEADLINE`], wherever a replica is driven), calls answer what the contract says ([`ANSWERS`], wherever one
//! is made), and what a story expects comes true ([`Expect::rule`]).
//!
//! What a hostile host says of itself is not judged. What honest hosts believe of one another is, with the same rules.
//!
//! `rules/bite_tests.rs` feeds each of them something that breaks its rule and nothing else: an oracle that cannot fail
//! proves nothing.

pub mod agree;
pub mod appear;
pub mod beats;
mod calm;
pub mod forward;
pub mod grammar;
pub mod hearsay;
pub mod kept;
pub mod leases;
pub mod prompt;
pub mod repair;
pub mod verdict;

use parlor_core::RowKey;

use super::oracle::Oracle;
use super::world::World;
use crate::story::Expect;

/// Replicas are equal after healing, by values.
pub const AGREE: &str = "replicas are equal after healing";
/// One lost write is repaired within three beats (design R12).
pub const REPAIR: &str = "a lost write is repaired within three beats";
/// No field of a record ever goes back at any observer (design R4).
pub const FORWARD: &str = "no field goes back";
/// A new write beats what its author saw (design R10).
pub const BEATS: &str = "a new write beats what its author saw";
/// Nobody is removed but by its owner or its silence, and nobody by time slept through (design R3, R6, R9).
pub const LEASES: &str = "members end by their owner or by silence";
/// No resurrection after leave, crash or replay (design R5, R8).
pub const APPEAR: &str = "nobody appears who is not there";
/// `(joined (updated | stale | active)* left)*` (design R14).
pub const GRAMMAR: &str = "events keep their grammar";
/// An update is visible everywhere within coalescing and latency (design A7, N4).
pub const PROMPT: &str = "an update is everywhere in time";
/// The same seed gives the same trace (design §2).
pub const SAME: &str = "the same seed gives the same trace";
/// Messages that are kept are told once, and stay (design A12).
pub const KEPT: &str = "messages are told once, and stay";
/// Hosts, locks and voids of a private room are those that somebody wished who may (design N8).
pub const VERDICT: &str = "who may write is decided by those who may";
/// A witness says what it knows, of those who fell silent (design R6).
pub const HEARSAY: &str = "a witness says what it knows";
/// The next deadline of a replica is never one that was handled.
pub const DEADLINE: &str = "the next deadline lies ahead";
/// Calls answer what the contract says (design A2 to A6).
pub const ANSWERS: &str = "calls answer what they should";

/// One of each.
#[must_use]
pub fn all() -> Vec<Box<dyn Oracle>> {
    vec![
        Box::new(grammar::Grammar::default()),
        Box::new(forward::Forward::default()),
        Box::new(appear::Appear::default()),
        Box::new(leases::Leases::default()),
        Box::new(beats::Beats::default()),
        Box::new(kept::Kept::default()),
        Box::new(prompt::Prompt::default()),
        Box::new(repair::Repair::default()),
        Box::new(agree::Agree::default()),
        Box::new(verdict::Verdict::default()),
        Box::new(hearsay::Hearsay::default()),
    ]
}

/// Whether a rule is one of those that every world brings.
#[must_use]
pub fn is_always_watched(rule: &str) -> bool {
    [SAME, DEADLINE, ANSWERS].contains(&rule)
        || Expect::RULES.contains(&rule)
        || all().iter().any(|oracle| oracle.rule() == rule)
}

/// A row in words: its member and whose it is.
pub(crate) fn name(world: &World, row: &RowKey) -> String {
    let hosts = world.hosts.iter().flat_map(|host| [&host.person, &host.guest]);
    let actor = hosts.map(|local| &local.actor).find(|actor| actor.user_id == row.1);
    let owner = actor.map_or_else(|| row.1.to_string(), |actor| actor.name.clone());
    if row.0.as_str() == row.1.as_str() { owner } else { format!("“{}” of {owner}", row.0) }
}

#[cfg(test)]
mod bite_tests;
