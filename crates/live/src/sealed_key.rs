//! A changed key of a private room, sealed to each identity that stays (design N8).
//!
//! One pair of x25519 keys is made for one change and thrown away; its public half is the **share**. Each part is the new
//! secret under XChaCha20-Poly1305, by a key made from what the share and the identity have in common, the identity, the
//! room and the epoch. So each such key seals once, and its nonce can be zero; nobody but that identity opens the part, and
//! nowhere else. An identity's ed25519 key gives the x25519 key that it is the same point of.

use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use ed25519_dalek::VerifyingKey;
use parlor_core::{Handover, NewKey, PublicKey};
use parlor_net::RoomSecret;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use crate::keys::IdentityKey;

const CONTEXT: &str = "parlor 2026-11 part of a changed room key";

/// A key for a room, put into parts for these identities; `fresh` are random bytes: the secret, and the key of the share.
pub(crate) fn seal(before: &RoomSecret, epoch: u32, fresh: [[u8; 32]; 2], to: &[PublicKey]) -> (RoomSecret, NewKey) {
    let [secret, once] = fresh;
    let after = RoomSecret { room: before.room, epoch, secret };
    let share = x25519(once, X25519_BASEPOINT_BYTES);
    let part = |identity: &PublicKey| {
        let point = VerifyingKey::from_bytes(&identity.0).ok()?.to_montgomery().to_bytes();
        let cipher = cipher(&x25519(once, point), &share, identity, &after)?;
        Some((*identity, cipher.encrypt(&XNonce::default(), &secret[..]).ok()?))
    };
    let parts = to.iter().filter_map(part).collect();
    let new = NewKey { epoch, commitment: after.commitment(), share, parts };
    (after, new)
}

/// The key that an identity finds in its part; nothing when the part is none of this room, or not what it says.
pub(crate) fn open(before: &RoomSecret, handover: &Handover, me: &IdentityKey) -> Option<RoomSecret> {
    let mut after = RoomSecret { room: before.room, epoch: handover.epoch, secret: [0; 32] };
    let cipher = cipher(&me.agree(&handover.share), &handover.share, &me.identity(), &after)?;
    let secret = cipher.decrypt(&XNonce::default(), handover.part.as_deref()?).ok()?;
    after.secret = secret.try_into().ok()?;
    (after.commitment() == handover.commitment).then_some(after)
}

fn cipher(common: &[u8; 32], share: &[u8; 32], to: &PublicKey, after: &RoomSecret) -> Option<XChaCha20Poly1305> {
    // A point that somebody chose so that everybody has the same in common with it.
    if *common == [0; 32] {
        return None;
    }
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    for part in [common, share, &to.0, &after.room.root] {
        hasher.update(part);
    }
    hasher.update(&after.epoch.to_le_bytes());
    Some(XChaCha20Poly1305::new(hasher.finalize().as_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(byte: u8) -> IdentityKey {
        IdentityKey::from_secret(&[byte; 32])
    }

    fn before() -> RoomSecret {
        RoomSecret::first(identity(1).identity(), [7; 32])
    }

    /// What an identity finds of a new key.
    fn handover(new: &NewKey, of: &IdentityKey) -> Handover {
        let part = new.parts.iter().find(|(identity, _)| *identity == of.identity()).map(|(_, part)| part.clone());
        Handover { epoch: new.epoch, commitment: new.commitment, share: new.share, included: part.is_some(), part }
    }

    #[test]
    fn whoever_stays_finds_the_key_and_nobody_else_does() {
        let (stays, out) = (identity(2), identity(3));
        let (after, new) = seal(&before(), 1, [[8; 32], [9; 32]], &[identity(1).identity(), stays.identity()]);
        assert_eq!((after.epoch, after.secret, after.room), (1, [8; 32], before().room));
        assert_eq!(open(&before(), &handover(&new, &stays), &stays), Some(after));
        assert_eq!(open(&before(), &handover(&new, &out), &out), None, "there is no part");
        assert_eq!(open(&before(), &handover(&new, &stays), &out), None, "another's part");
        let bytes: Vec<u8> = new.parts.iter().flat_map(|(_, part)| part.clone()).collect();
        assert!(!bytes.windows(8).any(|window| window == [8; 8]), "the secret is not readable");
    }

    #[test]
    fn a_part_is_for_one_room_and_one_epoch() {
        let stays = identity(2);
        let (_, new) = seal(&before(), 1, [[8; 32], [9; 32]], &[stays.identity()]);
        let handover = handover(&new, &stays);
        let other = RoomSecret::first(identity(1).identity(), [6; 32]);
        assert_eq!(open(&other, &handover, &stays), None);
        assert_eq!(open(&before(), &Handover { epoch: 2, ..handover.clone() }, &stays), None);
        let wrong = Handover { commitment: [0; 32], ..handover.clone() };
        assert_eq!(open(&before(), &wrong, &stays), None, "it is not the key that was announced");
        let weak = Handover { share: [0; 32], ..handover };
        assert_eq!(open(&before(), &weak, &stays), None);
    }

    /// A key that is no point of the curve gets no part, and costs nobody theirs.
    #[test]
    fn an_identity_that_is_none_is_passed_over() {
        let none = PublicKey([2; 32]);
        assert!(VerifyingKey::from_bytes(&none.0).is_err());
        let (_, new) = seal(&before(), 1, [[8; 32], [9; 32]], &[none, identity(2).identity()]);
        assert_eq!(new.parts.len(), 1);
    }
}
