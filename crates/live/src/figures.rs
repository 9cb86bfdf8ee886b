//! How much there is of everything in a peer, for a monitor (design A10). Nothing here says anything of anybody.

use std::collections::BTreeMap;

use parlor_core::MemberState;

use crate::live::Live;

/// Counts of a peer, made by [`Live::figures`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Rooms that this process has open.
    pub rooms: usize,
    /// Members in all of them that are heard of.
    pub active: usize,
    /// Members in all of them that are not, for the moment.
    pub stale: usize,
    /// Members of this process, which are among those.
    pub own_members: usize,
    /// Sessions that look on.
    pub watching: usize,
    /// Peers that this one is connected to.
    pub links: usize,
    /// What was sent, refused, repaired and lost, by name; see [`Live::counters`].
    pub counters: BTreeMap<String, u64>,
    /// The bytes that came and went, by transport, as lines of OpenMetrics.
    pub traffic: String,
}

impl Live {
    /// How much there is of everything, whoever acts through this handle.
    pub async fn figures(&self) -> Figures {
        let session = self.shared.session();
        let mut figures = Figures {
            links: session.net.peers().await.len(),
            counters: session.net.counters().await,
            traffic: session.net.traffic(),
            ..Figures::default()
        };
        for snapshot in session.rooms.snapshots().await {
            figures.rooms += 1;
            figures.watching += snapshot.watching as usize;
            for member in &snapshot.members {
                match member.state {
                    MemberState::Active => figures.active += 1,
                    MemberState::Stale => figures.stale += 1,
                }
                figures.own_members += usize::from(member.own);
            }
        }
        figures
    }
}
