//! A witness says what it knows, and no more: what an honest one is said to have heard, when somebody is given up, it heard by
//! its own replica too.

use parlor_core::{Event, Evidence, LeftReason, MembersQuery, RowKey, Witness, WitnessSays};

use super::name;
use crate::sim::oracle::{Oracle, Told};
use crate::sim::world::World;
use crate::story::names;

/// A word is older than it looks by as long as it was on its way.
const ON_ITS_WAY_MS: u64 = 2_000;
/// Silence alone ends somebody after ten seconds (design R6): whoever is asked is asked meanwhile, by two in three rounds.
const WITNESSES: usize = 6;

/// See the module.
#[derive(Debug, Default)]
pub struct Hearsay {
    judged: u64,
}

impl Oracle for Hearsay {
    fn rule(&self) -> &str {
        super::HEARSAY
    }

    fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
        let Event::Left { member, reason } = told.event else { return Ok(()) };
        let given_up = matches!(reason, LeftReason::Timeout | LeftReason::Disconnected);
        let Some(row) = told.row.map(|row| world.views.key(row)).filter(|row| given_up && world.is_honest(row)) else {
            return Ok(());
        };
        // An event that a test made up tells of no evidence.
        let Some(evidence) = &member.evidence else { return Ok(()) };
        if evidence.witnesses.len() > WITNESSES {
            return Err(format!("of {} {} were asked", name(world, row), evidence.witnesses.len()));
        }
        evidence.witnesses.iter().try_for_each(|witness| self.judge(world, row, evidence, witness))
    }

    fn judged(&self) -> u64 {
        self.judged
    }
}

impl Hearsay {
    fn judge(&mut self, world: &World, row: &RowKey, of: &Evidence, witness: &Witness) -> Result<(), String> {
        let Some(session) = world.sessions.named(&witness.session_id) else {
            return Err(format!("a stranger was asked about {}", name(world, row)));
        };
        let host = &world.hosts[world.sessions.get(session).host];
        let process = host.process.as_ref().filter(|process| process.session == session);
        let Some(process) = process.filter(|_| host.runs() && !host.hostile) else { return Ok(()) };
        let who = names::host(host.index);
        match witness.says {
            WitnessSays::Hears | WitnessSays::Silent => {
                let Some(said) = witness.heard_ms_ago.filter(|_| world.network.has_no_queues()) else { return Ok(()) };
                if witness.says == WitnessSays::Hears && said >= of.heard_ms_ago {
                    return Err(format!("{who} hears {}, and heard it before the observer did", name(world, row)));
                }
                let query = MembersQuery { limit: Some(1000), evidence: true, ..MembersQuery::default() };
                let page = process.replica.members(&query, host.tick(world.now));
                let rows = page.map(|page| page.members).unwrap_or_default();
                let theirs = rows.iter().find(|member| member.key() == *row).and_then(|row| row.evidence.as_ref());
                let Some(heard) = theirs.map(|evidence| evidence.heard_ms_ago) else { return Ok(()) };
                self.judged += 1;
                if said + ON_ITS_WAY_MS < heard {
                    let of = name(world, row);
                    return Err(format!("{who} heard {of} {said} ms ago by its word, and {heard} ms ago in truth"));
                }
            }
            // It may know of a leave, and have missed that the same session joined again.
            WitnessSays::Left | WitnessSays::Unknown | WitnessSays::Nothing => {}
        }
        Ok(())
    }
}
