//! What is looked after once a second: time, links that went silent, the watchdog, the lobby, and the surroundings.

use std::collections::BTreeSet;
use std::sync::Arc;

use libp2p::PeerId;
use parlor_core::{Input, Tick, limits};
use tracing::info;

use super::Actor;
use crate::author;
use crate::dialler::Source;
use crate::hello::Heard;
use crate::info::{NearRoom, NetworkState};
use crate::links::{Closing, Connection};
use crate::lobby::Advert;
use crate::surroundings::{Moved, Surroundings};
use crate::topic::Tag;

/// The actor wakes at least once a second; a longer gap than this is a sleep of the computer, or was as bad as one.
pub(super) const JUMP_MS: u64 = 3_000;
/// Beats of a linked member that stay away for this long mean that its gossip stream is dead (design N2).
const WATCHDOG_MS: u64 = limits::STALE_MS;
/// How long a peer may write to a topic before its SUBSCRIBE counts as lost.
const UNANNOUNCED_MS: u64 = 2_000;
/// Links to peers that share no room (design N5).
const STRANGERS_MAX: usize = 64;
/// A newcomer may still be about to subscribe.
const STRANGER_AFTER_MS: u64 = 10_000;

/// The rooms near are shown this often at most.
const NEAR_EVERY_MS: u64 = 100;

const _: () = assert!(WATCHDOG_MS > 2 * limits::BEAT_MS, "one lost beat wakes no watchdog");

impl Actor {
    /// The computer slept, or this task did: nothing that ran out meanwhile counts (design R9).
    pub(super) fn resumed(&mut self, now: Tick) {
        info!("the computer, or this program, slept");
        self.counters.count("resumed");
        self.tell_rooms(&Input::Wall { unix_ms: self.wall_ms() }, now);
        self.tell_rooms(&Input::Resumed, now);
        for connection in self.peers.values_mut().flat_map(|peer| peer.connections.iter_mut()) {
            connection.alive = now;
        }
        for link in self.rooms.values_mut().flat_map(|room| room.links.values_mut()) {
            link.heard = now;
        }
        self.dialler.urge(now);
        self.hello.again();
    }

    /// Somebody answered our question to the network.
    pub(super) fn said_hello(&mut self, heard: Heard, now: Tick) {
        match heard {
            Heard::Counted(name, times) => self.counters.add(name, times),
            Heard::Peer { peer, addresses } => {
                for address in addresses {
                    self.dialler.heard(peer, &address, Source::Hello, false, now);
                }
            }
        }
    }

    pub(super) fn every_second(&mut self, now: Tick) {
        self.tell_rooms(&Input::Wall { unix_ms: self.wall_ms() }, now);
        self.close_extra(now);
        self.close_silent(now);
        self.watchdog(now);
        self.limit_strangers(now);
        self.forgive(now);
        self.leave_porches(now);
        self.lobby.expire(now);
        self.advertise(now);
        self.show_near(now);
        self.ask_clocks(now);
    }

    fn close_extra(&mut self, now: Tick) {
        let replaced = |(peer, entry): (&PeerId, &super::peers::Peer)| {
            entry.connections.replaced(&self.me, peer, now).then_some(*peer)
        };
        for peer in self.peers.iter().filter_map(replaced).collect::<Vec<_>>() {
            self.reconnect(&peer, Closing::Replaced, "link_replaced");
        }
        let extra: Vec<_> =
            self.peers.iter().flat_map(|(peer, entry)| entry.connections.extra(&self.me, peer, now)).collect();
        for id in extra {
            if self.swarm.close_connection(id) {
                self.counters.count("extra_connection_closed");
            }
        }
    }

    /// TCP keeps a cut link for minutes; ten times the patience of a ping is enough (design N6).
    fn close_silent(&mut self, now: Tick) {
        let silent = |peer: &PeerId| self.peers.get(peer).is_some_and(|entry| entry.connections.silent(now));
        let silent: Vec<PeerId> = self.peers.keys().copied().filter(silent).collect();
        for peer in silent {
            self.reconnect(&peer, Closing::Silent, "link_timed_out");
        }
    }

    /// gossipsub can die silently while the connection stays up; a fresh connection has a fresh stream (design N2). Whether
    /// the connection is up the pings say: one that is cut is for [`Actor::close_silent`], for it may be our own outage.
    fn watchdog(&mut self, now: Tick) {
        let mut dead = BTreeSet::new();
        for room in self.rooms.values() {
            let quiet = || room.links.iter().filter(|(_, link)| now.since(link.heard) > WATCHDOG_MS);
            if quiet().next().is_none() {
                continue;
            }
            let members = room.names(now);
            let joined = |peer: &PeerId| {
                author::session_of(peer).is_some_and(|session| members.contains_key(&session.to_string()))
            };
            dead.extend(quiet().map(|(peer, _)| *peer).filter(joined));
        }
        dead.retain(|peer| self.peers.get(peer).is_some_and(|entry| !entry.connections.doubtful(now)));
        for peer in dead {
            self.woken.count(peer);
            self.reconnect(&peer, Closing::Watchdog, "watchdog");
        }
        let lost = |(first, last): (Tick, Tick)| last.since(first) > UNANNOUNCED_MS;
        let unannounced = self.peers.iter().filter(|(_, entry)| entry.unannounced.is_some_and(lost));
        for peer in unannounced.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.reconnect(&peer, Closing::Replaced, "subscription_lost");
        }
    }

    /// Peers of a shared room, peers that somebody asked for, and relays and who has a place there, are never dropped for
    /// strangers.
    fn limit_strangers(&mut self, now: Tick) {
        let since = |peer: &PeerId| self.peers.get(peer)?.connections.iter().map(|one| one.since).min();
        let wanted = |peer: &PeerId| self.needed(peer) || self.dialler.asked_for(peer) || self.guests.contains(peer);
        let stranger = |peer: &&PeerId| !wanted(peer);
        let mut strangers: Vec<(Tick, PeerId)> = self
            .peers
            .keys()
            .filter(stranger)
            .filter_map(|peer| Some((since(peer)?, *peer)))
            .filter(|(since, _)| now.since(*since) > STRANGER_AFTER_MS)
            .collect();
        self.dialler.strangers(strangers.len() < STRANGERS_MAX);
        strangers.sort();
        for (_, peer) in strangers.split_off(strangers.len().min(STRANGERS_MAX)) {
            self.reconnect(&peer, Closing::Replaced, "stranger_dropped");
        }
    }

    /// Every open room as the lobby shows it, and whether we have a member there.
    pub(super) fn own_adverts(&self) -> Vec<(Advert, bool)> {
        let advert =
            |room: &super::Room| (Advert::of(room.id.clone(), room.replica.summary()), room.replica.own_members() > 0);
        // Private rooms are never advertised.
        self.rooms.values().filter(|room| room.secret.is_none()).map(advert).collect()
    }

    pub(super) fn advertise(&mut self, now: Tick) {
        let adverts = self.lobby.adverts(self.own_adverts(), now);
        for advert in adverts {
            self.publish(Tag::LOBBY, advert.write());
        }
    }

    /// Something was heard of a room near. To make the list of all of them is work: adverts that come one after the other
    /// are shown together.
    pub(super) fn near_changed(&mut self, now: Tick) {
        self.near_due.get_or_insert(self.near_shown.plus(NEAR_EVERY_MS).max(now));
    }

    pub(super) fn show_near(&mut self, now: Tick) {
        (self.near_due, self.near_shown) = (None, now);
        let near = |advert: &Advert| {
            let topic = Tag::of(&advert.room).hash();
            let peers = self.peers.values().filter(|peer| peer.topics.contains(&topic)).count();
            NearRoom {
                room: advert.room.clone(),
                title: advert.title.clone(),
                members: advert.members,
                faces: advert.faces.clone(),
                peers: u32::try_from(peers).unwrap_or(u32::MAX),
            }
        };
        let near: Vec<NearRoom> = self.lobby.near().map(near).collect();
        self.near.send_if_modified(|shown| {
            let changed = **shown != near;
            if changed {
                *shown = Arc::new(near);
            }
            changed
        });
    }

    /// News of interfaces and of other profiles on this computer.
    pub(super) fn look_around(&mut self, seen: Surroundings, now: Tick) {
        for neighbour in &seen.neighbours {
            for address in &neighbour.addresses {
                self.dialler.heard(neighbour.peer, address, Source::Profile, true, now);
            }
        }
        let state = match self.loopback_only {
            true => NetworkState::Loopback,
            false => seen.interfaces.state(),
        };
        if self.network.send_if_modified(|shown| std::mem::replace(shown, state) != state) {
            info!(?state, "the network changed");
        }
        if self.interfaces.as_ref() == Some(&seen.interfaces) {
            return;
        }
        let before = self.interfaces.replace(seen.interfaces.clone());
        self.dialler.subnets(seen.interfaces.subnets.clone());
        self.hello.subnets(seen.interfaces.subnets.clone());
        self.outage.carrier(seen.interfaces.usable());
        self.dialler.carrier(seen.interfaces.any());
        self.tell_outage(now);
        let moved = self.homes.moved(&seen.interfaces);
        if before.is_some_and(|before| before.subnets != seen.interfaces.subnets) {
            if seen.interfaces.usable() {
                self.replace_links(&moved, now);
            }
            self.dialler.urge(now);
        }
    }

    /// The network changed: links that owe an answer, and those over an address that is gone, are replaced rather than
    /// waited for (design N6).
    fn replace_links(&mut self, moved: &Moved, now: Tick) {
        let dead = |peer: &PeerId| {
            self.peers.get(peer).is_some_and(|entry| {
                let all = |is: &dyn Fn(&Connection) -> bool| entry.connections.iter().all(is);
                all(&|connection| !connection.loopback)
                    && (entry.connections.doubtful(now) || all(&|connection| moved.took(&connection.address)))
            })
        };
        let dead: Vec<PeerId> = self.peers.keys().copied().filter(dead).collect();
        for peer in dead {
            self.reconnect(&peer, Closing::Replaced, "link_replaced");
        }
    }

    pub(super) fn tell_outage(&mut self, now: Tick) {
        let out = self.outage.out();
        if out != self.out {
            self.out = out;
            info!(out, "own outage");
            self.counters.count(if out { "own_outage" } else { "own_outage_over" });
            self.tell_rooms(&Input::OwnOutage(out), now);
        }
    }
}
