//! Looking at what a peer does: frames, cells, links, leases, refusals, as they happen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::{Error, ErrorCode, Inventory, Recorded, Replica, RoomId};
use parlor_net::{Inspected, PeerInfo};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::live::{Live, wall_ms};

/// Cells of one room that a snapshot lists; the rest are counted.
const CELLS_MAX: usize = 10_000;

/// What an [`Inspection`] gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Inspect {
    /// How everything is: at first, after a pause, and after something was missed.
    Snapshot(InspectSnapshot),
    /// One thing that was seen.
    Seen(Inspected),
    /// The reader was too slow for this many things. A snapshot follows.
    Missed {
        /// How many.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        count: u64,
    },
}

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InspectOptions {
    /// This room, and what is in none; all rooms when missing.
    pub room: Option<RoomId>,
    /// With the first 1,024 bytes of each frame, as it travels: those of private rooms are sealed. It makes every frame that
    /// is told up to 2 KiB longer.
    pub bytes: bool,
}

/// How a peer and its rooms are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InspectSnapshot {
    /// Milliseconds since 1970, by this computer's clock.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub wall_ms: u64,
    /// This peer's session.
    pub session_id: String,
    /// Every open room that is looked at, and what is held of it.
    #[cfg_attr(feature = "ts", ts(as = "BTreeMap<String, Inventory>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Inventory>))]
    pub rooms: BTreeMap<RoomId, Inventory>,
    /// How much of each of them is written down for a recording; those of which nothing is are missing.
    #[cfg_attr(feature = "ts", ts(as = "BTreeMap<String, Recorded>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Recorded>))]
    pub recorded: BTreeMap<RoomId, Recorded>,
    /// The peers that this one is linked to.
    pub peers: Vec<PeerInfo>,
    /// What was refused, repaired and lost, by name.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, number>"))]
    pub counters: BTreeMap<String, u64>,
}

/// A look at what a peer does: first a snapshot, then everything as it happens. One that does not read in time misses some
/// of it, is told how much, and gets a snapshot again, one in five seconds at most; it never slows the peer. While nobody looks, nothing is noted.
pub struct Inspection {
    live: Live,
    options: InspectOptions,
    seen: Option<parlor_net::Inspection>,
    paused: bool,
    /// When there is to be a snapshot, if there is.
    snapshot_due: Option<Instant>,
    /// When the last one was.
    snapshot_at: Option<Instant>,
}

/// Between two snapshots of one reader: one that lags all the time would be nothing but work.
const SNAPSHOTS_APART: Duration = Duration::from_secs(5);

impl Live {
    /// Looks at what this peer does, in one room or in all of them. What is in no room, such as a dial, is always seen.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use parlor::{Config, Inspect, InspectOptions, Join, Live};
    /// # let dir = tempfile::tempdir()?;
    /// # let config = Config {
    /// #     data_dir: dir.path().into(), listen: vec!["/ip4/127.0.0.1/tcp/0".into()], multicast: false, ..Config::default()
    /// # };
    /// # let live = Live::start(config).await?;
    /// let mut inspection = live.inspect(InspectOptions::default()).await?;
    /// assert!(matches!(inspection.recv().await, Some(Inspect::Snapshot(_))));
    /// live.room("standup").join(Join::new()).await?;
    /// let Some(Inspect::Seen(seen)) = inspection.recv().await else { panic!("something is done") };
    /// println!("{}", serde_json::to_string(&seen)?);
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NETWORK_UNAVAILABLE` when the peer is closing.
    pub async fn inspect(&self, options: InspectOptions) -> Result<Inspection, Error> {
        let mut inspection = Inspection {
            live: self.clone(),
            options,
            seen: None,
            paused: false,
            snapshot_due: None,
            snapshot_at: None,
        };
        inspection.begin().await?;
        Ok(inspection)
    }
}

impl Inspection {
    /// What comes next; `None` when the peer is closed or became somebody new. Waits for ever while it is paused. A call that
    /// is dropped before it answers loses nothing.
    pub async fn recv(&mut self) -> Option<Inspect> {
        if self.paused {
            std::future::pending::<()>().await;
        }
        loop {
            let due = self.snapshot_due;
            if due.is_some_and(|due| due <= Instant::now()) {
                let snapshot = self.snapshot().await;
                (self.snapshot_due, self.snapshot_at) = (None, Some(Instant::now()));
                return Some(Inspect::Snapshot(snapshot));
            }
            let next = tokio::select! {
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => continue,
                next = self.seen.as_mut()?.next() => next?,
            };
            match next {
                Ok(seen) if self.concerns(&seen) => {
                    let mut seen = Arc::unwrap_or_clone(seen);
                    // Others may want them.
                    seen.frame = seen.frame.filter(|_| self.options.bytes);
                    return Some(Inspect::Seen(seen));
                }
                Ok(_) => {}
                Err(count) => {
                    let soonest = self.snapshot_at.map_or_else(Instant::now, |at| at + SNAPSHOTS_APART);
                    self.snapshot_due = Some(soonest);
                    return Some(Inspect::Missed { count });
                }
            }
        }
    }

    /// Looks away: nothing is noted for this reader any more. Twice is once.
    pub fn pause(&mut self) {
        self.paused = true;
        self.seen = None;
    }

    /// Looks again, beginning with a snapshot.
    ///
    /// # Errors
    /// `NETWORK_UNAVAILABLE` when the peer is closing.
    pub async fn resume(&mut self) -> Result<(), Error> {
        if self.paused {
            self.begin().await?;
            self.paused = false;
        }
        Ok(())
    }

    /// What happens from now on is seen; the snapshot is made later, so that nothing falls between the two.
    async fn begin(&mut self) -> Result<(), Error> {
        let closing = || Error::new(ErrorCode::NetworkUnavailable, "the peer is closing");
        self.seen = Some(self.live.net().inspect(self.options.bytes).await.ok_or_else(closing)?);
        self.snapshot_due = Some(Instant::now());
        Ok(())
    }

    fn concerns(&self, seen: &Inspected) -> bool {
        let (Some(wanted), Some(room)) = (&self.options.room, &seen.room) else { return true };
        wanted == room
    }

    async fn snapshot(&self) -> InspectSnapshot {
        let net = self.live.net();
        let (mut rooms, mut recorded) = (BTreeMap::new(), BTreeMap::new());
        for open in self.live.shared.session().rooms.snapshots().await {
            let room = open.room.clone();
            if self.options.room.as_ref().is_some_and(|wanted| *wanted != room) {
                continue;
            }
            // A room that was closed meanwhile is not missed.
            let held = |replica: &mut Replica, now| (replica.inventory(CELLS_MAX, now), replica.recorded(now));
            if let Ok((held, written)) = net.with(&room, held).await {
                recorded.extend(written.map(|written| (room.clone(), written)));
                rooms.insert(room, held);
            }
        }
        InspectSnapshot {
            wall_ms: wall_ms(),
            session_id: net.session_id().to_string(),
            rooms,
            recorded,
            peers: net.peers().await,
            counters: net.counters().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::Config;

    #[tokio::test]
    async fn a_call_that_is_dropped_loses_no_snapshot() {
        let dir = tempfile::tempdir().expect("a folder");
        let config = Config {
            data_dir: dir.path().into(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            multicast: false,
            ..Config::default()
        };
        let live = Live::start(config).await.expect("a peer");
        let mut inspection = live.inspect(InspectOptions::default()).await.expect("a look");
        assert!(inspection.recv().now_or_never().is_none(), "a snapshot is asked for and takes its time");
        let first = tokio::time::timeout(Duration::from_secs(5), inspection.recv()).await.expect("the same snapshot");
        assert!(matches!(first, Some(Inspect::Snapshot(_))));
        live.close().await;
        while inspection.recv().await.is_some() {}
    }
}
