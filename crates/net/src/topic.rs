//! Names on the wire. The topic of an open room is a hash of its id, so that ids of any length fit and a topic is always
//! short; that of a private room is a hash of its secret, so that it tells nothing of its name (design N8).

use data_encoding::HEXLOWER;
use libp2p::gossipsub::{IdentTopic, TopicHash};
use parlor_core::RoomId;

use crate::seal::RoomSecret;

/// Domain of the hash; a change of it is a new protocol.
const CONTEXT: &str = "parlor/1 topic of an open room";
const PRIVATE_CONTEXT: &str = "parlor/1 topic of a private room";

/// Sixteen bytes that stand for a room in a direct frame and, in hexadecimal, in its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(pub [u8; 16]);

impl Tag {
    /// The lobby, where open rooms are advertised (design N5). No room hashes to zeros.
    pub(crate) const LOBBY: Tag = Tag([0; 16]);

    /// Of an open room.
    pub(crate) fn of(room: &RoomId) -> Tag {
        Tag::hashed(CONTEXT, room.as_str().as_bytes())
    }

    /// Of a private room, while this is its secret.
    pub(crate) fn private(secret: &RoomSecret) -> Tag {
        Tag::hashed(PRIVATE_CONTEXT, &secret.secret)
    }

    fn hashed(context: &str, of: &[u8]) -> Tag {
        let hash = blake3::derive_key(context, of);
        let mut tag = [0; 16];
        tag.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Tag(tag)
    }

    /// The gossipsub topic.
    pub(crate) fn topic(self) -> IdentTopic {
        if self == Tag::LOBBY {
            return IdentTopic::new("parlor/1/lobby");
        }
        IdentTopic::new(format!("parlor/1/{}", HEXLOWER.encode(&self.0)))
    }

    /// The hash of the topic, by which gossipsub names it; it is the topic itself.
    pub(crate) fn hash(self) -> TopicHash {
        self.topic().hash()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_have_short_topics_of_their_own() {
        let long = RoomId::new(&"é".repeat(128)).unwrap();
        let other = RoomId::new(&"é".repeat(127)).unwrap();
        assert_eq!(Tag::of(&long).hash().as_str().len(), "parlor/1/".len() + 32);
        assert_ne!(Tag::of(&long).hash(), Tag::of(&other).hash());
    }
}
