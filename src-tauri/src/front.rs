//! One window a profile. Starting the app again with a profile that is open brings the window that exists to the front.
//!
//! The lock on the profile decides who is first; this is only the way to tell the first one. It listens on a loopback
//! port and writes that and a token to `front.json` in its profile, readable by its owner alone. That works on every
//! platform and in sessions without a message bus. One line of JSON each way, nothing else.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use parlor::{Config, Live, StartError};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

const FILE: &str = "front.json";

/// For one exchange over loopback, including a busy first process.
const EXCHANGE: Duration = Duration::from_secs(2);

/// How long a later start waits for the first, which may be starting or ending itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any request: a token and a room name or a ticket.
const LINE_MAX: u64 = 8192;

#[derive(Debug, Serialize, Deserialize)]
struct Door {
    pid: u32,
    port: u16,
    token: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Knock {
    token: String,
    room: Option<String>,
}

/// Who has the profile now.
pub enum Started {
    /// This process; here is its peer.
    Here(Live),
    /// An earlier one, which has shown its window.
    Elsewhere,
}

/// Starts the peer of a profile, or has the process that runs it show its window and open `room`. One that is just
/// starting or ending is waited for.
///
/// # Errors
/// Whatever keeps a peer from starting; [`StartError::Held`] when a process without a window holds the profile.
pub async fn start_or_show(config: Config, room: Option<&str>) -> Result<Started, StartError> {
    let dir = config.data_dir.join("profiles").join(&config.profile);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (pid, held) = match Live::start(config.clone()).await {
            Err(held @ StartError::Held { pid }) => (pid, held),
            other => return other.map(Started::Here),
        };
        match knock(&dir, pid, room).await {
            Ok(()) => return Ok(Started::Elsewhere),
            Err(_) if Instant::now() >= deadline => return Err(held),
            Err(error) => tracing::debug!(reason = %error, "no answer yet"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// The first process: calls `show` with the room asked for whenever the app is started again with this profile.
///
/// # Errors
/// No loopback port, no randomness, or the profile cannot be written.
pub async fn listen(dir: &Path, show: impl Fn(Option<String>) + Send + Sync + 'static) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(|error| io::Error::other(error.to_string()))?;
    let token = data_encoding::HEXLOWER.encode(&token);
    let port = listener.local_addr()?.port();
    write(dir, &Door { pid: std::process::id(), port, token: token.clone() })?;
    tokio::spawn(async move {
        // One after the other: there is no hurry, and nobody can open many.
        while let Ok((stream, _)) = listener.accept().await {
            match timeout(EXCHANGE, answer(stream, &token)).await {
                Ok(Ok(room)) => show(room),
                Ok(Err(error)) => tracing::debug!(reason = %error, "a knock that was none"),
                Err(_) => tracing::debug!("somebody knocked and said nothing"),
            }
        }
    });
    Ok(())
}

/// The window is closing for good.
pub fn forget(dir: &Path) {
    if let Err(error) = std::fs::remove_file(dir.join(FILE)) {
        tracing::debug!(reason = %error, "{FILE} was gone");
    }
}

async fn answer(stream: TcpStream, token: &str) -> io::Result<Option<String>> {
    let mut stream = BufReader::new(stream.take(LINE_MAX));
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let knock: Knock = serde_json::from_str(&line)?;
    if !bool::from(knock.token.as_bytes().ct_eq(token.as_bytes())) {
        return Err(io::Error::other("a wrong token"));
    }
    stream.into_inner().into_inner().write_all(b"\"shown\"\n").await?;
    Ok(knock.room)
}

async fn knock(dir: &Path, holder: Option<u32>, room: Option<&str>) -> io::Result<()> {
    let door: Door = serde_json::from_slice(&std::fs::read(dir.join(FILE))?)?;
    // The file of a process that died stays behind, and its port may belong to a stranger by now.
    if holder.is_some_and(|pid| pid != door.pid) {
        return Err(io::Error::other("the file is of an earlier process"));
    }
    let mut line = serde_json::to_vec(&Knock { token: door.token, room: room.map(str::to_owned) })?;
    line.push(b'\n');
    let exchange = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, door.port)).await?;
        stream.write_all(&line).await?;
        let mut said = String::new();
        BufReader::new(stream.take(LINE_MAX)).read_line(&mut said).await?;
        if said == "\"shown\"\n" { Ok(()) } else { Err(io::Error::other("the knock was refused")) }
    };
    timeout(EXCHANGE, exchange).await?
}

/// Whole or not there, and private: temporary files are made with mode 0600.
fn write(dir: &Path, door: &Door) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    serde_json::to_writer(&mut file, door)?;
    file.persist(dir.join(FILE)).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    async fn first(dir: &Path) -> mpsc::UnboundedReceiver<Option<String>> {
        let (shown, shows) = mpsc::unbounded_channel();
        listen(dir, move |room| shown.send(room).unwrap()).await.unwrap();
        shows
    }

    fn own_pid() -> Option<u32> {
        Some(std::process::id())
    }

    #[tokio::test]
    async fn a_knock_shows_the_window_and_names_the_room() {
        let dir = tempfile::tempdir().unwrap();
        let mut shows = first(dir.path()).await;
        knock(dir.path(), own_pid(), None).await.unwrap();
        assert_eq!(shows.recv().await, Some(None));
        knock(dir.path(), None, Some("war room")).await.unwrap();
        assert_eq!(shows.recv().await, Some(Some("war room".to_owned())));
    }

    #[tokio::test]
    async fn a_file_left_behind_by_the_dead_is_no_window() {
        let dir = tempfile::tempdir().unwrap();
        let mut shows = first(dir.path()).await;
        let error = knock(dir.path(), Some(1), None).await.unwrap_err();
        assert!(error.to_string().contains("earlier process"), "{error}");
        assert!(shows.try_recv().is_err(), "its port may be a stranger's by now");
    }

    #[tokio::test]
    async fn a_profile_that_is_open_is_shown_and_one_that_closes_is_opened() {
        let data_dir = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: data_dir.path().into(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            multicast: false,
            ..Config::default()
        };
        let started = start_or_show(config.clone(), None).await.unwrap();
        let Started::Here(live) = started else { panic!("nobody else has it") };
        let mut shows = first(live.profile_dir()).await;
        assert!(matches!(start_or_show(config.clone(), Some("war")).await.unwrap(), Started::Elsewhere));
        assert_eq!(shows.recv().await, Some(Some("war".to_owned())));

        // The first one ends while the second one asks: nothing answers any more, then the lock is free.
        forget(live.profile_dir());
        let (second, ()) = tokio::join!(start_or_show(config, None), async {
            sleep(Duration::from_millis(200)).await;
            live.close().await;
            drop(live);
        });
        let Started::Here(live) = second.unwrap() else { panic!("the first one has ended") };
        live.close().await;
    }

    #[tokio::test]
    async fn strangers_are_turned_away() {
        let dir = tempfile::tempdir().unwrap();
        let mut shows = first(dir.path()).await;
        let mut door: Door = serde_json::from_slice(&std::fs::read(dir.path().join(FILE)).unwrap()).unwrap();
        let say = async |text: String| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, door.port)).await.unwrap();
            // The other end may close before it has read all of a flood.
            stream.write_all(text.as_bytes()).await.ok();
            let mut said = String::new();
            stream.read_to_string(&mut said).await.ok();
            said
        };
        assert_eq!(say("GET / HTTP/1.1\r\n".into()).await, "");
        assert_eq!(say(format!("{{\"token\":\"{}\",\"room\":null}}\n", "0".repeat(32))).await, "");
        assert_eq!(say("x".repeat(100_000)).await, "");
        door.token = "wrong".into();
        write(dir.path(), &door).unwrap();
        assert!(knock(dir.path(), own_pid(), None).await.is_err());
        assert!(shows.try_recv().is_err(), "nobody was shown anything");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_token_is_for_the_owner_alone_and_goes_with_the_window() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let _shows = first(dir.path()).await;
        let file = dir.path().join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        forget(dir.path());
        assert!(!file.exists());
    }
}
