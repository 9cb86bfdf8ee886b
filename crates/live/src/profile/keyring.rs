//! The secrets of private rooms: `keys.json`, which only its owner can read. A room's name stands for the room whose
//! secret is here, else for the open room of that name (design N8).

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use parlor_core::{PrivateRoom, PublicKey, RoomId};
use parlor_net::RoomSecret;
use serde::{Deserialize, Serialize};

/// All of them, by the name of the room. One whose name a later rule does not allow is kept, though nobody can ask for it:
/// it must cost nobody the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Keyring {
    rooms: BTreeMap<String, Key>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Key {
    creator: Hex,
    root: Hex,
    epoch: u32,
    secret: Hex,
    /// Secrets before this one, for those who come back with one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Before>,
    /// The epoch of a later secret that this profile did not get: it was taken out of the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    excluded: Option<u32>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Before {
    epoch: u32,
    secret: Hex,
    /// Until when it is of use, in milliseconds since 1970.
    until: u64,
}

/// Secrets before the one in force that are kept, however often it is changed in a day.
const BEFORE_MAX: usize = 8;

/// It is not printed.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Hex([u8; 32]);

impl From<Hex> for String {
    fn from(hex: Hex) -> String {
        HEXLOWER.encode(&hex.0)
    }
}

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|error| error.to_string())?;
        bytes.try_into().map(Hex).map_err(|_| "a key has 64 hexadecimal digits".to_owned())
    }
}

impl Keyring {
    /// The secret of the private room that this name stands for.
    pub(crate) fn get(&self, room: &RoomId) -> Option<RoomSecret> {
        let Key { creator, root, epoch, secret, .. } = self.rooms.get(room.as_str())?;
        let room = PrivateRoom { creator: PublicKey(creator.0), root: root.0 };
        Some(RoomSecret { room, epoch: *epoch, secret: secret.0 })
    }

    /// The epoch of the secret that this profile did not get, if it was taken out of the room.
    pub(crate) fn excluded(&self, room: &RoomId) -> Option<u32> {
        self.rooms.get(room.as_str())?.excluded
    }

    /// Secrets before the one in force, and for how many milliseconds each is still of use.
    pub(crate) fn before(&self, room: &RoomId, now: u64) -> Vec<(RoomSecret, u64)> {
        let Some((key, secret)) = self.rooms.get(room.as_str()).zip(self.get(room)) else { return Vec::new() };
        let left = |before: &Before| {
            let left = before.until.checked_sub(now).filter(|left| *left > 0)?;
            Some((RoomSecret { epoch: before.epoch, secret: before.secret.0, ..secret }, left))
        };
        key.before.iter().filter_map(left).collect()
    }

    /// The room has another secret from now on; the one before is of use until then. Answers whether that was news.
    pub(crate) fn change(&mut self, room: &RoomId, secret: &RoomSecret, now: u64, until: u64) -> bool {
        let Some(old) = self.rooms.get(room.as_str()).cloned() else { return self.put(room, secret) };
        if !self.put(room, secret) {
            return false;
        }
        if let Some(key) = self.rooms.get_mut(room.as_str()) {
            key.before = old.before.into_iter().filter(|before| before.until > now).collect();
            key.before.push(Before { epoch: old.epoch, secret: old.secret, until });
            let over = key.before.len().saturating_sub(BEFORE_MAX);
            key.before.drain(..over);
        }
        true
    }

    /// This profile was taken out of the room by the secret of this epoch.
    pub(crate) fn exclude(&mut self, room: &RoomId, epoch: u32) -> bool {
        let key = self.rooms.get_mut(room.as_str());
        key.is_some_and(|key| key.excluded.replace(epoch) != Some(epoch))
    }

    /// The rooms that it has keys of.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.keys().filter_map(|room| RoomId::new(room).ok())
    }

    /// Lets a name stand for a private room; answers whether that was news.
    pub(crate) fn put(&mut self, room: &RoomId, secret: &RoomSecret) -> bool {
        let RoomSecret { room: PrivateRoom { creator, root }, epoch, secret } = secret;
        let key = Key {
            creator: Hex(creator.0),
            root: Hex(*root),
            epoch: *epoch,
            secret: Hex(*secret),
            before: Vec::new(),
            excluded: None,
        };
        self.rooms.insert(room.as_str().to_owned(), key.clone()) != Some(key)
    }

    /// Lets the name stand for the open room again; answers whether there was a key.
    pub(crate) fn forget(&mut self, room: &RoomId) -> bool {
        self.rooms.remove(room.as_str()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_before_is_kept_for_its_time() {
        let room = RoomId::new("plan").unwrap();
        let first = RoomSecret::first(PublicKey([1; 32]), [7; 32]);
        let later = |epoch: u32| RoomSecret { epoch, secret: [epoch as u8; 32], ..first };
        let mut keys = Keyring::default();
        keys.put(&room, &first);
        assert!(keys.exclude(&room, 1) && !keys.exclude(&room, 1));
        assert_eq!(keys.excluded(&room), Some(1));
        assert!(keys.change(&room, &later(1), 0, 100));
        assert_eq!((keys.excluded(&room), keys.get(&room)), (None, Some(later(1))));
        assert_eq!(keys.before(&room, 40), [(first, 60)]);
        assert!(keys.change(&room, &later(2), 100, 200));
        assert_eq!(keys.before(&room, 150), [(later(1), 50)], "the first is over");
        for epoch in 3..20 {
            keys.change(&room, &later(epoch), 150, 1_000);
        }
        assert_eq!(keys.before(&room, 150).len(), BEFORE_MAX);
        let read: Keyring = serde_json::from_value(serde_json::to_value(&keys).unwrap()).unwrap();
        assert_eq!(read, keys);
    }

    #[test]
    fn a_key_comes_back_from_disk_as_it_was() {
        let room = RoomId::new("plan").unwrap();
        let secret = RoomSecret::first(PublicKey([1; 32]), [7; 32]);
        let mut keys = Keyring::default();
        assert!(keys.put(&room, &secret) && !keys.put(&room, &secret));
        let mut file = serde_json::to_value(&keys).unwrap();
        file["rooms"][".."] = file["rooms"]["plan"].clone();
        let mut read: Keyring = serde_json::from_value(file).unwrap();
        assert_eq!(read.rooms().collect::<Vec<_>>(), std::slice::from_ref(&room), "the others stay");
        assert_eq!(read.get(&room), Some(secret));
        assert!(!format!("{read:?}").contains("0707"), "it is not printed");
        assert!(read.forget(&room) && read.get(&room).is_none());
        let short = serde_json::json!({"rooms": {"plan": {"creator": "00", "root": "", "epoch": 0, "secret": ""}}});
        assert!(serde_json::from_value::<Keyring>(short).is_err());
    }
}
