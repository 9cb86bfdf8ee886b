//! What stands for peers and rooms in a log (ARCHITECTURE.md has the convention): pieces of ids that the network sees anyway,
//! and nothing of what people call them.

use libp2p::PeerId;
use libp2p::gossipsub::TopicHash;
use parlor_core::RoomId;

use crate::seal::RoomSecret;
use crate::topic::Tag;

/// Letters of either.
const LETTERS: usize = 8;

/// The field `peer`, and `session` for this one: the end of the peer id, which all lists of peers show.
pub(crate) fn peer(id: &PeerId) -> String {
    peer_tag(&id.to_string()).to_owned()
}

/// The field `room`: how the tag begins that stands for the room in its topic, or `lobby`.
pub(crate) fn room(topic: &TopicHash) -> String {
    topic.as_str().rsplit('/').next().unwrap_or_default().chars().take(LETTERS).collect()
}

/// What stands for a peer in logs and diagnostics, by its id in base58: the last eight letters.
#[must_use]
pub fn peer_tag(id: &str) -> &str {
    id.get(id.len().saturating_sub(LETTERS)..).unwrap_or(id)
}

/// What stands for a room in logs and diagnostics, the same at all peers: eight letters that its topic begins with. That of
/// a private room tells nothing of its name; that of an open one is what everybody on the network can make of a name.
#[must_use]
pub fn room_tag(id: &RoomId, secret: Option<&RoomSecret>) -> String {
    room(&secret.map_or_else(|| Tag::of(id), Tag::private).hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_called_the_same_by_its_name_and_by_its_topic() {
        let id = RoomId::new("quiet harbour").unwrap();
        let tag = room_tag(&id, None);
        assert_eq!(tag.len(), LETTERS);
        assert_eq!(tag, room(&Tag::of(&id).hash()));
        assert_ne!(tag, room_tag(&RoomId::new("quiet harbours").unwrap(), None));
        assert_eq!(room(&Tag::LOBBY.hash()), "lobby");
    }

    #[test]
    fn a_peer_is_called_as_its_id_ends() {
        let id = PeerId::random();
        assert_eq!(peer(&id).len(), LETTERS);
        assert!(id.to_string().ends_with(&peer(&id)));
    }
}
