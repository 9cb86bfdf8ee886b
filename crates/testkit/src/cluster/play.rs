//! Plays a story in real time.
//!
//! Steps happen at their times. An expectation is looked at again and again until it comes true; when its time is up and
//! it has not, the story's clock stands still and the cluster is patient for a while. An expectation of *now* holds up
//! what follows it, as in the simulator, where what follows has not happened yet.

use std::fmt;
use std::time::{Duration, Instant};

use super::Cluster;
use super::expect::Awaited;
use super::failure::Failure;
use super::layers::can_expect;
use crate::story::{Expect, Someone, Step, Story};

/// Between two looks at what is expected.
const LOOK: Duration = Duration::from_millis(20);

/// What came of a story that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Events told and judged.
    pub events: u64,
    /// Milliseconds until those who were expected to agree did, the longest time of all.
    pub agreed_ms: u64,
    /// Milliseconds that expectations were overdue by, all of them together.
    pub overdue_ms: u64,
    /// Milliseconds that it took in all.
    pub took_ms: u64,
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, agreed_ms, overdue_ms, took_ms } = self;
        write!(
            f,
            "{events} events, agreement after {agreed_ms} ms at most, {overdue_ms} ms overdue, {took_ms} ms in all"
        )
    }
}

/// An expectation of a story that is waited for.
struct Pending {
    awaited: Awaited,
    from: u64,
    until: u64,
    missing: String,
}

/// Plays a story with real peers, from the first step to the end, and ends them.
///
/// ```
/// use parlor_testkit::cluster;
/// use parlor_testkit::sim;
/// use parlor_testkit::story::{Story, set};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cluster::Failure> {
/// let story = Story::new("two meet")
///     .hosts(2)
///     .all_start()
///     .at(500)
///     .all_join()
///     .presence(0, set("cursor"))
///     .expect_seen_within(2_000, 0, "cursor")
///     .expect_agreement_within(5_000);
/// println!("{}", cluster::play(&story).await?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Failure::Unsupported`] before anything is done; else the first thing that went wrong, with what led to it.
pub async fn play(story: &Story) -> Result<Played, Failure> {
    let mut cluster = Cluster::of(story)?;
    let played = cluster.play(story).await?;
    cluster.close().await?;
    Ok(played)
}

impl Cluster {
    /// Plays the steps of a story with these computers; [`play`](super::play()) makes and ends them too. The story's clock
    /// begins anew.
    ///
    /// # Errors
    /// The first thing that goes wrong.
    pub async fn play(&mut self, story: &Story) -> Result<Played, Failure> {
        super::can_play(story)?;
        let began = Instant::now();
        let mut played = Played { events: 0, agreed_ms: 0, overdue_ms: 0, took_ms: 0 };
        let last_expected = story.steps.iter().map(|(at, step)| due(*at, step)).max().unwrap_or(0);
        let mut steps = story.steps.iter().peekable();
        let mut pending: Vec<Pending> = Vec::new();
        let mut overdue: Option<Instant> = None;
        self.notes.begin();
        loop {
            self.look(&mut pending, &mut played).await;
            self.notes.intact()?;
            let now = self.notes.now();
            let step_at = steps.peek().map(|(at, _)| *at);
            let soonest = pending.iter().min_by_key(|one| (one.until, one.from));
            // What is expected now, or was due before the next step, comes first.
            let first = soonest.filter(|one| one.until == one.from || step_at.is_none_or(|at| one.until < at));
            if let Some(late) = first.filter(|one| one.until <= now) {
                self.notes.stand();
                let since = *overdue.get_or_insert_with(Instant::now);
                if since.elapsed() >= self.patience_for(&late.awaited.what) {
                    return Err(self.missed(
                        &late.awaited.what,
                        &late.missing,
                        late.until - late.from,
                        since.elapsed(),
                    ));
                }
                tokio::time::sleep(LOOK).await;
                continue;
            }
            if let Some(since) = overdue.take() {
                played.overdue_ms += ms(since.elapsed());
                self.notes.go();
            }
            if let Some((at, step)) = steps.next_if(|(at, _)| first.is_none() && *at <= now) {
                match step {
                    Step::Expect { what, within_ms } => {
                        let awaited = self.awaited(what);
                        let missing = "nobody looked".to_owned();
                        pending.push(Pending { awaited, from: *at, until: at + within_ms, missing });
                    }
                    step => {
                        self.notes.stand();
                        let done = self.act(step).await;
                        self.notes.go();
                        done?;
                    }
                }
                continue;
            }
            let over = now >= story.until || last_expected == story.until;
            if step_at.is_none() && pending.is_empty() && over {
                break;
            }
            let until = step_at.into_iter().chain(first.map(|one| one.until)).min().unwrap_or(story.until);
            let wait = Duration::from_millis(until.saturating_sub(now).max(1));
            tokio::time::sleep(if pending.is_empty() { wait } else { wait.min(LOOK) }).await;
        }
        played.events = self.notes.inner().events;
        played.took_ms = ms(began.elapsed());
        Ok(played)
    }

    /// Looks at everything that is expected, and strikes off what came true.
    async fn look(&self, pending: &mut Vec<Pending>, played: &mut Played) {
        for mut one in std::mem::take(pending) {
            match self.missing(&one.awaited).await {
                Some(missing) => {
                    one.missing = missing;
                    pending.push(one);
                }
                None => {
                    self.notes.say(format_args!("-- {}, as expected", one.awaited.what));
                    if one.awaited.what == Expect::Agreement {
                        played.agreed_ms = played.agreed_ms.max(self.notes.now().saturating_sub(one.from));
                    }
                }
            }
        }
    }

    /// That somebody left is not undone by waiting.
    fn patience_for(&self, what: &Expect) -> Duration {
        if matches!(what, Expect::NobodyLeft { .. }) { Duration::ZERO } else { self.patience }
    }

    fn missed(&self, what: &Expect, but: &str, allowed_ms: u64, late: Duration) -> Failure {
        Failure::Missed {
            what: what.to_string(),
            but: but.to_owned(),
            waited_ms: allowed_ms + ms(late),
            allowed_ms,
            log: self.notes.log(),
        }
    }
}

/// Expectations outside of stories: each is waited for where it stands.
#[allow(clippy::missing_errors_doc)] // All answer what `expect_within` answers.
impl Cluster {
    /// Something becomes true within so many milliseconds, and the cluster's patience on top.
    ///
    /// # Errors
    /// [`Failure::Missed`] with what was so instead; the first rule that is broken.
    pub async fn expect_within(&self, within_ms: u64, what: Expect) -> Result<(), Failure> {
        can_expect(&what)?;
        let (from, awaited) = (Instant::now(), self.awaited(&what));
        self.notes.say(format_args!("-- {}", Step::Expect { what: what.clone(), within_ms }));
        let allowed = Duration::from_millis(within_ms) + self.patience_for(&what);
        loop {
            let missing = self.missing(&awaited).await;
            self.notes.intact()?;
            match missing {
                None => return Ok(()),
                Some(but) if from.elapsed() >= allowed => {
                    let late = from.elapsed().saturating_sub(Duration::from_millis(within_ms));
                    return Err(self.missed(&what, &but, within_ms, late));
                }
                Some(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// All agree within so many milliseconds: everybody's list is what the owners say and what events told, nobody is
    /// stale, and the room's metadata is the same value by value.
    pub async fn expect_agreement_within(&self, ms: u64) -> Result<(), Failure> {
        self.expect_within(ms, Expect::Agreement).await
    }

    /// Everybody sees what somebody wrote last to a field, or something newer, within so many milliseconds.
    pub async fn expect_seen_within(&self, ms: u64, of: impl Into<Someone>, field: &str) -> Result<(), Failure> {
        let what = Expect::Sees { observers: Vec::new(), of: of.into(), field: field.to_owned() };
        self.expect_within(ms, what).await
    }

    /// Everybody has an active member of somebody in the list within so many milliseconds.
    pub async fn expect_known_within(&self, ms: u64, of: impl Into<Someone>) -> Result<(), Failure> {
        self.expect_within(ms, Expect::Knows { observers: Vec::new(), of: of.into() }).await
    }

    /// Nobody has a member of somebody in the list any more, within so many milliseconds.
    pub async fn expect_gone_within(&self, ms: u64, of: impl Into<Someone>) -> Result<(), Failure> {
        self.expect_within(ms, Expect::Gone { of: of.into() }).await
    }

    /// Nobody was told since then that somebody left. That cannot become true later, so it is not waited for.
    pub async fn expect_nobody_left_since(&self, since_ms: u64) -> Result<(), Failure> {
        self.expect_within(0, Expect::NobodyLeft { since_ms }).await
    }

    /// A host's list has so many members.
    pub async fn expect_members(&self, observer: usize, count: usize) -> Result<(), Failure> {
        self.expect_within(0, Expect::Members { observer, count }).await
    }
}

/// When a step has to have come true.
fn due(at: u64, step: &Step) -> u64 {
    match step {
        Step::Expect { within_ms, .. } => at + within_ms,
        _ => 0,
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
