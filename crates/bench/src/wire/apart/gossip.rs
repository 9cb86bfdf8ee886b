//! Bare gossipsub: signed, over TCP, linked all with all, and without forwarding.

use std::pin::pin;

use futures::StreamExt as _;
use futures::future::{Either, select};
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm};
use tokio::sync::oneshot;

use super::mover::{GREET, Seen, Task, Told, frame, grace, now, place, read, ready};
use crate::floor;

struct Peer {
    swarm: Swarm<gossipsub::Behaviour>,
    topic: IdentTopic,
    number: usize,
    seen: Seen,
}

impl Peer {
    /// Tells the others where it stands, in as many bytes as a frame of Parlor's that says so.
    fn say(&mut self, x: f64) {
        // Nobody may be there yet; what is not told counts as lost.
        let _ = self.swarm.behaviour_mut().publish(self.topic.clone(), frame(self.number, x, 0));
    }

    fn heard(&mut self, event: SwarmEvent<gossipsub::Event>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => println!("{address}"),
            SwarmEvent::Behaviour(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                if let Some((of, x)) = read(&message.data) {
                    self.seen.see(of, x);
                }
                let gossip = self.swarm.behaviour_mut();
                gossip.report_message_validation_result(&message_id, &propagation_source, MessageAcceptance::Ignore);
            }
            _ => {}
        }
    }

    /// Listens while something else is not done.
    async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.heard(event),
                done = &mut other => return done,
            }
        }
    }
}

pub async fn play(task: &Task, go: oneshot::Receiver<()>) -> anyhow::Result<Told> {
    let mut peer =
        Peer { swarm: floor::swarm()?, topic: IdentTopic::new("floor"), number: task.number, seen: Seen::new(task) };
    peer.swarm.behaviour_mut().subscribe(&peer.topic)?;
    peer.swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    for address in &task.addresses {
        peer.swarm.dial(address.parse::<Multiaddr>()?)?;
    }
    let mut turn = tokio::time::interval(GREET);
    while !peer.seen.is_complete() {
        peer.during(turn.tick()).await;
        peer.say(0.0);
    }
    let mut allowed = tokio::spawn(ready(task.clone(), go));
    let allowed = loop {
        let tick = pin!(turn.tick());
        match peer.during(select(tick, &mut allowed)).await {
            Either::Left(_) => peer.say(0.0),
            Either::Right((allowed, _)) => break allowed,
        }
    };
    allowed??;
    if task.count == 0 {
        peer.during(std::future::pending::<()>()).await;
    }
    let mut told = Told::default();
    let mut turn = tokio::time::interval(task.every);
    for number in 0..task.count {
        peer.during(turn.tick()).await;
        told.sent.push(now());
        peer.say(place(number));
    }
    peer.during(grace()).await;
    told.heard = peer.seen.heard;
    Ok(told)
}
