//! chitchat: one node that has a key for each field of each member, and one that looks on, over the transport of the library
//! that stays in the process. Nodes tell each other what changed in rounds of three messages, so what a change costs hangs on
//! how many there are in a round: one, or one of each member. To encode and to apply cannot be parted.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chitchat::transport::ChannelTransport;
use chitchat::{ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, ProtocolVersion, spawn_chitchat};

use crate::cpu::spent_here;

use crate::moves::system::Measured;
use crate::trace::{Cursor, Presence, START, cursor};

pub const ONE: &str = "chitchat, a change a round";
pub const ALL: &str = "chitchat, a change of each a round";

/// Longer than anything here takes: rounds are begun by hand.
const INTERVAL: Duration = Duration::from_secs(3600);
/// Rounds that are timed.
const ROUNDS: usize = 2_000;

/// Measured with one change in a round.
pub fn one(members: usize) -> anyhow::Result<Measured> {
    run(members, 1)
}

/// Measured with a change of each member in a round.
pub fn all(members: usize) -> anyhow::Result<Measured> {
    run(members, members)
}

fn run(members: usize, changes: usize) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(measured(members, changes))
}

fn address(number: u16) -> SocketAddr {
    ([127, 0, 0, 1], 10_000 + number).into()
}

async fn node(
    number: u16,
    keys: Vec<(String, String)>,
    transport: &ChannelTransport,
) -> anyhow::Result<ChitchatHandle> {
    let config = ChitchatConfig {
        chitchat_id: ChitchatId::new(format!("node-{number}"), 0, address(number)),
        cluster_id: "bench".to_owned(),
        gossip_interval: INTERVAL,
        listen_addr: address(number),
        seed_nodes: Vec::new(),
        failure_detector_config: FailureDetectorConfig { initial_interval: INTERVAL, ..Default::default() },
        marked_for_deletion_grace_period: INTERVAL,
        catchup_callback: None,
        extra_liveness_predicate: None,
        protocol_version: ProtocolVersion::V1,
    };
    spawn_chitchat(config, keys, transport).await
}

fn key(member: usize, field: &str) -> String {
    format!("u_member{member:03}/{field}")
}

fn written(cursor: Cursor) -> String {
    serde_json::json!(cursor).to_string()
}

fn fields(member: usize) -> Vec<(String, String)> {
    let presence = serde_json::json!(Presence::at(START));
    let fields = presence.as_object().into_iter().flatten();
    fields.map(|(name, value)| (key(member, name), value.to_string())).collect()
}

/// A round with who looks on, until that one has this value.
async fn round(node: &ChitchatHandle, other: &ChitchatHandle, key: &str, value: &str) -> anyhow::Result<()> {
    let (id, begun) = (node.chitchat_id(), Instant::now());
    node.gossip(other.chitchat_id().gossip_advertise_addr)?;
    loop {
        let held = |chitchat: &mut chitchat::Chitchat| {
            chitchat.node_state(id).and_then(|state| state.get(key)).is_some_and(|held| held == value)
        };
        if other.with_chitchat(held).await {
            return Ok(());
        }
        ensure!(begun.elapsed() < Duration::from_secs(5), "a round was lost");
        tokio::task::yield_now().await;
    }
}

async fn measured(members: usize, changes: usize) -> anyhow::Result<Measured> {
    let transport = ChannelTransport::with_mtu(65_507);
    let keys = (0..members).flat_map(fields).collect();
    let told = node(1, keys, &transport).await?;
    let looks_on = node(2, Vec::new(), &transport).await?;
    round(&told, &looks_on, &key(members - 1, "cursor"), &written(START)).await?;
    // Who looks on answers once more before it is quiet.
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
    let whole = transport.statistics().num_bytes_total as f64;
    let (mut spent, mut turn) = (Duration::ZERO, 0);
    let before = transport.statistics().num_bytes_total;
    for _ in 0..ROUNDS {
        let moves: Vec<(String, String)> =
            (turn..turn + changes).map(|turn| (key(turn % members, "cursor"), written(cursor(turn)))).collect();
        turn += changes;
        let Some((last, value)) = moves.last().cloned() else { break };
        let begun = spent_here();
        let set = |chitchat: &mut chitchat::Chitchat| {
            moves.iter().for_each(|(key, value)| chitchat.self_node_state().set(key, value));
        };
        told.with_chitchat(set).await;
        round(&told, &looks_on, &last, &value).await?;
        spent += spent_here() - begun;
    }
    let bytes = transport.statistics().num_bytes_total - before;
    told.abort();
    looks_on.abort();
    let count = turn as f64;
    Ok(Measured {
        encode: None,
        apply: None,
        both: count / spent.as_secs_f64(),
        bytes: bytes as f64 / count,
        whole: Some(whole),
    })
}
