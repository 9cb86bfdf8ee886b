//! Carrying out the faults of a [`Lab`](crate::Lab). Without `lab: true` there is no behaviour to carry them out with.

use libp2p::PeerId;
use parlor_core::Tick;
use tokio::sync::oneshot;

use super::Actor;
use crate::lab::Fault;

impl Actor {
    /// Every fault but a crash, which ends the task.
    pub(super) fn fault(&mut self, fault: Fault, reply: oneshot::Sender<()>, now: Tick) {
        match fault {
            Fault::Cut(peer) => {
                self.cut(peer);
                self.cutting.push((peer, reply));
                self.cuts_made();
            }
            Fault::Mend(peer) => {
                self.mend(peer, now);
                let _ = reply.send(());
            }
            Fault::Deafen(peer) => {
                self.deaf_to.insert(peer);
                let _ = reply.send(());
            }
            Fault::Crash => drop(reply),
        }
    }

    /// The swarm closes what is open when it runs next, and refuses whatever becomes a connection from now on: a dial and
    /// an incoming connection that are under way are judged by who turns out to be at the other end.
    fn cut(&mut self, peer: PeerId) {
        if self.swarm.behaviour_mut().cuts.as_mut().is_some_and(|cuts| cuts.block_peer(peer)) {
            self.counters.count("lab_cut");
        }
    }

    fn mend(&mut self, peer: PeerId, now: Tick) {
        self.deaf_to.remove(&peer);
        if self.swarm.behaviour_mut().cuts.as_mut().is_some_and(|cuts| cuts.unblock_peer(peer)) {
            self.counters.count("lab_mended");
            self.dialler.reachable(peer, now);
        }
    }

    /// Answers those whose cut has taken effect.
    pub(super) fn cuts_made(&mut self) {
        for (peer, reply) in std::mem::take(&mut self.cutting) {
            match self.swarm.is_connected(&peer) {
                true => self.cutting.push((peer, reply)),
                false => drop(reply.send(())),
            }
        }
    }
}
