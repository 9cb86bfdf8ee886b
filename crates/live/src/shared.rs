//! What all handles on one peer share.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::Config;
use crate::diagnostics::DiagnosedFinding;
use crate::held::held;
use crate::people::People;
use crate::profile::Profile;
use crate::session::Session;

/// One peer: its profile for as long as it runs, and its session of this moment.
pub(crate) struct Shared {
    session: Mutex<Arc<Session>>,
    pub(crate) profile: Arc<Profile>,
    /// What the peer was started with.
    pub(crate) config: Config,
    /// Held while a session ends and another begins; true when none will any more.
    pub(crate) closed: tokio::sync::Mutex<bool>,
    /// Held while the network is checked.
    pub(crate) checking: tokio::sync::Mutex<()>,
    /// Held while a recording is played that somebody handed over.
    pub(crate) replaying: Arc<tokio::sync::Mutex<()>>,
    /// What came of the last check.
    pub(crate) checked: Mutex<Option<Vec<DiagnosedFinding>>>,
    /// Those whom a lab makes up.
    pub(crate) people: People,
    /// The peer id of the session.
    began: watch::Sender<String>,
    pub(crate) upkeep: Mutex<Option<AbortHandle>>,
}

impl Shared {
    pub(crate) fn new(session: Session, profile: Arc<Profile>, config: Config) -> Self {
        let began = watch::Sender::new(session.net.peer_id());
        Self {
            session: Mutex::new(Arc::new(session)),
            profile,
            config,
            closed: tokio::sync::Mutex::default(),
            checking: tokio::sync::Mutex::default(),
            replaying: Arc::default(),
            checked: Mutex::default(),
            people: People::default(),
            began,
            upkeep: Mutex::default(),
        }
    }

    /// The session of this moment.
    pub(crate) fn session(&self) -> Arc<Session> {
        Arc::clone(&held(&self.session))
    }

    pub(crate) fn go_on_with(&self, session: Session) {
        let peer_id = session.net.peer_id();
        *held(&self.session) = Arc::new(session);
        self.began.send_replace(peer_id);
    }

    /// The peer id of the session, and of every one that follows.
    pub(crate) fn sessions(&self) -> watch::Receiver<String> {
        self.began.subscribe()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(upkeep) = held(&self.upkeep).take() {
            upkeep.abort();
        }
    }
}
