//! Carrying out what the dialler decides and what people type.

use libp2p::allow_block_list::Blocked;
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};
use parlor_core::{Error, ErrorCode, Tick};
use tokio::sync::oneshot;
use tracing::{debug, info};

use super::Actor;
use crate::address;
use crate::behaviour;
use crate::dialler::{Dial, Failure, Target};
use crate::info::PeerInfo;
use crate::inspect::Traffic;
use crate::tags;

/// Dials that people wait for at one time.
const TYPED_MAX: usize = 32;

/// What a dial that is under way is for.
pub(super) enum Purpose {
    Dialler(Target),
    Typed(Typed),
}

impl Purpose {
    pub(super) fn target(&self) -> Option<Target> {
        match self {
            Purpose::Dialler(target) => Some(*target),
            Purpose::Typed(_) => None,
        }
    }
}

/// Somebody waits for this one.
pub(super) struct Typed {
    text: String,
    /// What is left to try.
    rest: Vec<Multiaddr>,
    /// What happened at the ones before.
    reasons: Vec<String>,
    reply: oneshot::Sender<Result<PeerInfo, Error>>,
}

impl Actor {
    /// Dials whatever is due.
    pub(super) fn run_dialler(&mut self, now: Tick) {
        while let Some(Dial { target, addresses, beside }) = self.dialler.poll(now) {
            let tried = addresses.iter().map(ToString::to_string).collect();
            let options = match target {
                Target::Peer(peer) => behaviour::dial_peer(peer, addresses, beside),
                Target::Wish(_) => match addresses.into_iter().next() {
                    Some(address) => behaviour::dial_address(address),
                    None => continue,
                },
            };
            let id = options.connection_id();
            self.show_traffic(Traffic::Dial { peer_id: named(target), addresses: tried }, now);
            match self.swarm.dial(options) {
                Ok(()) => {
                    self.pending.insert(id, Purpose::Dialler(target));
                }
                Err(error) => self.dialler_failed(target, &error, now),
            }
        }
    }

    pub(super) fn dial_typed(&mut self, text: String, reply: oneshot::Sender<Result<PeerInfo, Error>>) {
        let typed = self.pending.values().filter(|purpose| matches!(purpose, Purpose::Typed(_))).count();
        if typed >= TYPED_MAX {
            let message = format!("{TYPED_MAX} addresses are being dialled already; wait for one of them");
            let _ = reply.send(Err(Error::new(ErrorCode::RateLimited, message)));
            return;
        }
        let addresses = match address::typed(&text) {
            Ok(addresses) => addresses,
            Err(message) => {
                let _ = reply.send(Err(Error::new(ErrorCode::InvalidTicket, message).at("addr")));
                return;
            }
        };
        let peer = addresses.first().and_then(address::endpoint).and_then(|parts| parts.peer);
        if let Some(info) = peer.and_then(|peer| self.info(&peer, &[])) {
            let _ = reply.send(Ok(info));
            return;
        }
        self.dial_next(Typed { text, rest: addresses, reasons: Vec::new(), reply });
    }

    fn dial_next(&mut self, mut typed: Typed) {
        while !typed.rest.is_empty() {
            let address = typed.rest.remove(0);
            let dial = Traffic::Dial { peer_id: None, addresses: vec![address.to_string()] };
            self.show_traffic(dial, self.clock.now());
            let options = behaviour::dial_address(address);
            let id = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => {
                    self.pending.insert(id, Purpose::Typed(typed));
                    return;
                }
                Err(error) => typed.reasons.push(explain(&error)),
            }
        }
        typed.reasons.dedup();
        let reason = typed.reasons.join("; ");
        info!(reason, "an address that somebody gave was not reached");
        let message = format!("nobody could be reached at {}: {reason}", typed.text);
        let _ = typed.reply.send(Err(Error::new(ErrorCode::NetworkUnavailable, message)));
    }

    /// A dial became a connection.
    pub(super) fn dials_done(&mut self, peer: PeerId, id: ConnectionId) {
        if let Some(Purpose::Typed(typed)) = self.pending.remove(&id) {
            let gone = || Error::new(ErrorCode::NetworkUnavailable, format!("{} is no peer of Parlor", typed.text));
            let _ = typed.reply.send(self.info(&peer, &[]).ok_or_else(gone));
        }
    }

    pub(super) fn dial_failed(&mut self, id: ConnectionId, error: &DialError, now: Tick) {
        match self.pending.remove(&id) {
            None => {}
            Some(Purpose::Dialler(target)) => self.dialler_failed(target, error, now),
            Some(Purpose::Typed(mut typed)) => {
                let reason = explain(error);
                self.show_traffic(Traffic::DialFailed { peer_id: None, reason: reason.clone() }, now);
                typed.reasons.push(reason);
                self.dial_next(typed);
            }
        }
    }

    fn dialler_failed(&mut self, target: Target, error: &DialError, now: Tick) {
        let failure = failure_of(error);
        self.counters.count(match failure {
            Failure::Unreachable => "dial_failed",
            Failure::Other { .. } => "dial_wrong_peer",
            Failure::Ourselves { .. } => "dial_ourselves",
        });
        let reason = explain(error);
        debug!(peer = target.peer().map(|peer| tags::peer(&peer)), reason, "a dial failed");
        self.show_traffic(Traffic::DialFailed { peer_id: named(target), reason }, now);
        self.dialler.failed(target, &failure, now);
    }
}

fn named(target: Target) -> Option<String> {
    target.peer().map(|peer| peer.to_string())
}

fn failure_of(error: &DialError) -> Failure {
    match error {
        DialError::WrongPeerId { obtained, address } => Failure::Other { answered: *obtained, at: address.clone() },
        DialError::LocalPeerId { address } => Failure::Ourselves { at: Some(address.clone()) },
        // The swarm leaves out addresses that it listens on itself.
        DialError::NoAddresses => Failure::Ourselves { at: None },
        _ => Failure::Unreachable,
    }
}

/// One line for a person.
fn explain(error: &DialError) -> String {
    match error {
        DialError::WrongPeerId { obtained, .. } => format!("another peer answered there, {obtained}"),
        DialError::LocalPeerId { .. } | DialError::NoAddresses => "that is this peer itself".into(),
        DialError::Denied { cause } if cause.downcast_ref::<Blocked>().is_some() => {
            "the lab has cut that peer off".into()
        }
        DialError::Denied { .. } => "there are too many connections".into(),
        DialError::Transport(errors) => {
            let root = |error: &dyn std::error::Error| {
                let mut text = error.to_string();
                let mut source = error.source();
                while let Some(inner) = source {
                    text = inner.to_string();
                    source = inner.source();
                }
                text
            };
            let reasons: Vec<String> = errors.iter().map(|(_, error)| root(error)).collect();
            reasons.join("; ")
        }
        other => other.to_string(),
    }
}
