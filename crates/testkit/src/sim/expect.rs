//! How the simulator looks whether what a story expects has come true. A failure names what was expected as its rule: see
//! [`Expect::rule`].

use parlor_core::{MemberState, RowKey};

use super::converge;
use super::oracle::Row;
use super::trace::Fact;
use super::world::{What, World};
use crate::story::{Expect, Someone, Step, Story, names};

/// How often at most it is looked at, within the time that it has.
const LOOKS: u64 = 64;

/// What is waited for.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    pending: Vec<Pending>,
    open: usize,
    /// When the last step of the story is, and when the last expectation has to be true.
    last_step: u64,
    last_expected: u64,
    counts_left: bool,
    counts_asked: bool,
    /// When somebody asked.
    asked: Vec<u64>,
    /// When each expectation of agreement came true, counted from when it was made.
    pub agreed_after: Vec<u64>,
}

#[derive(Debug)]
struct Pending {
    what: Expect,
    from: u64,
    until: u64,
    /// The row and the value that have to be seen.
    value: Option<(Row, u64)>,
    done: bool,
}

impl Awaited {
    pub fn of(story: &Story) -> Self {
        let expects = |wanted: fn(&Expect) -> bool| {
            story.steps.iter().any(|(_, step)| matches!(step, Step::Expect { what, .. } if wanted(what)))
        };
        let ends = story.steps.iter().map(|(at, step)| match step {
            Step::Expect { within_ms, .. } => at + within_ms,
            _ => 0,
        });
        Awaited {
            last_expected: ends.max().unwrap_or(0),
            last_step: story.steps.last().map_or(0, |(at, _)| *at),
            counts_left: expects(|what| matches!(what, Expect::NobodyLeft { .. })),
            counts_asked: expects(|what| matches!(what, Expect::Asked { .. })),
            ..Awaited::default()
        }
    }

    pub fn asked(&mut self, now: u64) {
        if self.counts_asked {
            self.asked.push(now);
        }
    }

    pub fn counts_left(&self) -> bool {
        self.counts_left
    }
}

impl World {
    /// A story whose last expectation came true early need not go on, when all that it waited for was that.
    pub(crate) fn waits_for_nothing(&self) -> bool {
        let awaited = &self.awaited;
        awaited.open == 0 && self.now >= awaited.last_step && awaited.last_expected == self.story.until
    }

    pub(crate) fn expect(&mut self, what: &Expect, within_ms: u64) {
        let value = match what {
            Expect::Sees { of, field, .. } => self.written_last(*of, field),
            _ => None,
        };
        let index = self.awaited.pending.len();
        let until = self.now + within_ms;
        self.awaited.pending.push(Pending { what: what.clone(), from: self.now, until, value, done: false });
        self.awaited.open += 1;
        self.look_again(u32::try_from(index).unwrap_or(u32::MAX));
    }

    pub(crate) fn look_again(&mut self, index: u32) {
        let Some(pending) = self.awaited.pending.get(index as usize).filter(|pending| !pending.done) else { return };
        let (from, until) = (pending.from, pending.until);
        let missing = self.missing(pending);
        if let Some(missing) = missing {
            if self.now >= until {
                let what = &self.awaited.pending[index as usize].what;
                let (rule, detail) = (what.rule(), format!("{what}, but {missing}"));
                self.broken(rule, None, detail);
                return;
            }
            let next = (self.now + ((until - from) / LOOKS).max(1)).min(until);
            self.schedule(next, What::Await(index));
            return;
        }
        let pending = &mut self.awaited.pending[index as usize];
        pending.done = true;
        self.awaited.open -= 1;
        if pending.what == Expect::Agreement {
            self.awaited.agreed_after.push(self.now - from);
        }
        self.trace.note(self.now, Fact::Came(pending.what.to_string()));
    }

    /// What is not as it is expected, if anything.
    fn missing(&self, pending: &Pending) -> Option<String> {
        match &pending.what {
            Expect::Agreement => converge::difference(self),
            Expect::Sees { observers, of, field } => {
                let Some((row, value)) = pending.value else { return Some(format!("{of} wrote nothing to {field}")) };
                self.looking(observers).find_map(|(host, session)| {
                    let seen = self.views.value(session, row, field);
                    let has = || seen.map_or_else(|| "nothing".to_owned(), |seen| seen.to_string());
                    (seen < Some(value)).then(|| format!("{} has {} and not {value}", names::host(host), has()))
                })
            }
            Expect::Knows { observers, of } => self.looking(observers).find_map(|(host, session)| {
                let known = self.rows_of(session, *of).any(|(_, state)| state == MemberState::Active);
                (!known).then(|| format!("{} does not", names::host(host)))
            }),
            Expect::Gone { of } => {
                self.looking(&[]).filter(|(host, _)| *host != of.host).find_map(|(host, session)| {
                    let known = self.rows_of(session, *of).next().is_some();
                    known.then(|| format!("{} has it still", names::host(host)))
                })
            }
            Expect::NobodyLeft { since_ms } => {
                let honest = |row: &RowKey| self.is_honest(row);
                let left = self.left_at.iter().find(|(at, _, row)| at >= since_ms && honest(row));
                left.map(|(at, observer, row)| {
                    let at = crate::story::tell::clock(*at);
                    format!("{} was told at {} that {} left", self.sessions.name(*observer), at.trim_start(), row.0)
                })
            }
            Expect::Asked { since_ms, asked } => {
                let count = self.awaited.asked.iter().filter(|at| *at >= since_ms).count();
                ((count > 0) != *asked).then(|| format!("{count} questions were asked"))
            }
            Expect::Members { observer, count } => {
                let session = self.hosts[*observer].session();
                let listed = session.map_or(0, |session| self.views.all(session).count());
                (listed != *count).then(|| format!("there are {listed}"))
            }
        }
    }

    /// Those of these hosts, or of all honest ones, that run and are awake.
    fn looking<'a>(&'a self, observers: &'a [usize]) -> impl Iterator<Item = (usize, super::Session)> + 'a {
        let asked = move |host: &super::host::Host| match observers {
            [] => !host.hostile,
            some => some.contains(&host.index),
        };
        let awake = self.hosts.iter().filter(move |host| host.runs() && asked(host));
        awake.filter_map(|host| Some((host.index, host.session()?)))
    }

    /// What an observer knows of somebody's members.
    fn rows_of(&self, session: super::Session, of: Someone) -> impl Iterator<Item = (Row, MemberState)> + '_ {
        let user = &self.hosts[of.host].actor(of.who).actor.user_id;
        let own = self.views.all(session).filter(move |(row, _)| self.views.key(*row).1 == *user);
        own.map(|(row, member)| (row, member.state))
    }
}
