//! Zenoh: sessions in its peer mode over TCP, linked all with all, by its transport for low latency, with each message sent at
//! once (`express`). Neither signed nor encrypted. Bound to loopback, with no scouting by multicast.

use std::net::{Ipv4Addr, TcpListener};

use ::zenoh::handlers::FifoChannelHandler;
use ::zenoh::pubsub::{Publisher, Subscriber};
use ::zenoh::sample::Sample;
use ::zenoh::{Config, Error, Session};
use anyhow::anyhow;

use super::mover::{Seen, Task, Teller, frame, read};

struct Peer {
    publisher: Publisher<'static>,
    subscriber: Subscriber<FifoChannelHandler<Sample>>,
    /// Until it is dropped.
    _session: Session,
    number: usize,
}

impl Teller for Peer {
    async fn tell(&mut self, x: f64) -> anyhow::Result<()> {
        self.publisher.put(frame(self.number, x, 0)).await.map_err(to_anyhow)
    }

    async fn hear(&mut self, seen: &mut Seen) -> anyhow::Result<()> {
        let sample = self.subscriber.recv_async().await.map_err(to_anyhow)?;
        if let Some((of, x)) = read(&sample.payload().to_bytes()) {
            seen.see(of, x);
        }
        Ok(())
    }
}

pub async fn start(task: &Task) -> anyhow::Result<impl Teller + use<>> {
    // Where it listens is told by an unstable call alone, and nobody else takes this port so soon.
    let at = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let peer = open(&format!("tcp/{at}"), task).await.map_err(to_anyhow)?;
    println!("tcp/{at}");
    Ok(peer)
}

async fn open(address: &str, task: &Task) -> ::zenoh::Result<Peer> {
    let mut config = Config::default();
    for (key, value) in [
        ("listen/endpoints", serde_json::to_string(&[address])?),
        ("connect/endpoints", serde_json::to_string(&task.addresses)?),
        ("scouting/multicast/enabled", "false".to_owned()),
        // Each is told of all before it. Were they to tell each other as well, two could link twice at once and end both.
        ("scouting/gossip/enabled", "false".to_owned()),
        // Its transport for low latency has no priorities.
        ("transport/unicast/qos/enabled", "false".to_owned()),
        ("transport/unicast/lowlatency", "true".to_owned()),
    ] {
        config.insert_json5(key, &value)?;
    }
    let session = ::zenoh::open(config).await?;
    let publisher = session.declare_publisher(format!("bench/{}", task.number)).express(true).await?;
    let subscriber = session.declare_subscriber("bench/*").await?;
    Ok(Peer { publisher, subscriber, _session: session, number: task.number })
}

fn to_anyhow(error: Error) -> anyhow::Error {
    anyhow!(error)
}
