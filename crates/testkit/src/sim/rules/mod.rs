//! The rules that the simulator watches in every story (design §6), an oracle each:
//!
//! | rule | oracle |
//! |---|---|
//! | the grammar of events, and a list that is what events said (R14) | [`grammar`] |
//! | no field of a record goes back, no value is seen that nobody wrote (R4) | [`forward`] |
//! | nobody appears who is not there: no resurrection after leave, crash or replay (R5, R8) | [`appear`] |
//! | nobody but its owner or its silence ends a member; silence does (R3, R6, R9) | [`leases`] |
//! | what was written over does not come back, and a new write beats what its author saw (R10) | [`beats`] |
//! | messages are told once, and stay (A12) | [`kept`] |
//! | an update is everywhere within coalescing and latency, where nothing is lost (A7) | [`prompt`] |
//!
//! Three more are held where the simulator drives a replica: [`DEADLINE`] and [`ANSWERS`] in the world and its calls,
//! and [`super::expect::EXPECTED`], which covers agreement after healing.

pub mod appear;
pub mod beats;
pub mod forward;
pub mod grammar;
pub mod kept;
pub mod leases;
pub mod prompt;

use parlor_core::RowKey;

use super::oracle::Oracle;
use super::world::World;

/// The next deadline of a replica is never one that was handled.
pub const DEADLINE: &str = "the next deadline lies ahead";
/// Calls answer what the contract says (design A2 to A6).
pub const ANSWERS: &str = "calls answer what they should";
/// A new write beats what its author saw (design R10).
pub const BEATS: &str = "a new write beats what its author saw";

/// One of each.
#[must_use]
pub fn all() -> Vec<Box<dyn Oracle>> {
    vec![
        Box::new(grammar::Grammar),
        Box::new(forward::Forward::default()),
        Box::new(appear::Appear::default()),
        Box::new(leases::Leases::default()),
        Box::new(beats::Beats::default()),
        Box::new(kept::Kept::default()),
        Box::new(prompt::Prompt::default()),
    ]
}

/// A row in words: its member and whose it is.
pub(crate) fn name(world: &World, row: &RowKey) -> String {
    let hosts = world.hosts.iter().flat_map(|host| [&host.person, &host.guest]);
    let actor = hosts.map(|local| &local.actor).find(|actor| actor.user_id == row.1);
    let owner = actor.map_or_else(|| row.1.to_string(), |actor| actor.name.clone());
    if row.0.as_str() == row.1.as_str() { owner } else { format!("“{}” of {owner}", row.0) }
}
