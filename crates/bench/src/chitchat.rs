//! chitchat over UDP: nodes that tell each other at every interval what changed, with a key for each field of each member.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::chitchat::transport::UdpTransport;
use ::chitchat::{
    ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, ListenerHandle, ProtocolVersion, spawn_chitchat,
};
use anyhow::Context as _;
use serde_json::Value;
use tokio::sync::watch;

pub const NAME: &str = "chitchat";
/// The same in a hurry.
pub const QUICK: &str = "chitchat every 50 ms";
/// Between two rounds of a node.
pub const INTERVAL: Duration = Duration::from_secs(1);
pub const QUICK_INTERVAL: Duration = Duration::from_millis(50);
/// Before a deleted key is forgotten, which none is here.
const GRACE: Duration = Duration::from_secs(3600);

/// One that runs until it is dropped.
pub struct Node(ChitchatHandle);

impl Node {
    /// Starts one in a cluster, with what its members show.
    pub async fn start(
        cluster: &str,
        address: Ipv4Addr,
        interval: Duration,
        seeds: Vec<String>,
        members: impl Iterator<Item = (String, Value)>,
    ) -> anyhow::Result<Self> {
        // It wants to be told its port, and nobody else takes this one so soon.
        let listen_addr = UdpSocket::bind((IpAddr::V4(address), 0))?.local_addr()?;
        let config = ChitchatConfig {
            chitchat_id: ChitchatId::new(listen_addr.to_string(), 0, listen_addr),
            cluster_id: cluster.to_owned(),
            gossip_interval: interval,
            listen_addr,
            seed_nodes: seeds,
            failure_detector_config: FailureDetectorConfig { initial_interval: interval, ..Default::default() },
            marked_for_deletion_grace_period: GRACE,
            catchup_callback: None,
            extra_liveness_predicate: None,
            protocol_version: ProtocolVersion::V1,
        };
        Ok(Node(spawn_chitchat(config, members.flat_map(fields).collect(), &UdpTransport).await?))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.chitchat_id().gossip_advertise_addr
    }

    /// Begins a round with this one.
    pub fn ask(&self, other: SocketAddr) -> anyhow::Result<()> {
        self.0.gossip(other)
    }

    pub async fn set(&self, member: &str, field: &str, value: &Value) {
        self.0.with_chitchat(|chitchat| chitchat.self_node_state().set(key(member, field), value.to_string())).await;
    }

    /// When it knew `count` keys of others that begin so and have a value that is wanted.
    pub async fn sees(
        &self,
        prefix: &str,
        count: usize,
        wanted: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Seeing {
        let (tell, told) = watch::channel(None);
        let (seen, own) = (Mutex::new(BTreeSet::new()), self.0.chitchat_id().clone());
        let hear = Arc::new(move |node: &ChitchatId, key: &str, value: &str| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let counts = *node != own && wanted(value);
            if counts && seen.insert((node.node_id.clone(), key.to_owned())) && seen.len() == count {
                tell.send_replace(Some(Instant::now()));
            }
        });
        let listener = self.0.with_chitchat(|chitchat| {
            for (node, state) in chitchat.node_states() {
                let known = state.key_values().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
                known.for_each(|(key, value)| hear(node, key, value));
            }
            let hear = Arc::clone(&hear);
            chitchat.subscribe_event(prefix, move |event| hear(event.node, event.key, event.value))
        });
        Seeing { _listener: listener.await, told }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a node looks out for.
pub struct Seeing {
    _listener: ListenerHandle,
    told: watch::Receiver<Option<Instant>>,
}

impl Seeing {
    pub async fn at(mut self) -> anyhow::Result<Instant> {
        let told = self.told.wait_for(Option::is_some).await.context("the node ended")?;
        told.context("it was seen at no time")
    }
}

fn key(member: &str, field: &str) -> String {
    format!("{member}/{field}")
}

/// What a member shows, field by field.
fn fields((member, presence): (String, Value)) -> Vec<(String, String)> {
    let fields = presence.as_object().into_iter().flatten();
    fields.map(|(field, value)| (key(&member, field), value.to_string())).collect()
}
