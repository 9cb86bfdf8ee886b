//! iroh-gossip: over QUIC, in broadcast trees, unsigned. Bound to loopback, with no relay, no lookup of addresses and no port
//! mapper.

use std::pin::pin;

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::future::{Either, select};
use iroh::address_lookup::memory::MemoryLookup;
use iroh::endpoint::presets;
use iroh::protocol::Router;
use iroh::{Endpoint, EndpointAddr, EndpointId};
use iroh_gossip::api::{Event, GossipReceiver, GossipSender};
use iroh_gossip::net::Gossip;
use iroh_gossip::proto::TopicId;
use tokio::sync::oneshot;

use super::mover::{GREET, Seen, Task, Told, frame, grace, now, place, read, ready};

struct Peer {
    sender: GossipSender,
    receiver: GossipReceiver,
    number: usize,
    /// What is told twice in the same bytes is one message to it.
    told: u64,
    seen: Seen,
}

impl Peer {
    async fn say(&mut self, x: f64) -> anyhow::Result<()> {
        self.told += 1;
        Ok(self.sender.broadcast(frame(self.number, x, self.told).into()).await?)
    }

    /// Listens while something else is not done.
    async fn during<T>(&mut self, other: impl Future<Output = T>) -> anyhow::Result<T> {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                event = self.receiver.next() => {
                    if let Event::Received(message) = event.context("it is over")??
                        && let Some((of, x)) = read(&message.content)
                    {
                        self.seen.see(of, x);
                    }
                }
                done = &mut other => return Ok(done),
            }
        }
    }
}

pub async fn play(task: &Task, go: oneshot::Receiver<()>) -> anyhow::Result<Told> {
    let known = MemoryLookup::new();
    let endpoint = Endpoint::builder(presets::Minimal)
        .clear_ip_transports()
        .bind_addr("127.0.0.1:0")?
        .address_lookup(known.clone())
        .bind()
        .await?;
    let gossip = Gossip::builder().spawn(endpoint.clone());
    let _router = Router::builder(endpoint.clone()).accept(iroh_gossip::ALPN, gossip.clone()).spawn();
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
    let mut peer = Peer { sender, receiver, number: task.number, told: 0, seen: Seen::new(task) };
    let mut turn = tokio::time::interval(GREET);
    while !peer.seen.is_complete() {
        peer.during(turn.tick()).await?;
        peer.say(0.0).await?;
    }
    let mut allowed = tokio::spawn(ready(task.clone(), go));
    let allowed = loop {
        let tick = pin!(turn.tick());
        match peer.during(select(tick, &mut allowed)).await? {
            Either::Left(_) => peer.say(0.0).await?,
            Either::Right((allowed, _)) => break allowed,
        }
    };
    allowed??;
    if task.count == 0 {
        peer.during(std::future::pending::<()>()).await?;
    }
    let mut told = Told::default();
    let mut turn = tokio::time::interval(task.every);
    for number in 0..task.count {
        peer.during(turn.tick()).await?;
        told.sent.push(now());
        peer.say(place(number)).await?;
    }
    peer.during(grace()).await?;
    told.heard = peer.seen.heard;
    Ok(told)
}
