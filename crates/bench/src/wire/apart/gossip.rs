//! Bare gossipsub: signed, over TCP, linked all with all, and without forwarding. The swarm is in the very task that moves
//! and sees, which is the least that it can cost.

use futures::StreamExt as _;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm};

use super::mover::{Seen, Task, Teller, frame, read};
use crate::floor;

struct Peer {
    swarm: Swarm<gossipsub::Behaviour>,
    topic: IdentTopic,
    number: usize,
}

impl Teller for Peer {
    async fn tell(&mut self, x: f64) -> anyhow::Result<()> {
        // Nobody may be there yet; what is not told counts as lost.
        let _ = self.swarm.behaviour_mut().publish(self.topic.clone(), frame(self.number, x, 0));
        Ok(())
    }

    async fn hear(&mut self, seen: &mut Seen) -> anyhow::Result<()> {
        match self.swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address, .. } => println!("{address}"),
            SwarmEvent::Behaviour(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                if let Some((of, x)) = read(&message.data) {
                    seen.see(of, x);
                }
                let gossip = self.swarm.behaviour_mut();
                gossip.report_message_validation_result(&message_id, &propagation_source, MessageAcceptance::Ignore);
            }
            _ => {}
        }
        Ok(())
    }
}

pub fn start(task: &Task) -> anyhow::Result<impl Teller + use<>> {
    let (mut swarm, topic) = (floor::swarm()?, IdentTopic::new("floor"));
    swarm.behaviour_mut().subscribe(&topic)?;
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    for address in &task.addresses {
        swarm.dial(address.parse::<Multiaddr>()?)?;
    }
    Ok(Peer { swarm, topic, number: task.number })
}
