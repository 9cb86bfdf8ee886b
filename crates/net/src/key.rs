//! The key pair of a session: made fresh at every start and never written to disk (design §1).

use std::fmt;

use libp2p::PeerId;
use libp2p::identity::{Keypair, ed25519};
use parlor_core::SessionId;

/// An ed25519 key pair. Its public half is the [`SessionId`], and the libp2p peer id is derived from that.
#[derive(Clone)]
pub struct SessionKey {
    keypair: Keypair,
    id: SessionId,
}

impl SessionKey {
    /// A new one from the system's random source.
    #[must_use]
    pub fn generate() -> Self {
        let pair = ed25519::Keypair::generate();
        let id = SessionId(pair.public().to_bytes());
        Self { keypair: pair.into(), id }
    }

    /// The session that this key speaks for.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The peer id of that session, in base58.
    #[must_use]
    pub fn peer_id(&self) -> String {
        self.peer().to_base58()
    }

    pub(crate) fn peer(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    pub(crate) fn keypair(&self) -> &Keypair {
        &self.keypair
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({})", self.id.short())
    }
}
