//! Faults on purpose, for tests of programs that are built on peers (design N6, A10 `lab`).

use std::sync::Arc;

use parlor_core::Error;

use crate::held::held;
use crate::shared::Shared;

/// What a test may do to a running peer, made by [`Live::lab`](crate::Live::lab). A peer that people use has none.
#[derive(Clone)]
pub struct Lab {
    shared: Arc<Shared>,
    net: parlor_net::Lab,
}

impl Lab {
    pub(crate) fn of(shared: &Arc<Shared>) -> Option<Self> {
        let net = shared.session().net.lab()?;
        Some(Self { shared: Arc::clone(shared), net })
    }

    /// Cuts this peer off from another until [`mend`](Lab::mend): connections are closed before this returns, and none is
    /// made in either direction. The rooms see a link that broke. Cut both ends, or the other goes on dialling. What a third
    /// peer passes on still comes.
    ///
    /// # Errors
    /// `NOT_FOUND` for what is no peer id of another peer, `NETWORK_UNAVAILABLE` when this peer was closed. Nothing was
    /// changed.
    pub async fn cut(&self, peer_id: &str) -> Result<(), Error> {
        self.net.cut(peer_id).await
    }

    /// Makes this peer deaf to another until [`mend`](Lab::mend): whatever the other writes is lost here, also what others
    /// pass on, and the connection stays. Others hear it as before.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn deafen(&self, peer_id: &str) -> Result<(), Error> {
        self.net.deafen(peer_id).await
    }

    /// Ends a cut, and being deaf: two peers that met before are connected again within two seconds, two that never did must be dialled.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn mend(&self, peer_id: &str) -> Result<(), Error> {
        self.net.mend(peer_id).await
    }

    /// Ends the peer as the death of its process would. Nobody is told, the system closes the sockets, the profile is free
    /// for another process, and `peer.json` stays behind. Calls fail with `NETWORK_UNAVAILABLE` afterwards, streams end.
    pub async fn crash(&self) {
        if let Some(upkeep) = held(&self.shared.upkeep).take() {
            upkeep.abort();
        }
        *self.shared.closed.lock().await = true;
        self.net.crash().await;
        self.shared.session().rooms.clear().await;
        self.shared.profile.abandon();
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lab").field(&self.shared.profile.name()).finish()
    }
}
