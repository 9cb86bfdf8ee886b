//! The profile: a directory with one person's identity, settings and rooms (design §1). It holds nothing live: presence
//! is never on disk (design R15).
//!
//! ```text
//! DATA_DIR/profiles/NAME/
//!     lock            held while a process runs with the profile
//!     identity.key    who this is; mode 0600. identity.key.old-N: who it was before becoming somebody new
//!     profile.json    profile id and start counter
//!     settings.json   name, colour, theme
//!     keys.json       the secrets of private rooms
//!     rooms.redb      rooms opened before and what they hold: settings, notes, messages, hosts (see `store`)
//!     peer.json       where the running peer is; gone when none runs
//!     logs/           what a program wrote down about itself (see `logs`)
//! ```
//!
//! Everything here blocks on the disk; async callers go through a blocking task.

pub(crate) mod boot;
pub(crate) mod files;
mod identity;
mod keyring;
mod lock;
mod notices;
mod rooms_file;
pub(crate) mod settings;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::{BASE64, HEXLOWER};
use parlor_core::{Error, ErrorCode, RoomId, Signer as _, Timestamp, room_root};
use parlor_net::{PORCH_MS, RoomSecret, room_tag};
use serde::Serialize;

use crate::StartError;
use crate::held::held;
use crate::keys::IdentityKey;
use crate::store::{KnownRoom, Store};
use boot::Boot;
use files::Found;
use keyring::Keyring;
use lock::Lock;
pub(crate) use notices::Notices;
use settings::Settings;

/// A profile that this process holds.
pub(crate) struct Profile {
    name: String,
    dir: PathBuf,
    lock: Mutex<Option<Lock>>,
    /// Taken before a change and until it is on disk, so that readers wait for memory only and files never go back.
    writing: Mutex<()>,
    settings: Mutex<Settings>,
    keys: Mutex<Keyring>,
    /// Whether the keys in memory are others than those on disk.
    keys_unsaved: AtomicBool,
    pub(crate) notices: Arc<Notices>,
    pub(crate) store: Arc<Store>,
}

/// `peer.json`: how other processes find this one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PeerFile<'a> {
    pid: u32,
    peer_id: &'a str,
    listen: &'a [String],
}

impl Profile {
    /// Takes the profile `name` below `data_dir`, making it when it is new, and counts this start.
    pub(crate) fn open(data_dir: &Path, name: &str, wall_ms: u64) -> Result<(Self, IdentityKey, Boot), StartError> {
        if !is_directory_name(name) {
            return Err(StartError::BadProfile(name.to_owned()));
        }
        let dir = data_dir.join("profiles").join(name);
        make_private_dir(&dir).map_err(|error| StartError::storage(&dir, error))?;
        files::make_private(&dir, 0o700).map_err(|error| StartError::storage(&dir, error))?;
        let lock = Lock::take(&dir)?;
        files::clear_unfinished(&dir).map_err(|error| StartError::storage(&dir, error))?;
        let notices = Arc::<Notices>::default();
        let identity = match identity::load(&dir)? {
            Some(identity) => identity,
            None => match boot::last_user(&dir) {
                Some(user_id) => return Err(StartError::LostIdentity { path: dir.join("identity.key"), user_id }),
                None => identity::create(&dir)?,
            },
        };
        let boot = boot::count(&dir, &identity.public_key().user_id(), wall_ms, &notices)?;
        let settings = load_settings(&dir, &notices)?;
        let keys = load_keys(&dir, &notices)?;
        let store = Store::open(&dir, Arc::clone(&notices)).map_err(|error| StartError::Rooms(error.into()))?;
        rooms_file::take_over(&dir, &store, &notices, |known| {
            let secret = keys.get(&known.room).map(|secret| secret.room);
            (known.private == secret.is_some()).then(|| room_root(&known.room, secret))
        })?;
        let profile = Self {
            name: name.to_owned(),
            dir,
            lock: Mutex::new(Some(lock)),
            writing: Mutex::new(()),
            settings: Mutex::new(settings),
            keys: Mutex::new(keys),
            keys_unsaved: AtomicBool::new(false),
            notices,
            store: Arc::new(store),
        };
        Ok((profile, identity, boot))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn settings(&self) -> Settings {
        held(&self.settings).clone()
    }

    /// Changes and saves the settings; what could not be saved is kept in memory all the same.
    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Result<(), Error> {
        let _writing = held(&self.writing);
        let before = self.settings();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(());
        }
        held(&self.settings).clone_from(&after);
        self.save("settings.json", &after)
    }

    /// Rooms opened before, newest first.
    pub(crate) fn recent(&self) -> Vec<KnownRoom> {
        self.store.known()
    }

    /// Remembers that the room was opened.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, and those of [`secret`](Self::secret): a lost key is not forgotten by asking again.
    pub(crate) fn opened(&self, room: &RoomId, now: Timestamp) -> Result<(), Error> {
        let secret = self.secret(room)?.map(|secret| secret.room);
        Ok(self.store.opened(room, secret.is_some(), room_root(room, secret), now)?)
    }

    /// Remembers the titles that rooms have now, of rooms that are remembered.
    pub(crate) fn titled(&self, titles: &[(RoomId, Option<String>)]) -> Result<(), Error> {
        Ok(self.store.titled(titles)?)
    }

    /// Forgets the room with all that is kept of it, and the secret of a private one; answers whether it was known.
    pub(crate) fn forget(&self, room: &RoomId) -> Result<bool, Error> {
        let known = self.known(room).map(|(secret, _)| secret);
        let key = self.change_keys(|keys| keys.forget(room))?;
        // Before a private room of this name was known, there may have been an open one.
        let mut roots = vec![room_root(room, None)];
        if let Some(secret) = known {
            roots.push(room_root(room, Some(secret.room)));
            self.forget_standing(&secret);
        }
        Ok(self.store.forget_room(room, &roots)? || key)
    }

    /// What the room is opened with: the secret of a private one, nothing for an open one.
    ///
    /// # Errors
    /// `INVALID_TICKET` for a room that was private when it was opened last, and whose secret is lost: the open room of
    /// that name is another room, and nobody should find himself in it. `FORBIDDEN` for one that this profile was taken
    /// out of.
    pub(crate) fn secret(&self, room: &RoomId) -> Result<Option<RoomSecret>, Error> {
        let (secret, excluded) = {
            let keys = held(&self.keys);
            (keys.get(room), keys.excluded(room))
        };
        if excluded.is_some() {
            let message = format!("a host of {room:?} changed its key, and you did not get the new one");
            return Err(Error::new(ErrorCode::Forbidden, message));
        }
        if secret.is_none() && self.store.known_room(room).is_some_and(|known| known.private) {
            let message =
                format!("the key of the private room {room:?} is lost: join with a ticket, or forget the room");
            return Err(Error::new(ErrorCode::InvalidTicket, message));
        }
        Ok(secret)
    }

    /// The secret that is here, and the epoch of the one that this profile did not get.
    pub(crate) fn known(&self, room: &RoomId) -> Option<(RoomSecret, Option<u32>)> {
        let keys = held(&self.keys);
        Some((keys.get(room)?, keys.excluded(room)))
    }

    /// Secrets before the one in force, and for how many milliseconds each is still of use.
    pub(crate) fn earlier(&self, room: &RoomId, now: Timestamp) -> Vec<(RoomSecret, u64)> {
        held(&self.keys).before(room, now.0)
    }

    /// The room has another secret from now on; the one before is of use for a day. When it cannot be saved, it holds until
    /// this process ends: whoever stayed behind would be alone, and who starts again with the one before is told the new one
    /// by the others.
    pub(crate) fn rekey(&self, room: &RoomId, secret: &RoomSecret, now: Timestamp) -> Result<(), Error> {
        self.change_keys_at_once(|keys| keys.change(room, secret, now.0, now.0 + PORCH_MS))
    }

    /// What stands for the room in logs and diagnostics, which do not name it.
    pub(crate) fn tag(&self, room: &RoomId) -> String {
        room_tag(room, held(&self.keys).get(room).as_ref())
    }

    /// Saves keys that could not be saved before.
    pub(crate) fn save_keys(&self) -> Result<(), Error> {
        self.change_keys_at_once(|_| false)
    }

    /// This profile was taken out of the room by the secret of this epoch. Holds until this process ends when it cannot be
    /// saved.
    pub(crate) fn exclude(&self, room: &RoomId, epoch: u32) -> Result<(), Error> {
        self.change_keys_at_once(|keys| keys.exclude(room, epoch))
    }

    /// What stands of a private room whatever becomes of those who are in it, as an earlier version kept it.
    pub(crate) fn standing(&self, room: &RoomSecret) -> Vec<Vec<u8>> {
        let path = self.dir.join(standing_file(room));
        match files::read_json::<Vec<String>>(&path) {
            Ok(Found::Value(frames)) => {
                frames.iter().filter_map(|frame| BASE64.decode(frame.as_bytes()).ok()).collect()
            }
            Ok(Found::Nothing) => Vec::new(),
            Ok(Found::Damaged(aside)) => {
                self.notices.damaged(&standing_file(room), &aside, "others of the room tell again who its hosts are");
                Vec::new()
            }
            Err(error) => {
                self.notices.say(format!("cannot read {}: {error}", path.display()));
                Vec::new()
            }
        }
    }

    /// It is among the cells of the room now.
    pub(crate) fn forget_standing(&self, room: &RoomSecret) {
        // There is one in profiles of an earlier version only.
        let _ = std::fs::remove_file(self.dir.join(standing_file(room)));
    }

    /// Rooms whose secret is here.
    pub(crate) fn private_rooms(&self) -> Vec<RoomId> {
        held(&self.keys).rooms().collect()
    }

    /// Lets the room's name stand for the private room of this secret. When it cannot be saved, nothing changes: a secret
    /// that is gone with the process is a room that nobody comes back to.
    pub(crate) fn bind(&self, room: &RoomId, secret: &RoomSecret) -> Result<(), Error> {
        self.change_keys(|keys| keys.put(room, secret)).map(drop)
    }

    fn change_keys(&self, change: impl FnOnce(&mut Keyring) -> bool) -> Result<bool, Error> {
        let _writing = held(&self.writing);
        let mut keys = held(&self.keys).clone();
        if !change(&mut keys) {
            return Ok(false);
        }
        self.save("keys.json", &keys)?;
        self.keys_unsaved.store(false, Ordering::Relaxed);
        *held(&self.keys) = keys;
        Ok(true)
    }

    /// The same for what is true whether it can be saved or not. What could not is saved with the next call.
    fn change_keys_at_once(&self, change: impl FnOnce(&mut Keyring) -> bool) -> Result<(), Error> {
        let _writing = held(&self.writing);
        let changed = {
            let mut keys = held(&self.keys);
            let news = change(&mut keys);
            (news || self.keys_unsaved.load(Ordering::Relaxed)).then(|| keys.clone())
        };
        let saved = changed.map_or(Ok(()), |keys| self.save("keys.json", &keys));
        self.keys_unsaved.store(saved.is_err(), Ordering::Relaxed);
        saved
    }

    /// Makes the profile somebody new (design R2): another key, another profile number. Everything else stays.
    pub(crate) fn new_identity(&self, wall_ms: u64) -> Result<(IdentityKey, Boot), StartError> {
        let _writing = held(&self.writing);
        // After the lock is gone the files are another process's.
        if held(&self.lock).is_none() {
            return Err(StartError::storage(&self.dir, std::io::Error::other("this peer is closed")));
        }
        let identity = identity::replace(&self.dir)?;
        let boot = boot::count(&self.dir, &identity.public_key().user_id(), wall_ms, &self.notices)?;
        Ok((identity, boot))
    }

    /// Tells other processes where this one is.
    pub(crate) fn announce(&self, peer_id: &str, listen: &[String]) -> Result<(), Error> {
        let _writing = held(&self.writing);
        self.save("peer.json", &PeerFile { pid: std::process::id(), peer_id, listen })
    }

    /// Ends holding the profile: `peer.json` goes, then the lock.
    pub(crate) fn release(&self) {
        let _writing = held(&self.writing);
        let mut lock = held(&self.lock);
        if lock.is_some() {
            // Gone already, or left behind with a dead pid that readers ignore (design A11).
            let _ = std::fs::remove_file(self.dir.join("peer.json"));
            self.store.close();
            *lock = None;
        }
    }

    /// Frees the profile as the system does when a process dies: the lock goes, every file stays as it is.
    pub(crate) fn abandon(&self) {
        self.store.abandon();
        *held(&self.lock) = None;
    }

    fn save<T: Serialize>(&self, file: &str, value: &T) -> Result<(), Error> {
        // After the lock is gone the files are another process's.
        if held(&self.lock).is_none() {
            return Err(Error::new(ErrorCode::NetworkUnavailable, "this peer is closed"));
        }
        let path = self.dir.join(file);
        files::write_json(&path, value).map_err(|error| {
            Error::new(ErrorCode::StorageFailed, format!("cannot write {}: {error}", path.display())).at(file)
        })
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        self.release();
    }
}

/// What stands of one private room had a file of its own, named after what the room is for ever.
fn standing_file(room: &RoomSecret) -> String {
    format!("access-{}.json", HEXLOWER.encode(&room.room.root[..16]))
}

pub(crate) fn is_directory_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

/// Makes a folder, and those above it, for its owner alone.
pub(crate) fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn load_settings(dir: &Path, notices: &Notices) -> Result<Settings, StartError> {
    let path = dir.join("settings.json");
    let storage = |error| StartError::storage(&path, error);
    let defaults = || random().map(Settings::proposed);
    let (settings, save) = match files::read_json::<Settings>(&path).map_err(storage)? {
        Found::Value(settings) if settings.is_sound() => (settings, false),
        Found::Value(_) => {
            let aside = files::set_aside(&path).map_err(storage)?;
            notices.damaged("settings.json", &aside, "a new name and colour are proposed");
            (defaults()?, true)
        }
        Found::Damaged(aside) => {
            notices.damaged("settings.json", &aside, "a new name and colour are proposed");
            (defaults()?, true)
        }
        Found::Nothing => (defaults()?, true),
    };
    if save {
        // A proposal is saved, so that somebody who never chooses keeps the same name.
        files::write_json(&path, &settings).map_err(storage)?;
    }
    Ok(settings)
}

fn load_keys(dir: &Path, notices: &Notices) -> Result<Keyring, StartError> {
    let path = dir.join("keys.json");
    match files::read_json(&path).map_err(|error| StartError::storage(&path, error))? {
        Found::Value(keys) => Ok(keys),
        Found::Nothing => Ok(Keyring::default()),
        Found::Damaged(aside) => {
            notices.damaged("keys.json", &aside, "private rooms need a ticket again");
            Ok(Keyring::default())
        }
    }
}

/// A random number.
pub(crate) fn random() -> Result<u64, StartError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| StartError::Random(error.to_string()))?;
    Ok(u64::from_le_bytes(bytes))
}
