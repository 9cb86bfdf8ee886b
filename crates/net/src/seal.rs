//! What keeps a private room private: its topic and the seal on its frames, both made from the room's secret (design N8).
//!
//! A sealed frame is `version | kind | counter:u64 | ciphertext`: XChaCha20-Poly1305 over the body, with version, kind,
//! the room's tag and the author as associated data. So whoever has no secret learns when a peer says something, how long
//! it is and of which kind, and neither the room's name nor a byte of what is said; and nobody can say one room's frame in
//! another room, or in another peer's name.
//!
//! The nonce is the first half of the author's session key and the counter. A session key lives as long as one process,
//! and the process counts all frames that it seals, whatever the room: no nonce is ever used twice.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use parlor_core::{PrivateRoom, PublicKey, SessionId};

use crate::topic::Tag;

const SEAL_CONTEXT: &str = "parlor/1 seal of a private room";
const COMMITMENT_CONTEXT: &str = "parlor/1 commitment to a secret";
/// Bytes of version and kind, which stay readable.
const HEAD: usize = 2;
const COUNTER: usize = 8;
/// What a seal adds to a frame: the counter and the authentication tag.
pub(crate) const SEAL_BYTES: usize = COUNTER + 16;

/// How long members stay on the topic of a secret that was changed, to hand on the new one: a day, in milliseconds.
pub const PORCH_MS: u64 = 24 * 60 * 60 * 1000;

/// What lets a peer into a private room: whoever has it is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RoomSecret {
    /// What the room is for ever.
    pub room: PrivateRoom,
    /// How often the secret was changed since the room was made.
    pub epoch: u32,
    /// The secret of that epoch. The topic and the seal are made from it.
    pub secret: [u8; 32],
}

impl RoomSecret {
    /// That of a room which this identity makes.
    #[must_use]
    pub fn first(creator: PublicKey, secret: [u8; 32]) -> Self {
        Self { room: PrivateRoom::new(creator, &secret), epoch: 0, secret }
    }

    /// What tells it from other secrets of the same number, and nothing else.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        blake3::derive_key(COMMITMENT_CONTEXT, &self.secret)
    }
}

impl fmt::Debug for RoomSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomSecret").field("room", &self.room).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Seals and opens the frames of one private room.
pub(crate) struct Seal {
    cipher: XChaCha20Poly1305,
    tag: Tag,
}

impl Seal {
    pub(crate) fn new(secret: &RoomSecret) -> Self {
        let key = blake3::derive_key(SEAL_CONTEXT, &secret.secret);
        Self { cipher: XChaCha20Poly1305::new(&key.into()), tag: Tag::private(secret) }
    }

    /// A frame of this process, as the room may see it. `count` was never used before.
    pub(crate) fn close(&self, author: &SessionId, count: u64, frame: &[u8]) -> Option<Vec<u8>> {
        let (head, body) = frame.split_at_checked(HEAD)?;
        let data = self.associated(head, author);
        let sealed = self.cipher.encrypt(&nonce(author, count), Payload { msg: body, aad: &data }).ok()?;
        Some([head, &count.to_le_bytes(), &sealed].concat())
    }

    /// What an author said; nothing when it was not sealed with this secret, for this room and by this author.
    pub(crate) fn open(&self, author: &SessionId, sealed: &[u8]) -> Option<Vec<u8>> {
        let (head, rest) = sealed.split_at_checked(HEAD)?;
        let (count, sealed) = rest.split_first_chunk::<COUNTER>()?;
        let data = self.associated(head, author);
        let nonce = nonce(author, u64::from_le_bytes(*count));
        let body = self.cipher.decrypt(&nonce, Payload { msg: sealed, aad: &data }).ok()?;
        Some([head, &body].concat())
    }

    fn associated(&self, head: &[u8], author: &SessionId) -> Vec<u8> {
        [head, &self.tag.0, &author.0].concat()
    }
}

fn nonce(author: &SessionId, count: u64) -> XNonce {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(&author.0[..16]);
    nonce[16..].copy_from_slice(&count.to_le_bytes());
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[u8] = b"\x01\x05where the key is";

    fn secret(byte: u8) -> RoomSecret {
        RoomSecret::first(PublicKey([1; 32]), [byte; 32])
    }

    /// Report P3: what is said in one room is nothing in another.
    #[test]
    fn only_the_room_opens_what_its_author_sealed() {
        let (seal, author) = (Seal::new(&secret(7)), SessionId([3; 32]));
        let sealed = seal.close(&author, 9, FRAME).unwrap();
        assert_eq!(sealed.len(), FRAME.len() + SEAL_BYTES);
        assert_eq!(seal.open(&author, &sealed).as_deref(), Some(FRAME));
        assert_eq!(Seal::new(&secret(8)).open(&author, &sealed), None, "another secret");
        assert_eq!(seal.open(&SessionId([4; 32]), &sealed), None, "another author");
        let later = RoomSecret { epoch: 1, secret: [8; 32], ..secret(7) };
        assert_eq!(Seal::new(&later).open(&author, &sealed), None, "another epoch");
    }

    /// Every byte of it is under the seal, the readable ones too.
    #[test]
    fn not_a_bit_may_change() {
        let (seal, author) = (Seal::new(&secret(7)), SessionId([3; 32]));
        let sealed = seal.close(&author, 9, FRAME).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal.open(&author, &changed), None, "byte {at}");
            assert_eq!(seal.open(&author, &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn nothing_of_a_frame_can_be_read_and_no_two_look_alike() {
        let (seal, author) = (Seal::new(&secret(7)), SessionId([3; 32]));
        let (one, two) = (seal.close(&author, 1, FRAME).unwrap(), seal.close(&author, 2, FRAME).unwrap());
        assert_ne!(one[HEAD + COUNTER..], two[HEAD + COUNTER..]);
        assert!(!one.windows(4).any(|window| window == b"wher"));
        assert_eq!(seal.close(&author, 1, b"\x01"), None, "no frame is that short");
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", secret(7)).contains("7, 7"));
    }
}
