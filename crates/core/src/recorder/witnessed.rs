//! Signatures that were judged once: whether each held is noted while a replica runs, and said again when it is replayed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::PublicKey;
use crate::proof::{Signer, Verifier};

/// Judges by another verifier, and notes which did not hold.
pub(super) struct Noting {
    inner: Arc<dyn Verifier>,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    judged: u32,
    refused: Vec<u32>,
}

impl Noting {
    pub fn new(inner: Arc<dyn Verifier>) -> Self {
        Noting { inner, noted: Mutex::default() }
    }

    pub fn inner(&self) -> Arc<dyn Verifier> {
        Arc::clone(&self.inner)
    }

    /// Which of those that were judged since this was asked last did not hold, by their turn.
    pub fn take_refused(&self) -> Vec<u32> {
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner)).refused
    }
}

impl Verifier for Noting {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let holds = self.inner.verify(key, message, signature);
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if !holds {
            let turn = noted.judged;
            noted.refused.push(turn);
        }
        noted.judged = noted.judged.saturating_add(1);
        holds
    }
}

/// Says again what was noted: of one step all hold but those with these turns.
#[derive(Default)]
pub(super) struct Told {
    said: Mutex<Noted>,
}

impl Told {
    /// The next step is judged, of which these did not hold.
    pub fn begin(&self, refused: &[u32]) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Noted { judged: 0, refused: refused.to_vec() };
    }
}

impl Verifier for Told {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = said.judged;
        said.judged = said.judged.saturating_add(1);
        !said.refused.contains(&turn)
    }
}

/// Has the public half of a key alone: what it signs nobody looks at.
pub(super) struct Unsigned(pub PublicKey);

impl Signer for Unsigned {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, _: &[u8]) -> [u8; 64] {
        [0; 64]
    }
}
