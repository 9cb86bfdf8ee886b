//! A peer with its HTTP API on loopback, and the two ways to read one of its rooms.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use futures::{SinkExt as _, StreamExt as _};
use parlor::{Config, Live};
use parlor_http::{ConnectionLimits, HttpConfig, Shares};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const TOKEN: &str = "token-of-a-bench";
/// Nothing on loopback takes this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A peer that nobody else is linked to.
pub struct Server {
    pub live: Live,
    http: parlor_http::Server,
    _data: TempDir,
}

impl Server {
    pub async fn start() -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let listen = vec!["/ip4/127.0.0.1/tcp/0".into()];
        let config = Config { data_dir: data.path().into(), listen, multicast: false, ..Config::default() };
        let live = Live::start(config).await?;
        let limits = ConnectionLimits::default();
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let shares = Shares::new(live.clone(), || Err(io::Error::other("nothing is shared here")));
        let config = HttpConfig { addr, token: TOKEN.into(), ui: None, limits, shares };
        let http = parlor_http::serve(live.clone(), config).await?;
        Ok(Self { live, http, _data: data })
    }

    pub async fn end(self) {
        self.live.close().await;
    }
}

/// A stream of server-sent events.
pub struct Stream {
    reader: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Stream {
    /// Asks for it, and reads nothing of it yet.
    pub async fn open(server: &Server, room: &str) -> anyhow::Result<Self> {
        let addr = server.http.addr;
        let mut stream = TcpStream::connect(addr).await?;
        let head = format!(
            "GET /rooms/{room}/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
            addr.port()
        );
        stream.write_all(head.as_bytes()).await?;
        Ok(Self { reader: BufReader::new(stream), line: Vec::new() })
    }

    /// The data of the next event.
    pub async fn next(&mut self) -> anyhow::Result<&str> {
        loop {
            self.line.clear();
            let read =
                timeout(PATIENCE, self.reader.read_until(b'\n', &mut self.line)).await.context("nothing came")??;
            if read == 0 {
                bail!("the stream ended");
            }
            if self.line.starts_with(b"data: ") {
                return Ok(std::str::from_utf8(&self.line["data: ".len()..])?);
            }
        }
    }
}

/// A WebSocket.
pub struct Socket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    calls: u64,
}

impl Socket {
    pub async fn open(server: &Server, room: &str) -> anyhow::Result<Self> {
        let url = format!("{}/rooms/{room}/ws", server.http.url()).replacen("http", "ws", 1);
        let mut request = url.into_client_request()?;
        let protocols = format!("parlor.v1, parlor.bearer.{TOKEN}").parse()?;
        request.headers_mut().insert("sec-websocket-protocol", protocols);
        Ok(Self { socket: connect_async(request).await?.0, calls: 0 })
    }

    /// The next message.
    pub async fn next(&mut self) -> anyhow::Result<String> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.context("nothing came")?.context("it ended")?? {
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Close(_) => bail!("the socket was closed"),
                _ => {}
            }
        }
    }

    /// Says that a batch was taken.
    pub async fn acknowledge(&mut self, batch: &str) -> anyhow::Result<()> {
        let Some(seq) = number_behind(batch, "\"seq\":") else { return Ok(()) };
        let ack = json!({"type": "ack", "seq": seq}).to_string();
        Ok(self.socket.send(Message::Text(ack.into())).await?)
    }

    /// Sets the presence, and waits for the answer.
    pub async fn presence(&mut self, presence: Value) -> anyhow::Result<()> {
        self.calls += 1;
        let call = json!({"type": "presence", "id": self.calls, "presence": presence}).to_string();
        self.socket.send(Message::Text(call.into())).await?;
        loop {
            let message = self.next().await?;
            if !message.contains("\"type\":\"result\"") {
                self.acknowledge(&message).await?;
                continue;
            }
            let result: Value = serde_json::from_str(&message)?;
            if result["ok"] != true {
                bail!("refused: {message}");
            }
            if result["id"] == self.calls {
                return Ok(());
            }
        }
    }
}

/// The number behind the last of some words, without reading the rest.
pub fn number_behind(text: &str, words: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(words)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}
