//! Which words of the story language real peers in one process can play, and who plays the others.
//!
//! | word | cluster | why not, and where it can be had |
//! |---|---|---|
//! | start, join, presence, moving, metadata, leave, quit | yes | |
//! | crash | yes | of a process. When the power goes nobody closes anything: simulator, namespaces |
//! | cut, mend, partition, mend all, heal | yes | a cut is noticed at once by both ends, as a connection that broke |
//! | unplug | no | loopback has no cable: simulator, namespaces |
//! | deafen, lose, loss, doubling, overtaking, full queues | no | the connections are TCP: simulator |
//! | latency | as it is | that of loopback, below every latency that a story names |
//! | sleep, clock | no | there is one computer and one clock: simulator |
//! | late timers | as they are | |
//! | replay, forge, lie, hostile hosts | no | the peers are real and honest: simulator |
//! | note, remove note, say | no | `parlor::Room` has no calls for board and log: simulator |
//! | expect asked | no | real peers do not tell what they ask: simulator |
//! | every other expectation | yes | |

use super::failure::{Layer, Unsupported};
use crate::story::{Expect, Faults, Step, Story, names};

/// Whether real peers can play a story.
///
/// ```
/// use parlor_testkit::cluster::{self, Layer};
/// use parlor_testkit::story::Story;
///
/// let story = Story::new("a nap").hosts(2).all_start().at(1_000).sleep(0, 30_000);
/// let refused = cluster::can_play(&story).unwrap_err();
/// assert_eq!((refused.word.as_str(), refused.layer), ("ann sleeps for 30 s", Layer::Simulator));
/// ```
///
/// # Errors
/// The first thing in it that they cannot.
pub fn can_play(story: &Story) -> Result<(), Unsupported> {
    for (index, host) in story.hosts.iter().enumerate() {
        let name = names::host(index);
        if host.hostile {
            return Err(simulator(format!("{name} is hostile")));
        }
        if host.clock_ms != 0 {
            return Err(simulator(format!("{name}'s wall clock is off")));
        }
    }
    weather(&story.weather)?;
    story.steps.iter().try_for_each(|(_, step)| can_act(step))
}

/// Whether real peers can do a step.
///
/// # Errors
/// Why not, and who can.
pub fn can_act(step: &Step) -> Result<(), Unsupported> {
    let layer = match step {
        Step::Start { .. }
        | Step::Join(_)
        | Step::Presence { .. }
        | Step::Moving { .. }
        | Step::Metadata { .. }
        | Step::Leave { .. }
        | Step::Crash { farewell: true, .. }
        | Step::Quit { .. }
        | Step::Partition { .. }
        | Step::Cut { .. }
        | Step::Mend { .. }
        | Step::MendAll
        | Step::Heal => return Ok(()),
        Step::Weather { faults, .. } => return weather(faults),
        Step::Expect { what, .. } => return can_expect(what),
        Step::Crash { farewell: false, .. } | Step::Unplug { .. } => Layer::SimulatorOrNamespaces,
        Step::Sleep { .. }
        | Step::Clock { .. }
        | Step::Deafen { .. }
        | Step::Lose { .. }
        | Step::Replay { .. }
        | Step::Forge { .. }
        | Step::Lie { .. }
        // A cluster's room is open.
        | Step::Lock { .. }
        | Step::NameHost { .. }
        | Step::Void { .. }
        // `parlor::Room` has no calls for board and log.
        | Step::Note { .. }
        | Step::RemoveNote { .. }
        | Step::Say { .. } => Layer::Simulator,
    };
    Err(Unsupported { word: step.to_string(), layer })
}

pub(crate) fn can_expect(what: &Expect) -> Result<(), Unsupported> {
    match what {
        Expect::Asked { .. } => Err(simulator(what.to_string())),
        _ => Ok(()),
    }
}

/// A network that takes its time and does nothing worse.
fn weather(faults: &Faults) -> Result<(), Unsupported> {
    match Faults::within(faults.latency.clone()) == *faults {
        true => Ok(()),
        false => Err(simulator(faults.to_string())),
    }
}

fn simulator(word: String) -> Unsupported {
    Unsupported { word, layer: Layer::Simulator }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Drops, Edit, FrameKind, Lie};

    fn refused(story: Story) -> (String, Layer) {
        let Unsupported { word, layer } = can_play(&story).expect_err("no words for real peers");
        (word, layer)
    }

    #[test]
    fn what_cannot_be_had_says_what_it_is_and_who_has_it() {
        let story = || Story::new("words").hosts(3);
        let calm = Faults::none(1);
        for unheard_of in [
            story().sleep(0, 1_000),
            story().clock(0, 1_000),
            story().clock_off(0, 1_000),
            story().hostile(0),
            story().deafen(0, 1),
            story().lose(FrameKind::Delta, 50),
            story().replay(0, 1, 5),
            story().forge(0, 5),
            story().lie(0, Lie::Garbage { count: 1 }),
            story().note(0, "plan", Edit::Move),
            story().remove_note(0, "plan"),
            story().say(0),
            story().weather(calm.clone().losing(10)),
            story().turn(calm.clone().doubling(10)),
            story().turn(calm.clone().reordering()),
            story().turn_between(0, 1, calm.queueing(8, 2, Drops::Oldest)),
            story().expect_nobody_asked_since(0),
        ] {
            let (word, layer) = refused(unheard_of);
            assert!(layer == Layer::Simulator && !word.is_empty(), "{word}");
        }
        assert_eq!(
            refused(story().unplug(1, 1_000)),
            ("bob's cable is out for 1 s".into(), Layer::SimulatorOrNamespaces)
        );
        let refusal = can_play(&story().power_cut(2)).expect_err("no power to cut").to_string();
        assert!(refusal.contains("cleo loses power") && refusal.contains("`netns`"), "{refusal}");
    }

    #[test]
    fn latency_and_late_timers_are_as_they_are() {
        let story = Story::new("slow").hosts(2).latency(1..=40).late_timers(20).all_start().turn(Faults::none(400));
        assert_eq!(can_play(&story), Ok(()));
    }
}
