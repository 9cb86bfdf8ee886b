//! gossipsub in the ways that silence it (design N2), and what it costs where all are linked to all (design N4).

use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::swarm::SwarmEvent;
use parlor_core::{Config, DownCause, Input, Join, Lease, Member, MemberState, Output, Publish, Replica, Tick};
use parlor_net::RoomPort;
use serde_json::json;
use tokio::sync::Mutex;

use crate::raw::{Raw, topic};
use crate::support::{Dalek, LATER, Peer, Person, SOON, has, room, shows, shows_members, until, wall};

/// From the moment that nothing is heard any more (design N2).
const REPLACED: Duration = Duration::from_secs(8);

/// Somebody of bare libp2p with a replica of ours behind it, which says all that a peer of ours would.
pub struct Speaker {
    pub raw: Raw,
    replica: Replica,
    began: Instant,
}

impl Speaker {
    pub async fn beside(peer: &Peer, name: &str) -> Self {
        let raw = Raw::connect(peer, &room()).await;
        let person = Person::new(name);
        let config = Config {
            room: room(),
            certificate: person.certificate(raw.session),
            seed: 1,
            loopback_only: true,
            private: None,
        };
        let mut replica = Replica::new(config, Arc::new(Dalek), Tick(1), wall());
        replica.join(&person.actor(), Join::new().presence(json!({})), Lease::Own, Tick(1)).unwrap();
        replica.handle(Input::LinkUp { peer: peer.net.session_id(), loopback: true }, Tick(1));
        Speaker { raw, replica, began: Instant::now() }
    }

    fn now(&self) -> Tick {
        Tick(1 + self.began.elapsed().as_millis() as u64)
    }

    /// Says what is due.
    fn pump(&mut self) {
        let now = self.now();
        self.replica.handle(Input::Timeout, now);
        while let Some(output) = self.replica.poll_output() {
            match output {
                // A stream that is dead loses it, which is what is to be noticed.
                Output::Publish { bytes, .. } => {
                    drop(self.raw.swarm.behaviour_mut().gossip.publish(topic(&room()).hash(), bytes));
                }
                Output::Send { bytes, .. } => self.raw.send(16 + bytes.len() as u32, &room(), &bytes),
                Output::Event(_) => {}
            }
        }
    }

    /// Goes on speaking until something is done.
    pub async fn speak_while<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        let mut turn = tokio::time::interval(Duration::from_millis(50));
        loop {
            tokio::select! {
                done = &mut other => return done,
                _ = turn.tick() => self.pump(),
                _ = futures::StreamExt::select_next_some(&mut self.raw.swarm) => {}
            }
        }
    }
}

/// The known way to switch a handler off: frames that are too long for the stream, until libp2p opens it no more. The
/// connection stays, pings are answered, and everything that is published is lost.
// N20 N22
#[tokio::test]
async fn a_stream_that_libp2p_gave_up_is_found_and_replaced_within_eight_seconds() {
    let a = Person::new("Quiet Otter").start().await;
    let at_a = a.open().await;
    let mut speaker = Speaker::beside(&a, "Brave Heron").await;
    let active = |member: &&Arc<Member>| member.state == MemberState::Active;
    let one_active = |port: &RoomPort| port.snapshots().borrow().members.iter().filter(active).count() == 1;
    speaker.speak_while(shows_members(&at_a, SOON, 1)).await;
    let heard = a.count("gossip_heard").await;
    speaker.speak_while(until(SOON, "beats are heard", async || a.count("gossip_heard").await > heard + 1)).await;

    for _ in 0..20 {
        let too_long = vec![1; 200 * 1024];
        drop(speaker.raw.swarm.behaviour_mut().gossip.publish(topic(&room()).hash(), too_long));
    }
    let dead = Instant::now();
    speaker.speak_while(until(LATER, "found", async || a.count("watchdog").await == 1)).await;
    assert!(dead.elapsed() < REPLACED, "{:?}", dead.elapsed());

    speaker.speak_while(until(SOON, "it is closed", async || a.net.peers().await.is_empty())).await;
    let peer = a.net.session_id();
    speaker.replica.handle(Input::LinkDown { peer, cause: DownCause::Closed }, speaker.now());
    speaker.raw.swarm.dial(a.tcp().parse::<libp2p::Multiaddr>().unwrap()).unwrap();
    speaker.raw.run_until(|event| matches!(event, SwarmEvent::ConnectionEstablished { .. })).await;
    speaker.replica.handle(Input::LinkUp { peer, loopback: true }, speaker.now());
    let heard = a.count("gossip_heard").await;
    speaker.speak_while(until(LATER, "a fresh stream", async || a.count("gossip_heard").await > heard + 1)).await;
    speaker.speak_while(until(SOON, "active again", async || one_active(&at_a))).await;
    // It is told of the peer, also after its connection went.
    let replaced = async || a.net.peers().await.iter().map(|peer| peer.watchdog).collect::<Vec<_>>() == [1];
    speaker.speak_while(until(SOON, "counted for the peer", replaced)).await;
}

/// gossipsub holds its whole read buffer against the longest message: a tight limit made a burst of tiny frames an error
/// that ended the stream.
#[tokio::test]
async fn a_burst_of_tiny_frames_ends_no_stream() {
    let a = Person::new("Quiet Otter").start().await;
    let _at_a = a.open().await;
    let mut raw = Raw::connect(&a, &room()).await;
    // Of a kind that is not known yet: no frame of ours is as short. Nearly as many as one author may send at once.
    let frames = 900;
    for number in 0..frames {
        let tiny = vec![parlor_core::VERSION, 200, number as u8];
        raw.swarm.behaviour_mut().gossip.publish(topic(&room()).hash(), tiny).unwrap();
    }
    raw.run_while(until(LATER, "all are heard", async || a.count("gossip_heard").await >= frames)).await;
    assert_eq!((a.count("connection_closed").await, a.count("over_budget").await), (0, 0));
    assert_eq!(a.count("author_over_budget").await, 0);
}

/// Sixteen peers are as much as the machine can do: their tests take turns.
static CROWDED: Mutex<()> = Mutex::const_new(());

/// Peers who are all connected to all, and have a member each.
async fn full_mesh(count: usize) -> (Vec<Peer>, Vec<RoomPort>) {
    let (mut peers, mut ports): (Vec<Peer>, Vec<RoomPort>) = (Vec::new(), Vec::new());
    for number in 0..count {
        let others: Vec<&Peer> = peers.iter().collect();
        let peer = Person::new(&format!("Person {number}")).start_dialling(&others).await;
        ports.push(peer.join(json!({ "step": 0 })).await);
        peers.push(peer);
    }
    for (peer, port) in peers.iter().zip(&ports) {
        until(12 * LATER, "all links", async || peer.net.peers().await.len() == count - 1).await;
        shows_members(port, 4 * LATER, count).await;
    }
    (peers, ports)
}

/// Everybody takes a step, and everybody sees all of them do so within the limit.
async fn all_step(peers: &[Peer], ports: &[RoomPort], limit: Duration, step: u64) {
    for peer in peers {
        peer.presence(json!({ "step": step })).await;
    }
    let end = Instant::now() + limit;
    for port in ports {
        let stepped = |member: &&Arc<Member>| member.record.presence.get("step") == Some(&json!(step));
        let all = |snapshot: &parlor_core::Snapshot| snapshot.members.iter().filter(stepped).count() == peers.len();
        shows(port, end.saturating_duration_since(Instant::now()), all).await;
    }
}

/// So many who all write as fast as their peers take it, up to a hundred messages a second each: queues may be full and frames
/// lost, but no stream dies of it, and afterwards everybody hears everybody as before.
async fn a_burst(count: usize) -> Vec<Peer> {
    let (peers, ports) = full_mesh(count).await;
    let mut turn = tokio::time::interval(Duration::from_millis(10));
    let (began, mut number) = (Instant::now(), 0);
    // Two seconds, and on a busy machine until it was a burst.
    while began.elapsed() < Duration::from_secs(2) || number <= 20 {
        turn.tick().await;
        number += 1;
        for peer in &peers {
            let (actor, said) = (peer.actor.clone(), json!({ "number": number }));
            let said = Publish { kind: "note".into(), data: said, keep: true, ..Publish::default() };
            let call = move |replica: &mut Replica, now| replica.publish_kept(&actor, said, now);
            peer.net.with(&room(), call).await.unwrap().unwrap();
        }
    }
    // Who has more to verify than there is time is late: how late says the bench of a LAN, of optimised programs.
    all_step(&peers, &ports, 6 * LATER, 1).await;
    peers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_burst_of_eight_everybody_hears_everybody() {
    for peer in &a_burst(8).await {
        assert_eq!((peer.count("watchdog").await, peer.count("connection_closed").await), (0, 0));
    }
}

/// On two busy cores one process may be too slow for sixteen peers, and a beat five seconds late: then a link is replaced,
/// and everybody hears everybody all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_burst_of_sixteen_everybody_hears_everybody() {
    let _turn = CROWDED.lock().await;
    a_burst(16).await;
}

/// Where all are linked to all, what one says comes once to each: nobody passes on what everybody had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_are_linked_to_all_a_frame_is_verified_once() {
    let _turn = CROWDED.lock().await;
    let (peers, ports) = full_mesh(16).await;
    let counts = async || {
        let (mut heard, mut repeated, mut control) = (0, 0, 0);
        for peer in &peers {
            heard += peer.count("gossip_heard").await + peer.count("stream_heard").await;
            repeated += peer.count("gossip_repeated").await;
            control += peer.count("gossip_control").await;
        }
        (heard, repeated, control)
    };
    // The last links are news to all for a beat or two, and until then frames are passed on.
    let settled = async {
        loop {
            let before = counts().await;
            until(LATER, "a beat of each", async || counts().await.0 >= before.0 + 16 * 15).await;
            if counts().await.1 == before.1 {
                return;
            }
        }
    };
    tokio::time::timeout(4 * LATER, settled).await.expect("nothing is passed on any more");
    let before = counts().await;
    for step in 1..=20 {
        all_step(&peers, &ports, 2 * LATER, step).await;
    }
    let after = counts().await;
    let (heard, repeated, control) = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
    assert!(heard >= 20 * 16 * 15, "the test lost its point: {heard}");
    assert!(repeated * 20 < heard, "{repeated} frames were verified in vain, beside {heard}");
    assert!(control * 4 < heard, "{control} words of gossip to itself were paid for, beside {heard} frames");
}

/// Ten in a ring, each linked to the next and the one after it: everybody sees everybody, by what others pass on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partial_mesh_of_ten_sees_all_of_itself() {
    let (mut peers, mut ports): (Vec<Peer>, Vec<RoomPort>) = (Vec::new(), Vec::new());
    for number in 0..10_usize {
        let near = |other: usize| matches!(number - other, 1 | 2 | 8 | 9);
        let others: Vec<&Peer> =
            peers.iter().enumerate().filter(|(other, _)| near(*other)).map(|(_, peer)| peer).collect();
        let peer = Person::new(&format!("Person {number}")).start_dialling(&others).await;
        ports.push(peer.join(json!({ "step": 0 })).await);
        peers.push(peer);
    }
    for port in &ports {
        shows_members(port, LATER, 10).await;
    }
    for step in 1..=5 {
        all_step(&peers, &ports, SOON, step).await;
    }
    for (peer, port) in peers.iter().zip(&ports) {
        assert_eq!(peer.net.peers().await.len(), 4, "nobody is linked to everybody");
        assert!(has(&port.snapshots().borrow(), "step", &json!(5)));
    }
}
