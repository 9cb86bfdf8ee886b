//! Who wrote a frame (design R3, N1). The author is the authenticated origin and never a field of the frame: the source
//! that gossipsub has verified the signature of, or the peer at the other end of the connection. Everything else in the
//! crate asks here, so that signing can later move to the relayed frames alone.
//!
//! A session id and a libp2p peer id say the same thing: the peer id of an ed25519 key holds the whole key.

use libp2p::PeerId;
use parlor_core::{Path, SessionId};

/// The bytes of a peer id before the 32 of the key: identity multihash of 36 bytes, key type ed25519, 32 bytes of data.
const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The session of a peer; `None` when its key is not an ed25519 key, which no Parlor peer has.
pub(crate) fn session_of(peer: &PeerId) -> Option<SessionId> {
    let bytes = peer.to_bytes();
    let key: [u8; 32] = bytes.strip_prefix(&PREFIX)?.try_into().ok()?;
    Some(SessionId(key))
}

/// The peer of a session.
pub(crate) fn peer_of(session: &SessionId) -> Option<PeerId> {
    PeerId::from_bytes(&[PREFIX.as_slice(), &session.0].concat()).ok()
}

/// Where a frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Who wrote it.
    pub author: SessionId,
    /// Over whose link it came.
    pub via: SessionId,
    /// How it travelled.
    pub path: Path,
}

/// Of a gossip message. `source` has passed gossipsub's strict validation, which checks the signature.
pub(crate) fn of_gossip(source: Option<&PeerId>, relay: &PeerId) -> Option<Origin> {
    Some(Origin { author: session_of(source?)?, via: session_of(relay)?, path: Path::Gossip })
}

/// Of a frame that came on a stream: Noise or TLS has proven the peer's key.
pub(crate) fn of_direct(peer: &PeerId) -> Option<Origin> {
    let author = session_of(peer)?;
    Some(Origin { author, via: author, path: Path::Direct })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionKey;

    #[test]
    fn a_session_and_its_peer_are_the_same_key() {
        let key = SessionKey::generate();
        assert_eq!(session_of(&key.peer()), Some(key.id()));
        assert_eq!(peer_of(&key.id()), Some(key.peer()));
    }

    #[test]
    fn a_peer_without_an_ed25519_key_has_no_session() {
        // A random peer id is a SHA-256 multihash, as large keys have.
        assert_eq!(session_of(&PeerId::random()), None);
    }

    #[test]
    fn an_unsigned_message_has_no_author() {
        let relay = SessionKey::generate().peer();
        assert_eq!(of_gossip(None, &relay), None);
    }

    #[test]
    fn a_relayed_frame_belongs_to_its_source() {
        let (writer, relay) = (SessionKey::generate(), SessionKey::generate());
        let origin = of_gossip(Some(&writer.peer()), &relay.peer()).unwrap();
        assert_eq!((origin.author, origin.via), (writer.id(), relay.id()));
    }
}
