//! From a configuration to a running peer: profile, session, certificate, network. What fails on the way is undone.

use std::sync::{Arc, Mutex};

use parlor_core::{Certificate, LocalActor, Signer};
use parlor_net::{NetConfig, NetHandle, SessionKey};

use crate::keys::{Ed25519Verifier, IdentityKey};
use crate::live::{Shared, wall_ms};
use crate::open_rooms::OpenRooms;
use crate::profile::boot::Boot;
use crate::profile::{self, Profile};
use crate::{Config, StartError, names};

pub(crate) async fn start(config: Config) -> Result<Arc<Shared>, StartError> {
    let named = config.name.as_deref().map(names::checked).transpose().map_err(StartError::BadName)?;
    let (data_dir, profile_name) = (config.data_dir.clone(), config.profile.clone());
    let opened = tokio::task::spawn_blocking(move || open(&data_dir, &profile_name, named));
    let (profile, identity, boot) = opened.await.map_err(|error| StartError::Storage {
        path: config.data_dir.clone(),
        source: std::io::Error::other(error),
    })??;

    let (profile, identity) = (Arc::new(profile), Arc::new(identity));
    let name = profile.settings().name;
    let session = SessionKey::generate();
    let certificate = Certificate::issue(&*identity, session.id(), boot.profile_id, boot.counter, &name);
    let net = NetHandle::start(NetConfig {
        session,
        certificate,
        verifier: Arc::new(Ed25519Verifier),
        listen: config.listen,
        dial: config.dial,
        multicast: config.multicast,
        neighbours: Some(config.data_dir),
        wall: wall_ms,
        seed: profile::random()?,
        lab: config.lab,
    })
    .await?;

    if let Err(error) = profile.announce(&net.peer_id(), &net.listen_addrs()) {
        // Others on this computer cannot find this peer by its file; everything else works.
        profile.notices.say(error.message);
    }
    let own = LocalActor::user(Arc::clone(&identity) as Arc<dyn Signer>, &name);
    Ok(Arc::new(Shared {
        rooms: OpenRooms::new(net.clone(), Arc::clone(&profile)),
        net,
        profile,
        identity,
        own: Mutex::new(own),
        upkeep: Mutex::default(),
    }))
}

fn open(
    data_dir: &std::path::Path,
    name: &str,
    person: Option<String>,
) -> Result<(Profile, IdentityKey, Boot), StartError> {
    let (profile, identity, boot) = Profile::open(data_dir, name, wall_ms())?;
    if let Some(person) = person {
        let saved = profile.change_settings(|settings| {
            settings.name = person;
            settings.named = true;
        });
        if let Err(error) = saved {
            profile.notices.say(error.message);
        }
    }
    Ok((profile, identity, boot))
}
