//! The identity: who somebody is, for as long as the profile lives. Its file is made once, and written again only when its
//! person becomes somebody new; the key that was is kept then.
//!
//! The file is text and holds the public key beside the secret one, so that a file that lost a byte is found out rather
//! than making somebody a stranger.

use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use parlor_core::Signer as _;

use super::files;
use crate::StartError;
use crate::keys::IdentityKey;

const HEADER: &str = "parlor identity 1";

/// Reads the identity in `dir`; `None` when there is none yet.
pub(super) fn load(dir: &Path) -> Result<Option<IdentityKey>, StartError> {
    let path = dir.join("identity.key");
    let damaged = |problem: &str| StartError::DamagedIdentity { path: path.clone(), problem: problem.to_owned() };
    let text = match std::fs::read(&path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| damaged("it is not text"))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StartError::storage(&path, error)),
    };
    keep_private(&path)?;
    parse(&text).map(Some).map_err(damaged)
}

/// Makes an identity in `dir`, where there must be none.
pub(super) fn create(dir: &Path) -> Result<IdentityKey, StartError> {
    let path = dir.join("identity.key");
    let key = generate()?;
    files::create(&path, written(&key).as_bytes()).map_err(|error| StartError::storage(&path, error))?;
    Ok(key)
}

/// Makes another identity in the place of the one in `dir`, which is kept as `identity.key.old-N`. At no moment is there
/// none, so a process that is killed meanwhile starts again as one of the two.
pub(super) fn replace(dir: &Path) -> Result<IdentityKey, StartError> {
    let path = dir.join("identity.key");
    let storage = |error| StartError::storage(&path, error);
    let old = std::fs::read(&path).map_err(storage)?;
    let mut places = (1_u32..).map(|n| dir.join(format!("identity.key.old-{n}")));
    let kept = places.find_map(|place| match files::create(&place, &old) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
        other => Some(other),
    });
    kept.unwrap_or_else(|| Err(io::Error::other("no free name to keep the old key"))).map_err(storage)?;
    let key = generate()?;
    files::replace(&path, written(&key).as_bytes()).map_err(storage)?;
    Ok(key)
}

fn generate() -> Result<IdentityKey, StartError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| StartError::Random(error.to_string()))?;
    Ok(IdentityKey::from_secret(&secret))
}

fn written(key: &IdentityKey) -> String {
    format!("{HEADER}\nsecret {}\npublic {}\n", HEXLOWER.encode(&key.secret()), HEXLOWER.encode(&key.public_key().0))
}

fn parse(text: &str) -> Result<IdentityKey, &'static str> {
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Err("its first line is unknown");
    }
    let mut key = |name: &str| -> Option<[u8; 32]> {
        let digits = lines.next()?.strip_prefix(name)?.strip_prefix(' ')?;
        HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
    };
    let secret = key("secret").ok_or("its secret key cannot be read")?;
    let public = key("public").ok_or("its public key cannot be read")?;
    let identity = IdentityKey::from_secret(&secret);
    if identity.public_key().0 == public { Ok(identity) } else { Err("its two keys do not belong together") }
}

/// A copy or a restored backup may have become readable by others.
#[cfg(unix)]
fn keep_private(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::PermissionsExt as _;
    let storage = |error| StartError::storage(path, error);
    let mode = std::fs::metadata(path).map_err(storage)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    tracing::warn!("the identity could be read by others; it is private again");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(storage)
}

#[cfg(not(unix))]
fn keep_private(_path: &Path) -> Result<(), StartError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_identity_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(load(dir.path()).unwrap().is_none());
        let made = create(dir.path()).unwrap();
        let loaded = load(dir.path()).unwrap().unwrap();
        assert_eq!(loaded.public_key(), made.public_key());
        assert!(create(dir.path()).is_err(), "an identity is never overwritten");
        assert_eq!(load(dir.path()).unwrap().unwrap().public_key(), made.public_key());
    }

    #[cfg(unix)]
    #[test]
    fn becoming_somebody_new_keeps_every_key_that_was() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        assert!(replace(dir.path()).is_err(), "there is nobody to replace");
        let mut keys = vec![create(dir.path()).unwrap().public_key()];
        for _ in 0..2 {
            keys.push(replace(dir.path()).unwrap().public_key());
        }
        assert_eq!(load(dir.path()).unwrap().unwrap().public_key(), keys[2]);
        for (n, key) in keys[..2].iter().enumerate() {
            let path = dir.path().join(format!("identity.key.old-{}", n + 1));
            assert_eq!(parse(&std::fs::read_to_string(&path).unwrap()).unwrap().public_key(), *key);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::metadata(dir.path().join("identity.key")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3, "nothing is left beside them");
    }

    #[cfg(unix)]
    #[test]
    fn it_is_private_and_becomes_so_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        create(dir.path()).unwrap();
        let path = dir.path().join("identity.key");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        load(dir.path()).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn every_flipped_or_lost_byte_is_found() {
        let whole = written(&IdentityKey::from_secret(&[9; 32]));
        assert!(parse(&whole).is_ok());
        for at in 0..whole.trim_end().len() {
            assert!(parse(&whole[..at]).is_err(), "cut at {at}");
            let mut bytes = whole.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(parse(&String::from_utf8(bytes).unwrap()).is_err(), "flipped at {at}");
        }
    }
}
