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
}

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
        let Key { creator, root, epoch, secret } = self.rooms.get(room.as_str())?;
        let room = PrivateRoom { creator: PublicKey(creator.0), root: root.0 };
        Some(RoomSecret { room, epoch: *epoch, secret: secret.0 })
    }

    /// The rooms that it has keys of.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.keys().filter_map(|room| RoomId::new(room).ok())
    }

    /// Lets a name stand for a private room; answers whether that was news.
    pub(crate) fn put(&mut self, room: &RoomId, secret: &RoomSecret) -> bool {
        let RoomSecret { room: PrivateRoom { creator, root }, epoch, secret } = secret;
        let key = Key { creator: Hex(creator.0), root: Hex(*root), epoch: *epoch, secret: Hex(*secret) };
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
