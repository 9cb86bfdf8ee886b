//! From a configuration to a running peer: profile, identity, the first session. What fails on the way is undone.

use std::sync::Arc;

use parlor_net::peer_tag;

use crate::keys::IdentityKey;
use crate::live::wall_ms;
use crate::profile::Profile;
use crate::profile::boot::Boot;
use crate::session::Session;
use crate::shared::Shared;
use crate::{Config, StartError, names};

pub(crate) async fn start(config: Config) -> Result<Arc<Shared>, StartError> {
    let named = config.name.as_deref().map(names::checked).transpose().map_err(StartError::BadName)?;
    let (data_dir, profile_name) = (config.data_dir.clone(), config.profile.clone());
    let opened = tokio::task::spawn_blocking(move || open(&data_dir, &profile_name, named));
    let (profile, identity, boot) = opened.await.map_err(|error| StartError::Storage {
        path: config.data_dir.clone(),
        source: std::io::Error::other(error),
    })??;
    let profile = Arc::new(profile);
    let session = Session::begin(&profile, Arc::new(identity), boot, &config).await?;
    let peer_id = session.net.peer_id();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), session = peer_tag(&peer_id), "the peer started");
    Ok(Arc::new(Shared::new(session, profile, config)))
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
