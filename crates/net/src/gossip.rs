//! The settings of gossipsub.
//!
//! A gossipsub stream can die for good while its connection stays up: after five decoding errors its handler is switched
//! off without an event. So the settings here keep every known cause away (design N2), and the actor's watchdog looks
//! for the causes that nobody knows yet. The other settings make an old cursor die in a queue rather than wait (design
//! N5).

use std::time::Duration;

use libp2p::PeerId;
use libp2p::gossipsub::{
    self, AllowAllSubscriptionFilter, ConfigBuilder, IdentityTransform, MaxCountSubscriptionFilter, Message,
    MessageAuthenticity, MessageId, ValidationMode,
};
use libp2p::identity::Keypair;
use parlor_core::limits::{FRAME_MAX, ROOMS_MAX};

use crate::meter::MESSAGES_MAX;

/// gossipsub compares this with its whole read buffer, many small frames together, not with one message: a tight value
/// would make a burst of tiny frames an error.
const TRANSMIT_MAX: usize = 64 * 1024;
/// One list of message ids of a busy room must fit, or it kills the stream of its receiver.
const CONTROL_MAX: usize = 256 * 1024;
/// Messages this small need no "do not send me that".
const IDONTWANT_ABOVE: usize = 32 * 1024;
/// Messages that wait for one peer; beyond that the newest is dropped and counted.
const QUEUE: usize = 256;
/// Topics one peer may be subscribed to before its subscriptions are ignored.
pub(crate) const TOPICS_MAX: usize = 100;
/// Seconds of messages that a mesh remembers in its gossip window, at the default heartbeat.
const GOSSIP_WINDOW_S: usize = 3;
pub(crate) const ID_BYTES: usize = 8;
/// How long a message is remembered, so that it is taken and handed on once.
pub(crate) const HEARD_FOR: Duration = Duration::from_secs(60);
/// More messages a second than two peers can exchange.
const BUSIEST_PER_S: usize = 8_000;

const MESH: (usize, usize, usize, usize) = (2, 4, 8, 1);

const _: () = assert!(2 * FRAME_MAX < TRANSMIT_MAX, "a frame and what is read with it fit the read buffer");
const _: () = assert!(FRAME_MAX < IDONTWANT_ABOVE, "no frame of ours asks for IDONTWANT");
const _: () = assert!(ROOMS_MAX < TOPICS_MAX, "every room and the lobby fit under the receivers' filter");
const _: () = assert!(GOSSIP_WINDOW_S * BUSIEST_PER_S * (ID_BYTES + 2) < CONTROL_MAX, "the ids of a window fit");
// The builder checks these only for topics that are configured one by one.
const _: () = assert!(MESH.3 < MESH.0 && MESH.0 <= MESH.1 && MESH.1 <= MESH.2 && MESH.3 * 2 <= MESH.1);

/// gossipsub as this crate uses it.
pub(crate) type Gossip =
    gossipsub::Behaviour<IdentityTransform, MaxCountSubscriptionFilter<AllowAllSubscriptionFilter>>;

/// Ids of eight bytes, of source and sequence number: equal content twice is two messages.
pub(crate) fn id_of(source: Option<&PeerId>, sequence_number: Option<u64>) -> [u8; ID_BYTES] {
    let mut hasher = blake3::Hasher::new();
    if let Some(source) = source {
        hasher.update(&source.to_bytes());
    }
    hasher.update(&sequence_number.unwrap_or_default().to_le_bytes());
    let mut id = [0; ID_BYTES];
    hasher.finalize_xof().fill(&mut id);
    id
}

fn message_id(message: &Message) -> MessageId {
    MessageId::new(&id_of(message.source.as_ref(), message.sequence_number))
}

/// Signed, strictly validated, and forwarding nothing before it was judged.
pub(crate) fn behaviour(keypair: &Keypair) -> Result<Gossip, String> {
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .message_id_fn(message_id)
        .duplicate_cache_time(HEARD_FOR)
        .gossip_lazy(0)
        .gossip_factor(0.0)
        .max_control_message_size(CONTROL_MAX)
        .idontwant_message_size_threshold(IDONTWANT_ABOVE)
        .max_transmit_size(TRANSMIT_MAX)
        .max_publish_messages(MESSAGES_MAX)
        .mesh_n_low(MESH.0)
        .mesh_n(MESH.1)
        .mesh_n_high(MESH.2)
        .mesh_outbound_min(MESH.3)
        .prune_backoff(Duration::from_secs(1))
        .unsubscribe_backoff(Duration::from_secs(1))
        .heartbeat_initial_delay(Duration::from_millis(100))
        .heartbeat_interval(Duration::from_secs(1))
        .history_gossip(GOSSIP_WINDOW_S)
        .connection_handler_queue_len(QUEUE)
        .publish_queue_duration(Duration::from_millis(500))
        .forward_queue_duration(Duration::from_millis(250))
        .build()
        .map_err(|error| error.to_string())?;
    let filter = MaxCountSubscriptionFilter {
        filter: AllowAllSubscriptionFilter {},
        max_subscribed_topics: TOPICS_MAX,
        max_subscriptions_per_request: TOPICS_MAX,
    };
    Gossip::new_with_subscription_filter(MessageAuthenticity::Signed(keypair.clone()), config, filter)
        .map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sequence_number: u64, data: &[u8]) -> Message {
        Message {
            source: Some(crate::SessionKey::generate().peer()),
            data: data.to_vec(),
            sequence_number: Some(sequence_number),
            topic: crate::topic::Tag::LOBBY.hash(),
        }
    }

    /// Report N6, report N7: the id is of source and number, so sending the same heartbeat twice is no duplicate.
    #[test]
    fn equal_content_twice_is_two_messages() {
        let first = message(1, b"beat");
        let again = Message { sequence_number: Some(2), ..first.clone() };
        assert_ne!(message_id(&first), message_id(&again));
        assert_eq!(message_id(&first).0.len(), ID_BYTES);
    }

    #[test]
    fn the_same_number_of_two_sources_is_two_messages() {
        assert_ne!(message_id(&message(1, b"")), message_id(&message(1, b"")));
    }
}
