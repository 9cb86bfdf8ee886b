//! Stories that are about one rule each: where a random story could hide a fault behind a repair that comes later.

use parlor_core::{Join, Lease, RowKey};

use super::converge;
use super::network::Faults;
use super::scenario::{Change, Scenario, Step, Who};
use super::world::World;

/// The longest time between two heartbeats (design R6).
const BEAT_MAX_MS: u64 = 2_400;
/// When everybody knows everybody.
const SETTLED_MS: u64 = 8_000;
const LINES: usize = 80;

/// `hosts` computers, everybody a member, everybody known to everybody; `edges` as given, or a full mesh.
///
/// # Errors
/// Whatever went wrong on the way there.
pub fn settled(seed: u64, hosts: usize, latency_ms: u64, edges: &[(usize, usize)]) -> Result<World, String> {
    let mut scenario = Scenario::calm(seed, hosts, latency_ms);
    if !edges.is_empty() {
        scenario.edges = edges.iter().copied().collect();
    }
    scenario.steps.extend((0..hosts).map(|host| (2_000, Step::Join(host, Who::Person, None, None))));
    let mut world = World::new(&scenario, LINES);
    world.play(SETTLED_MS);
    check(&world)?;
    Ok(world)
}

/// No rule was broken, and all replicas agree.
///
/// # Errors
/// What is wrong, with the end of the trace.
pub fn check(world: &World) -> Result<(), String> {
    let wrong = world.violation.clone().or_else(|| converge::difference(world));
    wrong.map_or(Ok(()), |wrong| Err(failure(world, &wrong)))
}

fn failure(world: &World, wrong: &str) -> String {
    let tail: Vec<&str> = world.trace.tail().collect();
    format!("{}\n\nseed {}: {wrong}", tail.join("\n"), world.seed)
}

/// One metadata write whose frames are all lost is repaired within three beats, with no other traffic (design R12).
///
/// # Errors
/// That it was not.
pub fn lost_write(seed: u64) -> Result<(), String> {
    let mut world = settled(seed, 4, 3, &[])?;
    world.swallow = Some(6);
    world.set_metadata(0, 0, false);
    world.swallow = None;
    world.play(world.now + 3 * BEAT_MAX_MS);
    check(&world)
}

/// One presence change whose frame is lost is repaired by the next, or by a heartbeat and an ask (design R4).
///
/// # Errors
/// That it was not.
pub fn lost_delta(seed: u64, another_follows: bool) -> Result<(), String> {
    let mut world = settled(seed, 3, 3, &[])?;
    world.swallow = Some(1);
    world.presence(0, Who::Person, Change::Set(0));
    world.play(world.now + 10);
    let asked = asks(&world);
    // A heartbeat in between would be the one to tell.
    world.swallow = another_follows.then_some(2);
    let wait = if another_follows {
        world.play(world.now + 100);
        world.presence(0, Who::Person, Change::Set(1));
        50
    } else {
        BEAT_MAX_MS + 50
    };
    world.play(world.now + wait);
    check(&world)?;
    let (expected, asked) = (!another_follows, asks(&world) > asked);
    if asked != expected {
        return Err(failure(&world, &format!("asked {asked}, a following delta {another_follows}")));
    }
    Ok(())
}

/// On a network that loses nothing, an update is everywhere within coalescing and latency (design A7), and nobody asks
/// for anything that is on its way.
///
/// # Errors
/// Whom it did not reach in time, or that somebody asked.
pub fn prompt(seed: u64, hosts: usize, edges: &[(usize, usize)], hops: u64) -> Result<(), String> {
    let latency = 1 + seed % 40;
    let mut world = settled(seed, hosts, latency, edges)?;
    let asked = asks(&world);
    let interval = 1000 / (240 / (hosts as u64 - 1)).clamp(1, 30);
    let due_in = interval + hops * latency + 2;
    let mut due: Vec<(u64, usize, u64)> = Vec::new();
    let mut written: Vec<u64> = vec![0; hosts];
    for turn in 0..400 {
        let host = world.random.usize(0..hosts);
        if turn % 3 > 0
            && let Some(value) = world.presence(host, Who::Person, Change::Set(0))
        {
            due.push((world.now + due_in, host, value));
            written[host] = value;
        }
        let step = world.random.u64(1..80);
        world.play(world.now + step);
        let now = world.now;
        let late: Vec<_> = due.iter().filter(|(at, ..)| *at <= now).copied().collect();
        due.retain(|(at, ..)| *at > now);
        for (_, host, value) in late {
            reached(&world, host, value)?;
        }
    }
    world.play(world.now + due_in);
    for (host, value) in written.into_iter().enumerate().filter(|(_, value)| *value > 0) {
        reached(&world, host, value)?;
    }
    if asks(&world) > asked {
        return Err(failure(&world, "somebody asked, though nothing was lost"));
    }
    check(&world)
}

fn reached(world: &World, host: usize, value: u64) -> Result<(), String> {
    let user = world.hosts[host].person.actor.user_id.clone();
    let row: RowKey = (user.default_member(), user);
    for (observer, replica) in world.running() {
        let seen = world.oracle.value(replica.session(), &row, "f0");
        if seen.is_none_or(|seen| seen < value) {
            return Err(failure(world, &format!("h{observer} has {seen:?} of h{host}, which wrote {value}")));
        }
    }
    Ok(())
}

fn asks(world: &World) -> u64 {
    world.running().map(|(_, replica)| replica.counters().get("asks")).sum()
}

/// A killed process is gone everywhere within its bound, with no traffic at all (reports G3, G5), and starting again
/// replaces it at once (G6).
///
/// # Errors
/// Who was still seen, or seen twice.
pub fn killed(seed: u64, farewell: bool, restart: bool) -> Result<(), String> {
    let mut world = settled(seed, 3, 3, &[])?;
    world.die(0, farewell);
    if restart {
        world.start(0);
        // The dialler finds it within half a second.
        world.play(world.now + 700);
        world.step(&Step::Join(0, Who::Person, None, None));
        world.play(world.now + 50);
    } else {
        world.play(world.now + if farewell { 5_100 } else { 11_100 });
    }
    check(&world)
}

/// Everybody but one sleeps, for longer than any lease; nobody is lost by it, and all is well soon after.
///
/// # Errors
/// Whoever was lost.
pub fn slept(seed: u64, ms: u64) -> Result<(), String> {
    let mut world = settled(seed, 3, 3, &[])?;
    for host in 1..3 {
        world.step(&Step::Sleep(host, ms));
    }
    world.play(world.now + ms + 5_000);
    check(&world)
}

/// Members of many hosts' guests, more than one frame could hold, known everywhere soon after the last link is up.
///
/// # Errors
/// Who is missing.
pub fn crowd(seed: u64, hosts: usize) -> Result<(), String> {
    let mut world = World::new(&Scenario::calm(seed, hosts, 2), LINES);
    world.play(3_000);
    for host in 0..hosts {
        let actor = world.actor(host, Who::Guest);
        for desk in 0..8 {
            let member_id = parlor_core::MemberId::new(&format!("host {host} desk {desk}")).ok();
            let row: Option<RowKey> = member_id.clone().map(|member| (member, actor.actor.user_id.clone()));
            if let (Some(row), Some(session)) = (row, world.hosts[host].session()) {
                let now = world.now;
                world.truth.joined(session, host, &row, now);
            }
            world.call(host, |replica, tick| {
                replica.join(&actor, Join { member_id, ..Join::default() }, Lease::Own, tick).is_ok()
            });
        }
    }
    world.network.faults = Faults { loss: 300, ..Faults::none(2) };
    world.play(world.now + 4_000);
    world.network.faults = Faults::none(2);
    world.play(world.now + 8_000);
    check(&world)
}
