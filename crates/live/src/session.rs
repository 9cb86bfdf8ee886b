//! A session of this process in the network (design §1), and the one that follows it. A process has one at a time, and
//! nearly always one from its start to its end. It begins another when its person becomes somebody new, and when it was
//! read-only because of a copy of its profile that is gone now (design R2). Members and streams end with their session;
//! handles on the peer go on with the next.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parlor_core::{Certificate, Cloned, Error, ErrorCode, LocalActor, RECORDED_BYTES, Signer};
use parlor_net::{Discovery, NetConfig, NetHandle, PeerInfo, SessionKey};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::clones::Clones;
use crate::keys::{Ed25519Verifier, IdentityKey};
use crate::live::wall_ms;
use crate::open_rooms::OpenRooms;
use crate::profile::boot::Boot;
use crate::profile::{self, Profile};
use crate::shared::Shared;
use crate::ticket::ADDRESSES_MAX;
use crate::{Config, Live, StartError, Status};

/// The system may take this long to free the ports of the session before.
const PORTS_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// One session: what it runs on, and who it is.
pub(crate) struct Session {
    pub(crate) net: NetHandle,
    pub(crate) rooms: OpenRooms,
    pub(crate) identity: Arc<IdentityKey>,
    pub(crate) own: Mutex<LocalActor>,
    clones: Clones,
    boot: Boot,
}

/// Who begins the next session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The same person.
    Same,
    /// Somebody new, with another key and another profile number.
    SomebodyNew,
}

impl Session {
    pub(crate) async fn begin(
        profile: &Arc<Profile>,
        identity: Arc<IdentityKey>,
        boot: Boot,
        config: &Config,
    ) -> Result<Session, StartError> {
        let name = profile.settings().name;
        let key = SessionKey::generate();
        let certificate = Certificate::issue(&*identity, key.id(), boot.profile_id, boot.counter, &name);
        let net = NetHandle::start(NetConfig {
            session: key,
            certificate,
            verifier: Arc::new(Ed25519Verifier),
            listen: config.listen.clone(),
            dial: config.dial.clone(),
            discovery: Discovery {
                mdns: config.multicast && config.mdns,
                hello: config.multicast && config.hello,
                relays: config.relays,
            },
            relay: config.relay,
            neighbours: Some(config.data_dir.clone()),
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
        let recorded = if config.recorder { RECORDED_BYTES } else { 0 };
        let rooms = OpenRooms::new(net.clone(), Arc::clone(profile), Arc::clone(&identity), recorded);
        Ok(Session { net, rooms, identity, own: Mutex::new(own), clones: Clones::default(), boot })
    }

    /// What is true of copies of the profile at this moment, of which `peers` are connected.
    pub(crate) async fn look_at_clones(&self, peers: &[PeerInfo]) -> Option<Cloned> {
        let rooms = self.rooms.snapshots().await;
        let connected: BTreeSet<String> = peers.iter().map(|peer| peer.session_id.clone()).collect();
        self.clones.look(rooms.iter().filter_map(|room| room.cloned.clone()), &connected, Instant::now())
    }

    /// Whether it is read-only for nothing: the copies that outranked it are gone.
    pub(crate) fn may_come_back(&self) -> bool {
        self.clones.may_come_back(Instant::now())
    }

    /// Where the others are, for finding them again.
    async fn neighbours(&self) -> Vec<String> {
        let peers = self.net.peers().await.into_iter();
        // Where an incoming connection comes from is not where its peer listens.
        peers.flat_map(|peer| peer.addresses.into_iter().skip(usize::from(peer.direction == "in")).take(1)).collect()
    }
}

impl Live {
    /// Makes the profile's person somebody new: another identity key, hence another user id, and another profile number. For
    /// a profile whose folder was copied and runs elsewhere too (design R2): afterwards the two are two people. The old key
    /// is kept in the profile as `identity.key.old-N`; the name, the colour, recent rooms and the keys of private ones stay.
    /// To others it is another person all the same: what was written before stays under the old id, and so does being the
    /// host of private rooms.
    ///
    /// The peer begins another session. Members and streams of this process end, so join again; handles go on.
    ///
    /// # Errors
    /// `FORBIDDEN` for a guest, `STORAGE_FAILED` when the key could not be written; nothing was changed. `NETWORK_UNAVAILABLE`
    /// when the peer was closed, or cannot listen any more and has to be started again.
    ///
    /// ```
    /// # use parlor::{Config, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// let before = live.status().await;
    /// let after = live.new_identity().await?;
    /// assert!(after.user_id != before.user_id && after.name == before.name);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn new_identity(&self) -> Result<Status, Error> {
        self.own_profile()?;
        renew(&self.shared, Next::SomebodyNew).await?;
        Ok(self.status().await)
    }

    /// The peer id of the session, which is another after [`new_identity`](Live::new_identity) and when a session that a
    /// copy of the profile made read-only came back after the copy was gone.
    #[must_use]
    pub fn sessions(&self) -> watch::Receiver<String> {
        self.shared.sessions()
    }
}

/// Ends the session and begins the next one, whatever becomes of the caller.
///
/// # Errors
/// `NETWORK_UNAVAILABLE` when the peer was closed; `STORAGE_FAILED` when the new identity could not be written. Nothing was
/// changed by these. `NETWORK_UNAVAILABLE` also when the next session could not listen: the peer is closed then, and starts
/// as who it has become.
pub(crate) async fn renew(shared: &Arc<Shared>, next: Next) -> Result<(), Error> {
    let shared = Arc::clone(shared);
    let turned = tokio::spawn(async move { turn(&shared, next).await }).await;
    turned.map_err(|error| Error::new(ErrorCode::NetworkUnavailable, format!("the peer is closing: {error}")))?
}

async fn turn(shared: &Shared, next: Next) -> Result<(), Error> {
    let closed = shared.closed.lock().await;
    if *closed {
        return Err(Error::new(ErrorCode::NetworkUnavailable, "the peer was closed"));
    }
    let old = shared.session();
    let (identity, boot) = match next {
        // Still below the counter of a copy that outranked this one (see `twins` in the core).
        Next::Same => (Arc::clone(&old.identity), old.boot.next()),
        Next::SomebodyNew => {
            let profile = Arc::clone(&shared.profile);
            let made = tokio::task::spawn_blocking(move || profile.new_identity(wall_ms())).await;
            let made = made.unwrap_or_else(|error| Err(StartError::Random(error.to_string())));
            let (identity, boot) = made.map_err(|error| Error::new(ErrorCode::StorageFailed, error.to_string()))?;
            (Arc::new(identity), boot)
        }
    };
    let listen = same_ports(&shared.config.listen, &old.net.listen_addrs());
    let neighbours = old.neighbours().await;
    old.rooms.flush().await;
    old.net.shutdown().await;
    old.rooms.clear().await;

    let config = Config { listen, ..shared.config.clone() };
    let session = begun(&shared.profile, &identity, boot, &config).await;
    let session = match session {
        // Somebody took the port meanwhile: what the peer was started with is what is left.
        Err(StartError::PortInUse(_)) => begun(&shared.profile, &identity, boot, &shared.config).await,
        other => other,
    };
    let session = session.map_err(|error| {
        let message = format!("cannot go on: {error}; start it again");
        shared.profile.notices.say(message.clone());
        Error::new(ErrorCode::NetworkUnavailable, message)
    })?;
    for address in neighbours.into_iter().take(ADDRESSES_MAX) {
        let net = session.net.clone();
        // Whoever does not answer is found in another way, or is gone.
        tokio::spawn(async move { drop(net.dial(&address).await) });
    }
    shared.go_on_with(session);
    Ok(())
}

async fn begun(
    profile: &Arc<Profile>,
    identity: &Arc<IdentityKey>,
    boot: Boot,
    config: &Config,
) -> Result<Session, StartError> {
    let deadline = Instant::now() + PORTS_WITHIN;
    loop {
        match Session::begin(profile, Arc::clone(identity), boot, config).await {
            Err(StartError::PortInUse(_)) if Instant::now() < deadline => sleep(LOOK_EVERY).await,
            other => return other,
        }
    }
}

/// Where to listen so that those who know the peer by its address still find it: a port that was free to choose is the
/// one that was chosen.
fn same_ports(configured: &[String], actual: &[String]) -> Vec<String> {
    let chosen = |address: &String| {
        let (head, tail) = address.split_once("/tcp/0").or_else(|| address.split_once("/udp/0"))?;
        if !(tail.is_empty() || tail.starts_with('/')) {
            return None;
        }
        let head = &address[..head.len() + "/tcp/".len()];
        let anywhere = ["/ip4/0.0.0.0/", "/ip6/::/"].iter().any(|any| head.starts_with(any));
        let kind = head.rsplit('/').nth(1)?;
        let port = actual.iter().find_map(|known| {
            let (before, rest) = known.split_once(&format!("/{kind}/"))?;
            let (port, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let same = after == tail && (anywhere || head.strip_prefix(before) == Some(&format!("/{kind}/")));
            same.then_some(port)
        })?;
        Some(format!("{head}{port}{tail}"))
    };
    configured.iter().map(|address| chosen(address).unwrap_or_else(|| address.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::same_ports;

    #[test]
    fn a_port_that_was_chosen_is_kept() {
        let actual = ["/ip4/10.0.0.7/tcp/41001", "/ip4/127.0.0.1/tcp/41002", "/ip4/127.0.0.1/udp/41003/quic-v1"];
        let actual = actual.map(str::to_owned);
        let kept = |address: &str| same_ports(&[address.to_owned()], &actual).remove(0);
        assert_eq!(kept("/ip4/127.0.0.1/tcp/0"), "/ip4/127.0.0.1/tcp/41002");
        assert_eq!(kept("/ip4/0.0.0.0/tcp/0"), "/ip4/0.0.0.0/tcp/41001");
        assert_eq!(kept("/ip4/127.0.0.1/udp/0/quic-v1"), "/ip4/127.0.0.1/udp/41003/quic-v1");
        for as_it_is in ["/ip4/127.0.0.1/tcp/4747", "/ip4/10.0.0.8/tcp/0", "/ip4/127.0.0.1/udp/0/webrtc", "nonsense"] {
            assert_eq!(kept(as_it_is), as_it_is);
        }
        assert!(same_ports(&[], &actual).is_empty(), "every interface, as at the start");
    }
}
