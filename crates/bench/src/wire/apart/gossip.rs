//! Bare gossipsub: signed, over TCP, linked all with all, and without forwarding. Once with the swarm in the very task that
//! moves and sees, which is the least that it can cost; and once in a task of its own that is asked over a channel and tells
//! over another, as an app has it whose callers do not wait for the network.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use futures::future::{Either, select};
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

use super::mover::{GREET, Seen, Task, Told, frame, grace, now, place, read, ready};
use crate::floor;

/// What is heard and not read yet.
const HEARD: usize = 1024;

/// A frame to be said, and who waits until it is.
type Asked = (Vec<u8>, oneshot::Sender<()>);

struct Peer {
    swarm: Swarm<gossipsub::Behaviour>,
    topic: IdentTopic,
    number: usize,
    seen: Seen,
}

impl Peer {
    /// Tells the others where it stands, in as many bytes as a frame of Parlor's that says so.
    fn say(&mut self, x: f64) {
        // Nobody may be there yet; what is not told counts as lost.
        let _ = self.swarm.behaviour_mut().publish(self.topic.clone(), frame(self.number, x, 0));
    }

    fn heard(&mut self, event: SwarmEvent<gossipsub::Event>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => println!("{address}"),
            SwarmEvent::Behaviour(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                if let Some((of, x)) = read(&message.data) {
                    self.seen.see(of, x);
                }
                let gossip = self.swarm.behaviour_mut();
                gossip.report_message_validation_result(&message_id, &propagation_source, MessageAcceptance::Ignore);
            }
            _ => {}
        }
    }

    /// Listens while something else is not done.
    async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.heard(event),
                done = &mut other => return done,
            }
        }
    }
}

/// A swarm that listens and dials, and its topic.
fn begun(task: &Task) -> anyhow::Result<(Swarm<gossipsub::Behaviour>, IdentTopic)> {
    let (mut swarm, topic) = (floor::swarm()?, IdentTopic::new("floor"));
    swarm.behaviour_mut().subscribe(&topic)?;
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    for address in &task.addresses {
        swarm.dial(address.parse::<Multiaddr>()?)?;
    }
    Ok((swarm, topic))
}

pub async fn play(task: &Task, go: oneshot::Receiver<()>) -> anyhow::Result<Told> {
    let (swarm, topic) = begun(task)?;
    let mut peer = Peer { swarm, topic, number: task.number, seen: Seen::new(task) };
    let mut turn = tokio::time::interval(GREET);
    while !peer.seen.is_complete() {
        peer.during(turn.tick()).await;
        peer.say(0.0);
    }
    let mut allowed = tokio::spawn(ready(task.clone(), go));
    let allowed = loop {
        let tick = pin!(turn.tick());
        match peer.during(select(tick, &mut allowed)).await {
            Either::Left(_) => peer.say(0.0),
            Either::Right((allowed, _)) => break allowed,
        }
    };
    allowed??;
    if task.count == 0 {
        peer.during(std::future::pending::<()>()).await;
    }
    let mut told = Told::default();
    let mut turn = tokio::time::interval(task.every);
    for number in 0..task.count {
        peer.during(turn.tick()).await;
        told.sent.push(now());
        peer.say(place(number));
    }
    peer.during(grace()).await;
    told.heard = peer.seen.heard;
    Ok(told)
}

/// A task that has the swarm: says what it is asked to, and tells what it hears.
async fn serve(
    mut swarm: Swarm<gossipsub::Behaviour>,
    topic: IdentTopic,
    mut asked: mpsc::Receiver<Asked>,
    heard: broadcast::Sender<Vec<u8>>,
) {
    loop {
        tokio::select! {
            Some((bytes, done)) = asked.recv() => {
                let _ = swarm.behaviour_mut().publish(topic.clone(), bytes);
                let _ = done.send(());
            }
            event = swarm.select_next_some() => match event {
                SwarmEvent::NewListenAddr { address, .. } => println!("{address}"),
                SwarmEvent::Behaviour(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                    let _ = heard.send(message.data);
                    let gossip = swarm.behaviour_mut();
                    gossip.report_message_validation_result(&message_id, &propagation_source, MessageAcceptance::Ignore);
                }
                _ => {}
            },
        }
    }
}

/// The same as [`play`], by asking.
pub async fn play_asking(task: &Task, go: oneshot::Receiver<()>) -> anyhow::Result<Told> {
    let (swarm, topic) = begun(task)?;
    let (ask, asked) = mpsc::channel(HEARD);
    let (heard, mut hears) = broadcast::channel(HEARD);
    tokio::spawn(serve(swarm, topic, asked, heard));
    let (seen, complete) = (Arc::new(Mutex::new(Seen::new(task))), Arc::new(Notify::new()));
    tokio::spawn({
        let (seen, complete) = (Arc::clone(&seen), Arc::clone(&complete));
        async move {
            while let Ok(bytes) = hears.recv().await {
                let Some((of, x)) = read(&bytes) else { continue };
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.see(of, x);
                if seen.is_complete() {
                    complete.notify_one();
                }
            }
        }
    });
    let say = async |x: f64| {
        let (done, is_done) = oneshot::channel();
        ask.send((frame(task.number, x, 0), done)).await?;
        anyhow::Ok(is_done.await?)
    };
    let allowed = async {
        complete.notified().await;
        ready(task.clone(), go).await
    };
    let mut turn = tokio::time::interval(GREET);
    let greet = async {
        loop {
            turn.tick().await;
            if let Err(failed) = say(0.0).await {
                return failed;
            }
        }
    };
    tokio::select! {
        allowed = allowed => allowed?,
        failed = greet => return Err(failed),
    }
    if task.count == 0 {
        std::future::pending::<()>().await;
    }
    let mut told = Told::default();
    let mut turn = tokio::time::interval(task.every);
    for number in 0..task.count {
        turn.tick().await;
        told.sent.push(now());
        say(place(number)).await?;
    }
    grace().await;
    told.heard = std::mem::take(&mut seen.lock().unwrap_or_else(PoisonError::into_inner).heard);
    Ok(told)
}
