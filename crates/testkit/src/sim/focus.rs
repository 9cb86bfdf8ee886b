//! Stories that are about one rule each: where a random story could hide a fault behind a repair that comes later.

use super::rules::prompt::turn_ms;
use crate::story::{Faults, FrameKind, Story, guest, set};

/// The longest time between two heartbeats (design R6).
const BEAT_MAX_MS: u64 = 2_400;
/// When everybody knows everybody.
const SETTLED_MS: u64 = 8_000;
/// So many hosts, everybody a member and known to everybody by the time that the story goes on.
#[must_use]
pub fn settled(name: &str, seed: u64, hosts: usize, latency_ms: u64) -> Story {
    Story::new(name)
        .seed(seed)
        .hosts(hosts)
        .latency(latency_ms..=latency_ms)
        .all_start()
        .at(2_000)
        .all_join()
        .at(SETTLED_MS)
        .expect_agreement()
}

/// One metadata write whose frames are all lost is repaired within three beats, with no other traffic (design R12).
#[must_use]
pub fn lost_write(seed: u64) -> Story {
    settled("a lost write is repaired within three beats", seed, 4, 3)
        .lose(FrameKind::Cells, 1)
        .metadata(0, "title")
        .expect_agreement_within(3 * BEAT_MAX_MS)
}

/// A presence change whose frame is lost is told again by the next (design R4).
#[must_use]
pub fn lost_delta_and_another(seed: u64) -> Story {
    settled("a lost change is told again by the next", seed, 3, 3)
        .lose(FrameKind::Delta, 1)
        .lose(FrameKind::Beat, 160)
        .presence(0, set("cursor"))
        .then_after(110)
        .presence(0, set("tool"))
        .then_after(50)
        .expect_agreement()
        .expect_nobody_asked_since(SETTLED_MS)
}

/// A presence change whose frame is lost, and after which nothing changes, is repaired by a heartbeat and a question
/// (design R4).
#[must_use]
pub fn lost_delta_at_last(seed: u64) -> Story {
    settled("a lost last change is asked for", seed, 3, 3)
        .lose(FrameKind::Delta, 1)
        .presence(0, set("cursor"))
        .then_after(BEAT_MAX_MS + 60)
        .expect_agreement()
        .expect_somebody_asked_since(SETTLED_MS)
}

/// On a network that loses nothing, an update is everywhere within coalescing and latency (design A7), and nobody asks
/// for anything that is on its way.
#[must_use]
pub fn prompt(seed: u64, hosts: usize, links: &[(usize, usize)], hops: u64) -> Story {
    let latency = 1 + seed % 40;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut story = settled("an update is everywhere in time", seed, hosts, latency);
    if !links.is_empty() {
        story = story.links(links);
    }
    let due_in = turn_ms(hosts as u64 - 1) + hops * latency + 2;
    for turn in 0..400 {
        let host = random.usize(0..hosts);
        if turn % 3 > 0 {
            story = story.presence(host, set("cursor")).expect_seen_within(due_in, host, "cursor");
        }
        story = story.then_after(random.u64(1..80));
    }
    story.then_after(due_in).expect_agreement().expect_nobody_asked_since(SETTLED_MS)
}

/// A killed process is gone everywhere within its bound, with no traffic at all (reports G3, G5).
#[must_use]
pub fn killed(seed: u64) -> Story {
    settled("the killed are gone in five seconds", seed, 3, 3)
        .crash(0)
        .expect_gone_within(5_100, 0)
        .then_after(5_100)
        .expect_agreement()
}

/// So is a computer that loses power, whose links nobody closes.
#[must_use]
pub fn powerless(seed: u64) -> Story {
    settled("who loses power is gone in eleven seconds", seed, 3, 3)
        .power_cut(0)
        .expect_gone_within(11_100, 0)
        .then_after(11_100)
        .expect_agreement()
}

/// A new start of a profile replaces its old session at once (report G6), whether the old one's end was noticed or not.
#[must_use]
pub fn restarted(seed: u64, noticed: bool) -> Story {
    let story = settled("a restart replaces and never adds", seed, 3, 3);
    let story = if noticed { story.crash(0) } else { story.power_cut(0) };
    // The dialler finds it within half a second.
    story.start(0).then_after(700).join(0).then_after(50).expect_agreement().expect_members(1, 3)
}

/// Everybody but one sleeps; nobody is lost by it, and all is well soon after.
#[must_use]
pub fn slept(seed: u64, ms: u64) -> Story {
    let story = settled("nobody is lost by sleep", seed, 3, 3).sleep(1, ms).sleep(2, ms);
    story.then_after(ms + 5_000).expect_agreement()
}

/// Members of many hosts' guests, more than one frame could hold, known everywhere soon after a bad start.
#[must_use]
pub fn crowd(seed: u64, hosts: usize) -> Story {
    let mut story =
        Story::new("a crowd after a bad start").seed(seed).hosts(hosts).latency(2..=2).all_start().at(3_000);
    for host in 0..hosts {
        for desk in 0..8 {
            story = story.join(guest(host).named(&format!("host {host} desk {desk}")));
        }
    }
    story
        .turn(Faults::none(2).losing(300))
        .then_after(4_000)
        .turn(Faults::none(2))
        .then_after(8_000)
        .expect_agreement()
        .expect_members(0, 8 * hosts)
}
