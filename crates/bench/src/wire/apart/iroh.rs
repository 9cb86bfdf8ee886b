//! iroh-gossip: over QUIC, in broadcast trees, unsigned. Bound to loopback, with no relay, no lookup of addresses and no port
//! mapper.

use anyhow::Context as _;
use futures::StreamExt as _;
use iroh::address_lookup::memory::MemoryLookup;
use iroh::endpoint::presets;
use iroh::protocol::Router;
use iroh::{Endpoint, EndpointAddr, EndpointId};
use iroh_gossip::api::{Event, GossipReceiver, GossipSender};
use iroh_gossip::net::Gossip;
use iroh_gossip::proto::TopicId;

use super::mover::{Seen, Task, Teller, frame, read};

struct Peer {
    sender: GossipSender,
    receiver: GossipReceiver,
    /// Answers those who connect, until it is dropped.
    _router: Router,
    number: usize,
    /// What is told twice in the same bytes is one message to it.
    told: u64,
}

impl Teller for Peer {
    async fn tell(&mut self, x: f64) -> anyhow::Result<()> {
        self.told += 1;
        Ok(self.sender.broadcast(frame(self.number, x, self.told).into()).await?)
    }

    async fn hear(&mut self, seen: &mut Seen) -> anyhow::Result<()> {
        let event = self.receiver.next().await.context("it is over")??;
        if let Event::Received(message) = event
            && let Some((of, x)) = read(&message.content)
        {
            seen.see(of, x);
        }
        Ok(())
    }
}

pub async fn start(task: &Task) -> anyhow::Result<impl Teller + use<>> {
    let known = MemoryLookup::new();
    let endpoint = Endpoint::builder(presets::Minimal)
        .clear_ip_transports()
        .bind_addr("127.0.0.1:0")?
        .address_lookup(known.clone())
        .bind()
        .await?;
    let gossip = Gossip::builder().spawn(endpoint.clone());
    let router = Router::builder(endpoint.clone()).accept(iroh_gossip::ALPN, gossip.clone()).spawn();
    let at = *endpoint.bound_sockets().first().context("no address")?;
    println!("{}@{at}", endpoint.id());
    let mut others: Vec<EndpointId> = Vec::new();
    for address in &task.addresses {
        let (id, at) = address.split_once('@').context("no address of iroh")?;
        let id: EndpointId = id.parse()?;
        known.add_endpoint_info(EndpointAddr::new(id).with_ip_addr(at.parse()?));
        others.push(id);
    }
    let (sender, receiver) = gossip.subscribe(TopicId::from_bytes([7; 32]), others).await?.split();
    Ok(Peer { sender, receiver, _router: router, number: task.number, told: 0 })
}
