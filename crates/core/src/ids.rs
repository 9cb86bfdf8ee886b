//! The names of things. Each newtype validates once, where a value enters, so that nothing behind the edge checks again.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorCode};
use crate::limits::ID_MAX_CHARS;

/// Milliseconds of a monotonic clock that also runs while the computer sleeps. The driver supplies it; the core never
/// reads a clock (design §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tick(pub u64);

impl Tick {
    /// This tick and `ms` milliseconds more.
    #[must_use]
    pub fn plus(self, ms: u64) -> Tick {
        Tick(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; 0 when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Tick) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Orders the signs of life of one session in one room (design R4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

/// Orders the content of one session in one room (design R4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rev(pub u64);

/// A session: the public key of one running process. A fresh one at every start, never on disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 32]);

/// The order of the bytes. Nearly always the first eight decide, and every frame is looked up by it.
impl Ord for SessionId {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |id: &SessionId| id.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        first(self).cmp(&first(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for SessionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl SessionId {
    /// The first eight hexadecimal digits, for people and logs.
    #[must_use]
    pub fn short(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0[..4])
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({})", self.short())
    }
}

/// An ed25519 public key: of an identity, a guest or a writer of cells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", data_encoding::HEXLOWER.encode(&self.0[..4]))
    }
}

impl PublicKey {
    /// `u_` and base32 of the first ten bytes of BLAKE3 of the key (design §1).
    #[must_use]
    pub fn user_id(&self) -> UserId {
        let hash = blake3::hash(&self.0);
        let text = data_encoding::BASE32_NOPAD.encode(&hash.as_bytes()[..10]).to_lowercase();
        UserId(format!("u_{text}").into())
    }
}

/// What an address cannot hold as a name: whoever writes one takes these, however they are escaped, for steps to another
/// place, so that `/rooms/../join` would be `/join`.
fn is_a_step(text: &str) -> bool {
    matches!(text, "." | "..")
}

/// The length of an id, as people count it.
fn characters(text: &str) -> usize {
    text.chars().count()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $code:expr, $what:literal $(, but $refused:ident: $why:literal)?) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text: 1 to 128 characters, not all of them space, no control characters (design A8), and what
            /// stands at the type.
            ///
            /// # Errors
            /// The code of this kind of id, naming what was wrong. No state is touched.
            pub fn new(text: &str) -> Result<Self, Error> {
                let count = characters(text);
                if count == 0 {
                    return Err(Error::new($code, concat!($what, " is empty; give 1 to 128 characters")).at($what));
                }
                if count > ID_MAX_CHARS {
                    return Err(Error::new(
                        $code,
                        format!("{} has {count} characters; at most {ID_MAX_CHARS} are allowed", $what),
                    )
                    .limit($what, ID_MAX_CHARS, count, $what));
                }
                $(if $refused(text) {
                    return Err(Error::new($code, format!(concat!($what, " is {:?}, ", $why), text)).at($what));
                })?
                if text.chars().any(char::is_control) {
                    return Err(Error::new($code, concat!($what, " has a control character; none are allowed")).at($what));
                }
                if text.trim().is_empty() {
                    let message = concat!($what, " is nothing but space; give 1 to 128 characters");
                    return Err(Error::new($code, message).at($what));
                }
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
    /// The name of a room: 1 to 128 characters without control characters, and neither `.` nor `..`, since a room has an
    /// address, where those mean another place.
    RoomId, ErrorCode::InvalidRoomId, "roomId",
    but is_a_step: "which means another place in an address; take another name"
);
text_id!(
    /// The name of a member in a room: 1 to 128 characters without control characters.
    MemberId, ErrorCode::InvalidMemberId, "memberId"
);

/// Who a person is, derived from a public key: `u_…`. See [`PublicKey::user_id`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserId(pub(crate) Arc<str>);

impl UserId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The member id that an actor has when it names none (design A5).
    #[must_use]
    pub fn default_member(&self) -> MemberId {
        MemberId(self.0.clone())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_checked_where_it_enters() {
        let room = |text: &str| RoomId::new(text).map_err(|error| (error.code, error.message));
        let member = |text: &str| MemberId::new(text).map_err(|error| (error.code, error.message));
        for text in ["a", "...", "a/../b", " a", "..a", "\u{1f99d}", &"\u{fc}".repeat(128)] {
            assert_eq!(room(text).unwrap().as_str(), text);
            assert_eq!(member(text).unwrap().as_str(), text);
        }
        let long = "\u{fc}".repeat(129);
        for (text, words) in [
            ("", "is empty; give 1 to 128 characters"),
            (&long, "has 129 characters; at most 128 are allowed"),
            ("a\nb", "has a control character; none are allowed"),
            ("\u{85}", "has a control character; none are allowed"),
            (" ", "is nothing but space; give 1 to 128 characters"),
            ("\u{a0}\u{2003}", "is nothing but space; give 1 to 128 characters"),
        ] {
            assert_eq!(room(text), Err((ErrorCode::InvalidRoomId, format!("roomId {words}"))));
            assert_eq!(member(text), Err((ErrorCode::InvalidMemberId, format!("memberId {words}"))));
        }
    }

    /// A room has an address, a member has none.
    #[test]
    fn a_room_is_not_called_like_a_step_in_an_address() {
        for step in [".", ".."] {
            let error = RoomId::new(step).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRoomId);
            assert!(error.message.contains(&format!("{step:?}, which means another place")), "{}", error.message);
            assert!(serde_json::from_value::<RoomId>(step.into()).is_err());
            assert_eq!(MemberId::new(step).unwrap().as_str(), step);
        }
    }
}
