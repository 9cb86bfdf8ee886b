//! The peer that a command talks to: the running one of the profile, or one that lives as long as the command.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use parlor::{Config, Live, StartError};
use parlor_http::{ApiFile, ConnectionLimits, HttpConfig, Server, Shares};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::args::{PeerArgs, ReadArgs};
use crate::client::{Answer, Client, Guest};
use crate::failure::Failure;
use crate::output::note;
use crate::progress::Progress;
use crate::serve;

/// How long a peer may take to write its `api.json` when it starts, or to let go of the profile when it ends.
const API_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks at something that another process or peer will change.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A list that did not grow for this long, with somebody to ask, is taken for complete.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// A peer to talk to.
pub(crate) struct Peer {
    pub client: Client,
    /// What is told of the call while it lasts.
    pub progress: Progress,
    /// Present when it was started for this command.
    own: Option<(Live, Server, Shares)>,
}

impl Peer {
    /// Finds the running peer of the profile, or starts one.
    ///
    /// Who holds the lock is asked first. Only then is `api.json` worth reading: without a holder it is of a process that
    /// died, or it came along when the directory was copied and names a peer of the original.
    pub(crate) async fn of(args: &PeerArgs, guest: Option<Guest>) -> Result<Self, Failure> {
        let config = config(args);
        let deadline = Instant::now() + API_WITHIN;
        loop {
            let pid = match Live::start(config.clone()).await {
                Err(StartError::Held { pid }) => pid,
                started => return Self::start(started?, guest).await,
            };
            if let Some(client) = running(&config, guest.clone()).await? {
                return Ok(Self { client, progress: Progress::default(), own: None });
            }
            // Perhaps a peer that is still starting, or one that is about to end.
            if Instant::now() >= deadline {
                return Err(Failure::Usage(held(&args.profile, pid)));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn start(live: Live, guest: Option<Guest>) -> Result<Self, Failure> {
        let no_token = |error| Failure::Failed(format!("the system has no random numbers: {error}"));
        let token = parlor_http::generate_token().map_err(no_token)?;
        let shares = Shares::new(live.clone(), || serve::pages(None));
        let http = HttpConfig {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token,
            ui: None,
            limits: ConnectionLimits::default(),
            shares: shares.clone(),
        };
        let server = match parlor_http::serve(live.clone(), http).await {
            Ok(server) => server,
            Err(error) => {
                live.close().await;
                return Err(error.into());
            }
        };
        let api = ApiFile::read(live.profile_dir());
        let api = api.ok_or_else(|| Failure::Failed("api.json was removed from the profile".into()))?;
        let client = Client::new(&api, guest)?;
        Ok(Self { client, progress: Progress::default(), own: Some((live, server, shares)) })
    }

    /// Whether this peer lives only as long as the command.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Reads something that other peers know. A running peer answers at once; one that has just started first looks
    /// for them, until it is linked to somebody and what it knows has stopped growing, or `--wait` is over.
    pub(crate) async fn read_settled(
        &self,
        read: &ReadArgs,
        path: &[&str],
        query: &[(&str, String)],
        size: fn(&Value) -> Value,
    ) -> Result<Answer, Failure> {
        let start = Instant::now();
        if self.is_own() {
            self.progress.says("looking for others");
        }
        let (mut last, mut since) = (Value::Null, start);
        loop {
            let answer = self.client.get(path, query).await?;
            let Some((live, ..)) = &self.own else { return Ok(answer) };
            let now = size(&answer.read()?);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            let alone = live.peers().await.is_empty();
            if since.elapsed() >= SETTLED_AFTER && !alone {
                return Ok(answer);
            }
            if start.elapsed().as_secs_f64() >= read.wait {
                if alone {
                    self.progress.end();
                    note(
                        "parlor: found no other peer in this time; --wait SECONDS looks longer, --dial ADDRESS asks one",
                    );
                }
                return Ok(answer);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Ends the peer if it was started for this command; it leaves every room first.
    pub(crate) async fn close(self) {
        if let Some((live, server, shares)) = self.own {
            shares.end().await;
            live.close().await;
            server.stop().await;
        }
    }
}

/// The configuration of a peer, from the command line.
pub(crate) fn config(args: &PeerArgs) -> Config {
    let default = Config::default();
    Config {
        profile: args.profile.clone(),
        data_dir: args.data_dir.clone().unwrap_or_else(|| default.data_dir.clone()),
        listen: args.listen.clone(),
        dial: args.dial.clone(),
        multicast: !args.no_multicast,
        mdns: !args.no_mdns,
        hello: !args.no_hello,
        recorder: !args.no_recorder,
        relays: !args.no_relays,
        ..default
    }
}

/// What to do about a profile that a process without an API holds.
pub(crate) fn held(profile: &str, pid: Option<u32>) -> String {
    format!(
        "the profile {profile:?} is in use by {}, which has no HTTP API to ask. \
         Close that program, switch its HTTP API on, or take another --profile",
        holder(pid)
    )
}

/// The process that holds a profile, as far as it is known.
pub(crate) fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// The running peer, if `api.json` names one that answers.
async fn running(config: &Config, guest: Option<Guest>) -> Result<Option<Client>, Failure> {
    let directory = config.data_dir.join("profiles").join(&config.profile);
    let Some(api) = ApiFile::read(&directory) else { return Ok(None) };
    let client = Client::new(&api, guest)?;
    Ok(client.is_there(&api.peer_id).await.then_some(client))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn here(data_dir: &std::path::Path) -> PeerArgs {
        PeerArgs {
            profile: "default".into(),
            data_dir: Some(data_dir.into()),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            dial: Vec::new(),
            no_multicast: true,
            no_mdns: false,
            no_hello: false,
            no_recorder: false,
            no_relays: false,
        }
    }

    #[tokio::test]
    async fn a_holder_that_is_about_to_end_is_waited_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let args = here(dir.path());
        let holder = Live::start(config(&args)).await.expect("a peer");
        let mut call = std::pin::pin!(Peer::of(&args, None));
        assert!(timeout(LOOK_EVERY * 4, &mut call).await.is_err(), "the profile is held");
        holder.close().await;
        let own = call.await.unwrap_or_else(|error| panic!("{error}"));
        assert!(own.is_own());
        own.close().await;
    }
}
