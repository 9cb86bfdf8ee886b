//! Keys that cost nothing: a "signature" is a keyed hash that anybody could make. The simulator tests what replicas do
//! with the verdict on a signature, not cryptography.

use std::sync::Arc;

use parlor_core::{PublicKey, SessionId, Signer, Verifier};

/// Signs by hashing.
#[derive(Debug)]
pub struct FakeSigner(PublicKey);

impl FakeSigner {
    /// The key that belongs to a name.
    #[must_use]
    pub fn of(name: &str) -> Arc<dyn Signer> {
        Arc::new(FakeSigner(PublicKey(*blake3::hash(name.as_bytes()).as_bytes())))
    }
}

impl Signer for FakeSigner {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        seal(&self.0, message)
    }
}

/// Judges the signatures of [`FakeSigner`].
#[derive(Debug, Default)]
pub struct FakeVerifier;

impl Verifier for FakeVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        seal(key, message) == *signature
    }
}

/// The session of one run of one host.
#[must_use]
pub fn session(seed: u64, host: usize, boot: u64) -> SessionId {
    SessionId(*blake3::hash(format!("session {seed} {host} {boot}").as_bytes()).as_bytes())
}

fn seal(key: &PublicKey, message: &[u8]) -> [u8; 64] {
    let mut signature = [0; 64];
    blake3::Hasher::new_keyed(&key.0).update(message).finalize_xof().fill(&mut signature);
    signature
}
