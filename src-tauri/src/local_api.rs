//! The HTTP API of the window's peer: off until somebody switches it on, on loopback only (design A10). Whether it is on,
//! and at which port, is kept in `window.json` of the profile; the token is another one each time it begins.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use parlor::{Error, ErrorCode, Live};
use parlor_http::{ConnectionLimits, HttpConfig, ServeError, Server, Shares};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// What a person chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// Whether the API is on.
    pub on: bool,
    /// The port; 0 takes any free one each time.
    #[serde(default)]
    pub port: u16,
}

/// What the settings show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    #[serde(flatten)]
    choice: Choice,
    /// Where it answers; missing while it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// What every call has to carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// The API of this window; managed by the app.
pub struct LocalApi {
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    choice: Choice,
    running: Option<(Server, String)>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WindowFile {
    api: Choice,
}

impl LocalApi {
    /// What was chosen in this profile; nothing runs yet.
    pub fn of(profile_dir: &Path) -> Self {
        let file = profile_dir.join("window.json");
        // A file that says nothing is as good as none: off.
        let read = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<WindowFile>(&bytes).ok());
        let choice = read.unwrap_or_default().api;
        Self { file, state: Mutex::new(State { choice, running: None }) }
    }

    /// Starts it if it was on when the window closed last.
    pub async fn begin(&self, live: &Live, shares: &Shares) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        if state.choice.on { start(&mut state, live, shares).await } else { Ok(()) }
    }

    /// How it is.
    pub async fn shown(&self) -> Shown {
        let state = self.state.lock().await;
        let running = state.running.as_ref();
        Shown {
            choice: state.choice,
            url: running.map(|(server, _)| server.url()),
            token: running.map(|(_, token)| token.clone()),
        }
    }

    /// Switches it on or off, or to another port.
    ///
    /// # Errors
    /// `NETWORK_UNAVAILABLE` when the port is taken: it is off then. `STORAGE_FAILED`: it is as asked until the window
    /// closes.
    pub async fn choose(&self, choice: Choice, live: &Live, shares: &Shares) -> Result<Shown, Error> {
        {
            let mut state = self.state.lock().await;
            if let Some((server, _)) = state.running.take() {
                server.stop().await;
            }
            state.choice = choice;
            if choice.on
                && let Err(error) = start(&mut state, live, shares).await
            {
                state.choice.on = false;
                return Err(error);
            }
            self.save(choice)?;
        }
        Ok(self.shown().await)
    }

    /// Ends it. What was chosen stays for the next time.
    pub async fn end(&self) {
        if let Some((server, _)) = self.state.lock().await.running.take() {
            server.stop().await;
        }
    }

    fn save(&self, api: Choice) -> Result<(), Error> {
        let write = || {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            let file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&file, &WindowFile { api })?;
            file.persist(&self.file).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| {
            Error::new(ErrorCode::StorageFailed, format!("cannot write {}: {error}", self.file.display()))
        })
    }
}

async fn start(state: &mut State, live: &Live, shares: &Shares) -> Result<(), Error> {
    let failed = |text: String| Error::new(ErrorCode::NetworkUnavailable, text);
    let token = parlor_http::generate_token().map_err(|error| failed(format!("cannot make a token: {error}")))?;
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, state.choice.port));
    let (token_too, shares) = (token.clone(), shares.clone());
    let config = HttpConfig { addr, token: token_too, ui: None, limits: ConnectionLimits::default(), shares };
    match parlor_http::serve(live.clone(), config).await {
        Ok(server) => {
            state.running = Some((server, token));
            Ok(())
        }
        Err(error @ ServeError::ApiFile(_)) => Err(Error::new(ErrorCode::StorageFailed, error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor::Config;

    async fn live(dir: &Path) -> Live {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        Live::start(Config { data_dir: dir.into(), listen, multicast: false, ..Config::default() }).await.unwrap()
    }

    #[tokio::test]
    async fn it_is_off_until_it_is_switched_on_and_then_stays_so() {
        let dir = tempfile::tempdir().unwrap();
        let live = live(dir.path()).await;
        let shares = Shares::new(live.clone(), || parlor_http::UiFiles::of([]));
        let api = LocalApi::of(live.profile_dir());
        api.begin(&live, &shares).await.unwrap();
        assert_eq!(api.shown().await, Shown { choice: Choice::default(), url: None, token: None });
        let on = api.choose(Choice { on: true, port: 0 }, &live, &shares).await.unwrap();
        let file = parlor_http::ApiFile::read(live.profile_dir()).unwrap();
        assert_eq!((on.url.as_deref(), on.token.as_deref()), (Some(&*file.url), Some(&*file.token)));
        api.end().await;
        assert_eq!(parlor_http::ApiFile::read(live.profile_dir()), None);

        // The next window.
        let next = LocalApi::of(live.profile_dir());
        next.begin(&live, &shares).await.unwrap();
        let again = next.shown().await;
        assert!(again.url.is_some() && again.token != on.token, "{again:?}");
        let off = next.choose(Choice { on: false, port: 0 }, &live, &shares).await.unwrap();
        assert_eq!((off.url, off.token), (None, None));
        assert_eq!(parlor_http::ApiFile::read(live.profile_dir()), None);
        let last = LocalApi::of(live.profile_dir());
        last.begin(&live, &shares).await.unwrap();
        assert_eq!(last.shown().await.url, None);
        live.close().await;
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_said_and_it_stays_off() {
        let dir = tempfile::tempdir().unwrap();
        let live = live(dir.path()).await;
        let shares = Shares::new(live.clone(), || parlor_http::UiFiles::of([]));
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let api = LocalApi::of(live.profile_dir());
        let error = api.choose(Choice { on: true, port }, &live, &shares).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::NetworkUnavailable);
        assert!(error.message.contains(&port.to_string()) && error.message.contains("in use"), "{}", error.message);
        assert!(!api.shown().await.choice.on);
        drop(taken);
        let shown = api.choose(Choice { on: true, port }, &live, &shares).await.unwrap();
        assert!(shown.url.unwrap().ends_with(&format!(":{port}")));
        api.end().await;
        live.close().await;
    }
}
