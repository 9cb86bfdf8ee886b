use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parlor::Batch;
use tauri::ipc::{Channel, InvokeResponseBody};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Feeds, Source};

/// Batches numbered from 1, as many as asked for; knows when it was dropped.
struct Numbers {
    next: u64,
    dropped: Arc<AtomicBool>,
}

impl Source for Numbers {
    type Batch = Batch;

    async fn next(&mut self) -> Option<Batch> {
        self.next += 1;
        Some(Batch { seq: self.next, events: Vec::new(), updates: Vec::new() })
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

fn numbers() -> (Numbers, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    (Numbers { next: 0, dropped: dropped.clone() }, dropped)
}

/// A window: what arrives in it.
fn window() -> (Channel<Batch>, mpsc::UnboundedReceiver<u64>) {
    let (arrived, arrivals) = mpsc::unbounded_channel();
    let channel = Channel::new(move |body| {
        let InvokeResponseBody::Json(json) = body else { panic!("a batch is JSON") };
        let batch: serde_json::Value = serde_json::from_str(&json).unwrap();
        arrived.send(batch["seq"].as_u64().unwrap()).ok();
        Ok(())
    });
    (channel, arrivals)
}

async fn next(arrivals: &mut mpsc::UnboundedReceiver<u64>) -> Option<u64> {
    timeout(Duration::from_secs(5), arrivals.recv()).await.expect("nothing came")
}

/// Lets every task that can run do so, until it waits for something.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_batch_is_in_flight_and_each_acknowledgement_earns_one() {
    let (feeds, (channel, mut arrivals)) = (Feeds::default(), window());
    let feed = feeds.open("main", "r", numbers().0, channel, || ());
    assert_eq!(next(&mut arrivals).await, Some(1));
    settle().await;
    assert!(arrivals.try_recv().is_err(), "a window that says nothing gets nothing");
    for seq in 1..=20 {
        feeds.ack("main", feed, seq);
        assert_eq!(next(&mut arrivals).await, Some(seq + 1));
        settle().await;
        assert!(arrivals.try_recv().is_err());
    }
}

#[tokio::test]
async fn acknowledging_what_never_came_earns_nothing() {
    let (feeds, (channel, mut arrivals)) = (Feeds::default(), window());
    let feed = feeds.open("main", "r", numbers().0, channel, || ());
    assert_eq!(next(&mut arrivals).await, Some(1));
    feeds.ack("main", feed, u64::MAX);
    feeds.ack("main", feed, 0);
    feeds.ack("other", feed, 1);
    feeds.ack("main", feed + 1, 1);
    settle().await;
    assert!(arrivals.try_recv().is_err());
    feeds.ack("main", feed, 1);
    assert_eq!(next(&mut arrivals).await, Some(2));
}

#[tokio::test]
async fn a_second_watch_of_a_room_takes_the_place_of_the_first() {
    let (feeds, (first, mut arrivals)) = (Feeds::default(), window());
    let (source, dropped) = numbers();
    let old = feeds.open("main", "r", source, first, || ());
    assert_eq!(next(&mut arrivals).await, Some(1));
    let (second, mut more) = window();
    let new = feeds.open("main", "r", numbers().0, second, || ());
    assert_ne!(old, new);
    assert_eq!(next(&mut more).await, Some(1));
    assert_eq!(next(&mut arrivals).await, None, "the first channel is closed");
    assert!(dropped.load(Ordering::SeqCst), "and what fed it is gone");
}

#[tokio::test]
async fn a_window_that_closes_takes_its_own_feeds_along() {
    let feeds = Feeds::default();
    let ((a, mut to_a), (b, mut to_b), (c, mut to_c)) = (window(), window(), window());
    feeds.open("main", "r", numbers().0, a, || ());
    feeds.open("main", "other room", numbers().0, b, || ());
    let stays = feeds.open("inspector", "r", numbers().0, c, || ());
    for arrivals in [&mut to_a, &mut to_b, &mut to_c] {
        assert_eq!(next(arrivals).await, Some(1));
    }
    feeds.close_window("main");
    assert_eq!(next(&mut to_a).await, None);
    assert_eq!(next(&mut to_b).await, None);
    feeds.close("main", stays);
    feeds.ack("inspector", stays, 1);
    assert_eq!(next(&mut to_c).await, Some(2), "one window cannot end another's");
    feeds.close("inspector", stays);
    assert_eq!(next(&mut to_c).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_shows_nothing_is_told_every_five_seconds_that_something_waits() {
    let (feeds, (channel, mut arrivals)) = (Feeds::default(), window());
    let (stirred, mut stirs) = mpsc::unbounded_channel();
    let stir = move || stirred.send(tokio::time::Instant::now()).expect("somebody counts");
    let feed = feeds.open("main", "r", numbers().0, channel, stir);
    let began = tokio::time::Instant::now();
    assert_eq!(next(&mut arrivals).await, Some(1));
    for time in 1..=100 {
        let at = stirs.recv().await.expect("it is told");
        assert_eq!((at - began).as_secs(), 5 * time);
    }
    feeds.ack("main", feed, 1);
    assert_eq!(next(&mut arrivals).await, Some(2), "who looks again goes on");
}
