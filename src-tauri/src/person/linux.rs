//! The signs of systemd's login manager: what desktops tell it of the session this process belongs to.

use futures::stream::{BoxStream, SelectAll, StreamExt as _};
use zbus::{Connection, proxy};

use super::{Sign, Signs};

#[proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
trait Manager {
    #[zbus(signal)]
    fn prepare_for_sleep(&self, start: bool) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.login1.Session",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1/session/auto"
)]
trait Session {
    #[zbus(property)]
    fn locked_hint(&self) -> zbus::Result<bool>;

    #[zbus(property)]
    fn idle_hint(&self) -> zbus::Result<bool>;
}

/// See the module.
pub struct Login(SelectAll<BoxStream<'static, Sign>>);

impl Login {
    /// Listens to the system's bus.
    ///
    /// # Errors
    /// There is no bus, or no login manager on it, as in a container: then there are no signs.
    pub async fn of_system() -> zbus::Result<Self> {
        Self::on(&Connection::system().await?).await
    }

    async fn on(bus: &Connection) -> zbus::Result<Self> {
        let (manager, session) = (ManagerProxy::new(bus).await?, SessionProxy::new(bus).await?);
        // Asked once, or a bus without a login manager would look like one that says nothing.
        session.locked_hint().await?;
        let sleeping = manager.receive_prepare_for_sleep().await?;
        let sleeping = sleeping.filter_map(async |signal| Some(Sign::Sleeping(signal.args().ok()?.start)));
        // Each begins with how it is now.
        let locked = session.receive_locked_hint_changed().await;
        let locked = locked.filter_map(async |change| Some(Sign::Locked(change.get().await.ok()?)));
        let idle = session.receive_idle_hint_changed().await;
        let idle = idle.filter_map(async |change| Some(Sign::Idle(change.get().await.ok()?)));
        Ok(Self([sleeping.boxed(), locked.boxed(), idle.boxed()].into_iter().collect()))
    }
}

impl Signs for Login {
    async fn next(&mut self) -> Option<Sign> {
        self.0.next().await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use zbus::connection::Builder;
    use zbus::object_server::SignalEmitter;
    use zbus::{Guid, interface};

    use super::*;
    use crate::person::Person;

    struct Manager;

    #[interface(name = "org.freedesktop.login1.Manager")]
    impl Manager {
        #[zbus(signal)]
        async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;
    }

    struct Session {
        locked: bool,
        idle: bool,
    }

    #[interface(name = "org.freedesktop.login1.Session")]
    impl Session {
        #[zbus(property)]
        fn locked_hint(&self) -> bool {
            self.locked
        }

        #[zbus(property)]
        fn idle_hint(&self) -> bool {
            self.idle
        }
    }

    const MANAGER: &str = "/org/freedesktop/login1";
    const SESSION: &str = "/org/freedesktop/login1/session/auto";

    async fn soon<T>(future: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(10), future).await.expect("in time")
    }

    /// A login manager at the other end of a socket.
    #[tokio::test]
    async fn what_the_login_manager_says_is_understood() {
        let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
        let guid = Guid::generate();
        let server = Builder::unix_stream(there).server(guid).p2p();
        let server = server.serve_at(MANAGER, Manager);
        let server = server.serve_at(SESSION, Session { locked: false, idle: false });
        let (server, client) = tokio::join!(server.build(), Builder::unix_stream(here).p2p().build());
        let (server, client) = (server.unwrap(), client.unwrap());
        let mut signs = soon(Login::on(&client)).await.unwrap();

        let first: BTreeSet<String> =
            [soon(signs.next()).await, soon(signs.next()).await].map(|sign| format!("{:?}", sign.unwrap())).into();
        assert_eq!(first, ["Idle(false)", "Locked(false)"].map(str::to_owned).into(), "how it is now");

        let session = server.object_server().interface::<_, Session>(SESSION).await.unwrap();
        let mut person = Person::default();
        session.get_mut().await.locked = true;
        session.get().await.locked_hint_changed(session.signal_emitter()).await.unwrap();
        assert_eq!(person.take(soon(signs.next()).await.unwrap()), Some(true));

        let manager = server.object_server().interface::<_, Manager>(MANAGER).await.unwrap();
        Manager::prepare_for_sleep(manager.signal_emitter(), true).await.unwrap();
        assert_eq!(soon(signs.next()).await, Some(Sign::Sleeping(true)));

        session.get_mut().await.idle = true;
        session.get().await.idle_hint_changed(session.signal_emitter()).await.unwrap();
        assert_eq!(soon(signs.next()).await, Some(Sign::Idle(true)));
    }
}
