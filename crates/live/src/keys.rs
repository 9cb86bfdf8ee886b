//! Keys of people. The core knows signing only as two traits; this is where they meet ed25519.

use std::sync::Arc;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use parlor_core::{LocalActor, PublicKey, Signer, Verifier};

/// Names what the derived key is for, so that no other use of the profile's key can ever yield the same.
const GUEST_CONTEXT: &str = "parlor 2026-11 guest key";

/// The long-lived key of a person or a guest.
pub(crate) struct IdentityKey(SigningKey);

impl IdentityKey {
    pub(crate) fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    pub(crate) fn secret(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half, which is the identity.
    pub(crate) fn identity(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// What this key and an x25519 key have in common, by the same point of the curve.
    pub(crate) fn agree(&self, share: &[u8; 32]) -> [u8; 32] {
        x25519_dalek::x25519(self.0.to_scalar_bytes(), *share)
    }

    /// The key of a guest: the same for the same profile and guest id, so that a guest keeps its user id, and known to
    /// nobody but the host (design §1).
    pub(crate) fn guest(&self, guest: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(GUEST_CONTEXT);
        hasher.update(self.0.as_bytes());
        hasher.update(guest.as_bytes());
        Self(SigningKey::from_bytes(hasher.finalize().as_bytes()))
    }
}

impl Signer for IdentityKey {
    fn public_key(&self) -> PublicKey {
        self.identity()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A guest of this peer, whose key follows from that of whoever the profile's person is.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) id: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl Guest {
    /// The guest of this host.
    pub(crate) fn of(&self, host: &IdentityKey) -> LocalActor {
        LocalActor::guest(Arc::new(host.guest(&self.id)), &self.name, host.public_key().user_id())
    }
}

/// Checks signatures of anybody, refusing weak keys and malleable signatures.
pub(crate) struct Ed25519Verifier;

impl Verifier for Ed25519Verifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&key.0)
            .and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature)))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        let (key, other) = (IdentityKey::from_secret(&[7; 32]), IdentityKey::from_secret(&[8; 32]));
        let signature = key.sign(b"hello");
        assert!(Ed25519Verifier.verify(&key.public_key(), b"hello", &signature));
        assert!(!Ed25519Verifier.verify(&key.public_key(), b"hullo", &signature));
        assert!(!Ed25519Verifier.verify(&other.public_key(), b"hello", &signature));
        assert!(!Ed25519Verifier.verify(&PublicKey([0; 32]), b"hello", &signature));
    }

    #[test]
    fn guests_are_stable_and_differ_by_host_and_id() {
        let key = IdentityKey::from_secret(&[7; 32]);
        let id = |key: &IdentityKey, guest: &str| key.guest(guest).public_key().user_id();
        assert_eq!(id(&key, "tab"), id(&key, "tab"));
        assert_ne!(id(&key, "tab"), id(&key, "tob"));
        assert_ne!(id(&key, "tab"), id(&IdentityKey::from_secret(&[8; 32]), "tab"));
        assert_ne!(id(&key, "tab"), key.public_key().user_id());
    }
}
