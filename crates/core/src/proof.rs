//! Who says a thing: certificates of sessions, actors, and the two traits by which keys reach the core.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bytes64;
use crate::ids::{PublicKey, SessionId, UserId};
use crate::limits::NAME_MAX;
use crate::view::{Actor, ActorKind};

/// Signs with one ed25519 key. Must be deterministic, as ed25519 is: the same seed gives the same trace.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> PublicKey;
    /// An ed25519 signature of the message.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// Judges ed25519 signatures.
pub trait Verifier: Send + Sync {
    /// Whether `signature` is one of `message` by `key`.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool;
}

/// Says that a session belongs to an identity (design §1, R2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The long-lived key of the profile.
    pub identity: PublicKey,
    /// The session it speaks for.
    pub session: SessionId,
    /// The profile, a random number kept in it.
    pub profile: [u8; 16],
    /// The boot counter: a greater one of the same profile retires this session.
    pub boot: u64,
    /// The name of the person when the session began.
    pub name: String,
    /// The identity's signature of all that.
    #[serde(with = "bytes64")]
    pub signature: [u8; 64],
}

impl Certificate {
    /// Issues one. A name over 256 bytes is cut at a character.
    #[must_use]
    pub fn issue(signer: &dyn Signer, session: SessionId, profile: [u8; 16], boot: u64, name: &str) -> Self {
        let mut certificate = Certificate {
            identity: signer.public_key(),
            session,
            profile,
            boot,
            name: cut_name(name).to_owned(),
            signature: [0; 64],
        };
        certificate.signature = signer.sign(&certificate.message());
        certificate
    }

    /// Whether the identity really signed it and its name is within the limit.
    #[must_use]
    pub fn verify(&self, verifier: &dyn Verifier) -> bool {
        self.name.len() <= NAME_MAX && verifier.verify(&self.identity, &self.message(), &self.signature)
    }

    fn message(&self) -> Vec<u8> {
        let mut message = b"parlor session certificate v1".to_vec();
        message.extend_from_slice(&self.session.0);
        message.extend_from_slice(&self.profile);
        message.extend_from_slice(&self.boot.to_le_bytes());
        message.extend_from_slice(self.name.as_bytes());
        message
    }
}

/// Somebody this process acts for: the person of its profile, or a guest that it hosts.
#[derive(Clone)]
pub struct LocalActor {
    /// Who it is, as others see it.
    pub actor: Actor,
    /// Signs what this actor writes.
    pub signer: Arc<dyn Signer>,
}

impl LocalActor {
    /// The person whose identity the signer holds.
    #[must_use]
    pub fn user(signer: Arc<dyn Signer>, name: &str) -> Self {
        let user_id = signer.public_key().user_id();
        let actor = Actor { kind: ActorKind::User, user_id, name: cut_name(name).to_owned(), via: None };
        LocalActor { actor, signer }
    }

    /// A guest whose derived key the signer holds, hosted by `via`.
    #[must_use]
    pub fn guest(signer: Arc<dyn Signer>, name: &str, via: UserId) -> Self {
        let user_id = signer.public_key().user_id();
        let actor = Actor { kind: ActorKind::Guest, user_id, name: cut_name(name).to_owned(), via: Some(via) };
        LocalActor { actor, signer }
    }

    pub(crate) fn claim(&self, session: SessionId) -> ActorClaim {
        let guest = (self.actor.kind == ActorKind::Guest).then(|| GuestClaim {
            key: self.signer.public_key(),
            signature: self.signer.sign(&guest_message(session)),
        });
        ActorClaim { name: self.actor.name.clone(), guest }
    }
}

impl fmt::Debug for LocalActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalActor({:?})", self.actor)
    }
}

/// The actor of a record as its frame tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActorClaim {
    pub name: String,
    pub guest: Option<GuestClaim>,
}

/// A guest's key agrees to be hosted by this session, so that no host can show somebody else's key as its guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GuestClaim {
    pub key: PublicKey,
    #[serde(with = "bytes64")]
    pub signature: [u8; 64],
}

impl ActorClaim {
    /// The actor, if the claim holds under this certificate.
    pub fn actor(&self, certificate: &Certificate, verifier: &dyn Verifier) -> Option<Actor> {
        if self.name.len() > NAME_MAX {
            return None;
        }
        let host = certificate.identity.user_id();
        match &self.guest {
            None => Some(Actor { kind: ActorKind::User, user_id: host, name: self.name.clone(), via: None }),
            Some(guest) => {
                let message = guest_message(certificate.session);
                verifier.verify(&guest.key, &message, &guest.signature).then(|| Actor {
                    kind: ActorKind::Guest,
                    user_id: guest.key.user_id(),
                    name: self.name.clone(),
                    via: Some(host),
                })
            }
        }
    }
}

fn guest_message(session: SessionId) -> Vec<u8> {
    let mut message = b"parlor guest of session v1".to_vec();
    message.extend_from_slice(&session.0);
    message
}

fn cut_name(name: &str) -> &str {
    let mut end = name.len().min(NAME_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}
