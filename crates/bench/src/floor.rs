//! The floor: two bare libp2p swarms with signed gossipsub over TCP and forwarding off. What Parlor costs, it costs on top.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageAuthenticity, ValidationMode};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm, noise, tcp, yamux};
use tokio::sync::mpsc;

use crate::samples::Samples;

pub fn swarm() -> anyhow::Result<Swarm<gossipsub::Behaviour>> {
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .heartbeat_initial_delay(Duration::from_millis(100))
        .build()?;
    let swarm = libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| {
            gossipsub::Behaviour::new(MessageAuthenticity::Signed(key.clone()), config)
                .map_err(Box::<dyn std::error::Error + Send + Sync>::from)
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    Ok(swarm)
}

/// Sends `count` messages of `size` bytes every `every`, and times each from the call to the event at the other end.
pub async fn run(count: u32, size: usize, every: Duration) -> anyhow::Result<Samples> {
    let topic = IdentTopic::new("floor");
    let mut sender = swarm()?;
    let mut receiver = swarm()?;
    for swarm in [&mut sender, &mut receiver] {
        swarm.behaviour_mut().subscribe(&topic)?;
    }
    receiver.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let address: Multiaddr = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = receiver.select_next_some().await {
            break address;
        }
    };
    sender.dial(address)?;
    let (heard, mut arrivals) = mpsc::channel::<(u32, Instant)>(1024);
    let receiving = tokio::spawn(async move {
        loop {
            let event = receiver.select_next_some().await;
            if let SwarmEvent::Behaviour(gossipsub::Event::Message { propagation_source, message_id, message }) = event
            {
                let at = Instant::now();
                let number = message.data.get(..4).and_then(|head| head.try_into().ok()).map_or(0, u32::from_le_bytes);
                let gossip = receiver.behaviour_mut();
                gossip.report_message_validation_result(&message_id, &propagation_source, MessageAcceptance::Ignore);
                if heard.send((number, at)).await.is_err() {
                    return;
                }
            }
        }
    });
    let mut subscribed = false;
    let mut turn = tokio::time::interval(every);
    let mut sent: Vec<Instant> = Vec::new();
    let mut samples = Samples::default();
    while samples.len() < count as usize {
        tokio::select! {
            event = sender.select_next_some() => {
                subscribed |= matches!(event, SwarmEvent::Behaviour(gossipsub::Event::Subscribed { .. }));
            }
            _ = turn.tick(), if subscribed && sent.len() < count as usize => {
                let mut payload = vec![0; size.max(4)];
                payload[..4].copy_from_slice(&(sent.len() as u32).to_le_bytes());
                sent.push(Instant::now());
                sender.behaviour_mut().publish(topic.clone(), payload).context("the floor could not publish")?;
            }
            Some((number, at)) = arrivals.recv() => {
                if let Some(start) = sent.get(number as usize) {
                    samples.add(at.duration_since(*start));
                }
            }
        }
    }
    receiving.abort();
    Ok(samples)
}
