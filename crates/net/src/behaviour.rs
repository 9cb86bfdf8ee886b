//! The swarm: transports and behaviours with their settings.

use std::num::NonZeroU8;
use std::time::Duration;

use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::upgrade::Version;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{
    Multiaddr, PeerId, SwarmBuilder, Transport, identify, mdns, noise, ping, quic, rendezvous as libp2p_rendezvous,
    request_response, yamux,
};
use prometheus_client::registry::Registry;

use crate::circuits::{self, Guarded};
use crate::clock::Clock;
use crate::clocks::{self, ClockCodec};
use crate::config::Discovery;
use crate::direct::{self, FrameCodec};
use crate::gossip;
use crate::key::SessionKey;
use crate::lab::{Air, keep_scores};
use crate::links::PING_EVERY_MS;
use crate::meter::Metered;
use crate::relay;
use crate::rendezvous;
use crate::rested::Rested;
use crate::stream::Streams;
use crate::tcp;

/// From the first packet of a dial to a secured connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that nothing keeps open; the lobby keeps all of ours open (design N5).
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const PENDING_MAX: u32 = 64;
const ESTABLISHED_MAX: u32 = 512;
/// Addresses of one peer that are tried side by side.
const AT_ONCE: NonZeroU8 = NonZeroU8::MIN.saturating_add(3);

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    limits: connection_limits::Behaviour,
    /// The peers that a lab has cut off.
    pub(crate) cuts: Toggle<allow_block_list::Behaviour<BlockedPeers>>,
    /// The peers that sent far too much, for a while.
    pub(crate) cut_off: allow_block_list::Behaviour<BlockedPeers>,
    /// Before gossip, for handlers are asked in this order, and it brings the next cursor.
    pub(crate) streams: Streams,
    /// It does not rest: without a stream it is not woken by what waits to be said.
    pub(crate) gossip: Metered,
    pub(crate) direct: Rested<request_response::Behaviour<FrameCodec>>,
    pub(crate) clocks: Rested<request_response::Behaviour<ClockCodec>>,
    identify: Rested<identify::Behaviour>,
    ping: Rested<ping::Behaviour>,
    mdns: Toggle<mdns::tokio::Behaviour>,
    /// What a relay does for others, when this peer is one.
    relay: Rested<Toggle<libp2p::relay::Behaviour>>,
    register: Rested<Toggle<rendezvous::Guarded<libp2p_rendezvous::server::Behaviour>>>,
    /// What relays do for this peer.
    circuits: Rested<Guarded>,
    pub(crate) rendezvous: Rested<rendezvous::Guarded<libp2p_rendezvous::client::Behaviour>>,
}

/// What there is to choose about a swarm.
pub(crate) struct Wanted {
    pub discovery: Discovery,
    /// Whether it is a relay for others.
    pub relay: bool,
    pub lab: bool,
}

/// Makes the swarm, which counts its bytes in the registry. mDNS that the system does not allow is no reason not to start: the
/// second value says so.
pub(crate) fn swarm(
    key: &SessionKey,
    wanted: &Wanted,
    clock: Clock,
    traffic: &mut Registry,
) -> Result<(Swarm<Behaviour>, bool), String> {
    let mdns = wanted.discovery.mdns.then(|| {
        let config =
            mdns::Config { ttl: Duration::from_secs(60), query_interval: Duration::from_secs(10), enable_ipv6: false };
        mdns::tokio::Behaviour::new(config, key.peer())
    });
    let mut gossip = gossip::behaviour(key.keypair())?;
    if wanted.lab {
        keep_scores(&mut gossip)?;
    }
    let gossip = Metered::new(gossip, wanted.lab.then(|| Box::new(Air::new(clock))));
    let mdns_failed = matches!(mdns, Some(Err(_)));
    let (through_relays, circuits) = circuits::client(key.peer());
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(
            ConnectionLimits::default()
                .with_max_established_per_peer(Some(2))
                .with_max_pending_incoming(Some(PENDING_MAX))
                .with_max_pending_outgoing(Some(PENDING_MAX))
                .with_max_established(Some(ESTABLISHED_MAX)),
        ),
        cuts: wanted.lab.then(allow_block_list::Behaviour::default).into(),
        cut_off: allow_block_list::Behaviour::default(),
        streams: Streams::default(),
        gossip,
        direct: Rested(direct::behaviour()),
        clocks: Rested(clocks::behaviour()),
        identify: Rested(identify::Behaviour::new(
            identify::Config::new("parlor/1".into(), key.keypair().public())
                .with_agent_version(concat!("parlor/", env!("CARGO_PKG_VERSION")).into())
                .with_cache_size(0)
                .with_push_listen_addr_updates(true),
        )),
        ping: Rested(ping::Behaviour::new(
            ping::Config::new()
                .with_interval(Duration::from_millis(PING_EVERY_MS))
                .with_timeout(Duration::from_millis(PING_EVERY_MS)),
        )),
        mdns: mdns.and_then(Result::ok).into(),
        relay: Rested(wanted.relay.then(|| relay::behaviour(key.peer())).into()),
        register: Rested(wanted.relay.then(|| rendezvous::server(clock)).into()),
        circuits: Rested(circuits),
        rendezvous: Rested(rendezvous::client(key.keypair(), clock)),
    };
    let swarm = SwarmBuilder::with_existing_identity(key.keypair().clone())
        .with_tokio()
        // TCP comes first, so that it is what is listened on, told of and dialled first (design N1).
        .with_other_transport(|keypair| {
            let noise = noise::Config::new(keypair)?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                tcp::transport().upgrade(Version::V1Lazy).authenticate(noise).multiplex(yamux::Config::default()),
            )
        })
        .map_err(|error| error.to_string())?
        .with_other_transport(|keypair| quic::tokio::Transport::new(quic::Config::new(keypair)))
        .map_err(|error: std::convert::Infallible| error.to_string())?
        .with_other_transport(|keypair| {
            let noise = noise::Config::new(keypair)?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                through_relays.upgrade(Version::V1Lazy).authenticate(noise).multiplex(yamux::Config::default()),
            )
        })
        .map_err(|error| error.to_string())?
        .with_bandwidth_metrics(traffic)
        .with_behaviour(|_| behaviour)
        .map_err(|error| error.to_string())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIMEOUT))
        .with_connection_timeout(CONNECT_TIMEOUT)
        .build();
    Ok((swarm, mdns_failed))
}

// Dials never leave from the listening port: two peers that dial each other at once would meet in one TCP connection of
// which both are the initiator, and a redial would find its old port pair still in use.

/// A dial of a known peer, unless it is being dialled or, but for `beside`, connected already.
pub(crate) fn dial_peer(peer: PeerId, addresses: Vec<Multiaddr>, beside: bool) -> DialOpts {
    let condition = if beside { PeerCondition::NotDialing } else { PeerCondition::DisconnectedAndNotDialing };
    DialOpts::peer_id(peer)
        .condition(condition)
        .addresses(addresses)
        .override_dial_concurrency_factor(AT_ONCE)
        .allocate_new_port()
        .build()
}

/// A dial of whoever is at an address.
pub(crate) fn dial_address(address: Multiaddr) -> DialOpts {
    DialOpts::unknown_peer_id().address(address).allocate_new_port().build()
}
