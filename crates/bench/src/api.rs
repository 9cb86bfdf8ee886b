//! What the HTTP API adds to the crate: to one call, when many read one room, and when some of them stop reading.

mod readers;
mod server;
mod slow;

use std::time::{Duration, Instant};

use parlor::{Join, PresenceChange};
use serde_json::json;

use crate::api::server::{Server, Socket};
use crate::report::{Figure, publish};
use crate::samples::{Samples, median};

/// A little under 30 a second, as a pointer that moves.
const EVERY: Duration = Duration::from_millis(36);
const COUNT: u32 = 200;
const ROUNDS: usize = 3;

pub async fn run() -> anyhow::Result<bool> {
    let mut figures = one_call().await?;
    figures.extend(readers::measured().await?);
    figures.extend(slow::measured().await?);
    publish("api", &figures)
}

/// From a call until it is answered, by the crate and over the WebSocket, which take turns.
async fn one_call() -> anyhow::Result<Vec<Figure>> {
    let server = Server::start().await?;
    let room = server.live.room("bench");
    room.join(Join::new()).await?;
    let mut socket = Socket::open(&server, "bench").await?;
    let (mut own, mut over) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}: {COUNT} calls by the crate and over the WebSocket");
        let (mut calls, mut messages) = (Samples::default(), Samples::default());
        let mut turn = tokio::time::interval(EVERY);
        for x in 0..COUNT {
            turn.tick().await;
            let begun = Instant::now();
            room.presence(PresenceChange::new(json!({"cursor": {"x": x, "y": 300.5}}))).await?;
            calls.add(begun.elapsed());
            turn.tick().await;
            let begun = Instant::now();
            socket.presence(json!({"cursor": {"x": x, "y": 301.5}})).await?;
            messages.add(begun.elapsed());
        }
        own.push(calls.quantile(0.5));
        over.push(messages.quantile(0.5));
    }
    server.end().await;
    let (own, over) = (median(own), median(over));
    Ok(vec![
        Figure::beside("presence() over the WebSocket, p50", over, "the crate", own, "ms"),
        Figure::alone("what the WebSocket adds to the call, p50", over - own, "ms").at_most(0.5),
    ])
}
