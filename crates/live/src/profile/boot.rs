//! What a profile needs to replace its own older sessions (design R2): a random id that a copied directory shares, and a
//! counter of starts that grows also when the clock went back.

use std::path::Path;

use data_encoding::HEXLOWER;
use parlor_core::UserId;
use serde::{Deserialize, Serialize};

use super::Notices;
use super::files::{self, Found};
use crate::StartError;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    profile_id: String,
    boot: u64,
    user_id: String,
}

/// This start of the profile, or a later session of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boot {
    /// Random, made once a profile.
    pub(crate) profile_id: [u8; 16],
    /// Greater than at every start before.
    pub(crate) counter: u64,
}

impl Boot {
    /// Of the next session of the same process. Nothing is written: it is less than what the next start will have.
    pub(crate) fn next(self) -> Self {
        Boot { counter: self.counter.saturating_add(1), ..self }
    }
}

/// Who the profile was at its last start, if that can be told.
pub(super) fn last_user(dir: &Path) -> Option<String> {
    let bytes = std::fs::read(dir.join("profile.json")).ok()?;
    serde_json::from_slice::<Stored>(&bytes).ok().map(|stored| stored.user_id)
}

/// Counts this start: `max(stored + 1, wall_ms)`, written before anybody hears of it. Somebody new has a new profile number:
/// the old one belongs to the person that was.
pub(super) fn count(dir: &Path, user: &UserId, wall_ms: u64, notices: &Notices) -> Result<Boot, StartError> {
    let path = dir.join("profile.json");
    let storage = |error| StartError::storage(&path, error);
    let stored = match files::read_json::<Stored>(&path).map_err(storage)? {
        Found::Nothing => None,
        Found::Damaged(aside) => {
            notices.damaged("profile.json", &aside, "the profile goes on with a new start counter");
            None
        }
        Found::Value(stored) => Some(stored),
    };
    let known = stored.filter(|stored| stored.user_id == user.as_str()).and_then(|stored| {
        let id: [u8; 16] = HEXLOWER.decode(stored.profile_id.as_bytes()).ok()?.try_into().ok()?;
        Some((id, stored.boot))
    });
    let (profile_id, before) = match known {
        Some(known) => known,
        None => {
            let mut id = [0; 16];
            getrandom::fill(&mut id).map_err(|error| StartError::Random(error.to_string()))?;
            (id, 0)
        }
    };
    let counter = before.saturating_add(1).max(wall_ms);
    let stored = Stored { profile_id: HEXLOWER.encode(&profile_id), boot: counter, user_id: user.to_string() };
    files::write_json(&path, &stored).map_err(storage)?;
    Ok(Boot { profile_id, counter })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::IdentityKey;
    use parlor_core::Signer as _;

    #[test]
    fn the_counter_grows_also_when_the_clock_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let (user, notices) = (IdentityKey::from_secret(&[1; 32]).public_key().user_id(), Notices::default());
        let boot = |wall| count(dir.path(), &user, wall, &notices).unwrap();
        let first = boot(1_000);
        assert_eq!(first.counter, 1_000);
        let second = boot(10);
        assert_eq!((second.counter, second.profile_id), (1_001, first.profile_id));
        assert_eq!(boot(5_000).counter, 5_000);
        assert_eq!(last_user(dir.path()).as_deref(), Some(user.as_str()));

        let somebody_new = IdentityKey::from_secret(&[2; 32]).public_key().user_id();
        let other = count(dir.path(), &somebody_new, 5_500, &notices).unwrap();
        assert_ne!(other.profile_id, first.profile_id);
        assert_eq!(last_user(dir.path()).as_deref(), Some(somebody_new.as_str()));
        assert_eq!((other.next().counter, other.next().profile_id), (other.counter + 1, other.profile_id));

        std::fs::write(dir.path().join("profile.json"), "{").unwrap();
        let fresh = boot(6_000);
        assert_ne!(fresh.profile_id, first.profile_id);
        assert_eq!(notices.all().len(), 1);
    }
}
