//! Faults and people on purpose, for who builds on peers and for tests of programs that are built on them (design N6, A10
//! `lab`). A peer that people use has none of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_core::{Error, ErrorCode, RoomId};
use parlor_net::{LabFaults, LabNetwork, LabOrder};
use serde::{Deserialize, Serialize};

use crate::held::held;
use crate::live::Live;
use crate::shared::Shared;

/// What a lab of a running peer has on, and what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LabState {
    /// The faults of this peer's network.
    #[serde(flatten)]
    pub network: LabNetwork,
    /// Simulated people, by room.
    pub people: Vec<LabCrowd>,
}

/// Simulated people in one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LabCrowd {
    /// The room.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// How many there are, those who are away for the moment as well.
    pub count: u32,
    /// What they do follows from it.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seed: u64,
    /// How many of them are members at this moment.
    pub here: u32,
}

/// Asks for simulated people in a room, instead of those of before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabPeople {
    /// The room, 1 to 128 characters. Everybody in it sees them.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub room: RoomId,
    /// How many, 0 to 200 in all rooms together. 0 sends them away.
    #[serde(deserialize_with = "parlor_core::whole::number")]
    #[cfg_attr(feature = "openapi", schema(maximum = 200))]
    pub count: u32,
    /// The same seed is the same people who do the same. 1 when missing.
    #[serde(default = "first", deserialize_with = "parlor_core::whole::number")]
    #[cfg_attr(feature = "ts", ts(as = "Option<u32>", optional))]
    #[cfg_attr(feature = "openapi", schema(maximum = 9_007_199_254_740_991_u64))]
    pub seed: u64,
}

fn first() -> u64 {
    1
}

/// Faults or `null`, by the id of a peer.
#[cfg(feature = "openapi")]
fn of_peers() -> utoipa::openapi::Object {
    use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, Schema, schema::Type};
    let none = ObjectBuilder::new().schema_type(Type::Null);
    let faults = OneOfBuilder::new().item(Ref::from_schema_name("LabFaults")).item(none).build();
    let words = "Faults of one peer, by its peer id in base58, which are then all that it has; `null` takes them away. At most 64 peers \
                 have some.";
    ObjectBuilder::new().additional_properties(Some(Schema::OneOf(faults))).description(Some(words)).build()
}

/// What is to be different in a lab. What is missing stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, optional_fields))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LabChange {
    /// Before everything else ends all faults, wakes the network, sets the wall clock right and sends simulated people away.
    #[cfg_attr(feature = "ts", ts(as = "Option<bool>"))]
    pub clear: bool,
    /// Draws chances anew, from this seed.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "parlor_core::whole::option")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    #[cfg_attr(feature = "openapi", schema(maximum = 9_007_199_254_740_991_u64))]
    pub seed: Option<u64>,
    /// The faults of every peer that has none of its own. What is left out of them is no fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<LabFaults>,
    /// Faults of one peer, by its peer id in base58, which are then all that it has; `null` takes them away. At most 64
    /// peers have some.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<BTreeMap<String, Option<LabFaults>>>"))]
    #[cfg_attr(feature = "openapi", schema(schema_with = of_peers))]
    pub peers: BTreeMap<String, Option<LabFaults>>,
    /// How many milliseconds the wall clock of this peer is ahead of the computer's, by at most 366 days; less than 0 is
    /// behind.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "parlor_core::whole::signed")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    #[cfg_attr(feature = "openapi", schema(minimum = -31_622_400_000_i64, maximum = 31_622_400_000_i64))]
    pub wall_ahead_ms: Option<i64>,
    /// Lets the clock of leases jump ahead once by so many milliseconds, at most a day, as after a sleep of the computer. It
    /// never goes back.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "parlor_core::whole::option")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    #[cfg_attr(feature = "openapi", schema(maximum = 86_400_000))]
    pub jump_ms: Option<u64>,
    /// For how many milliseconds this peer's network does nothing from now on, at most ten minutes; calls that need it wait.
    /// 0 wakes it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "parlor_core::whole::option")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    #[cfg_attr(feature = "openapi", schema(maximum = 600_000))]
    pub sleep_ms: Option<u64>,
    /// Simulated people, by room. Rooms that are not named keep theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<Vec<LabPeople>>"))]
    pub people: Vec<LabPeople>,
}

/// What a test may do to a running peer, made by [`Live::lab`](crate::Live::lab). A peer that people use has none. Its
/// faults are those of the session of the moment at which it was made.
#[derive(Clone)]
pub struct Lab {
    shared: Arc<Shared>,
    net: parlor_net::Lab,
}

impl Lab {
    pub(crate) fn of(shared: &Arc<Shared>) -> Option<Self> {
        let net = shared.session().net.lab()?;
        Some(Self { shared: Arc::clone(shared), net })
    }

    /// Which faults there are, what they did, and who is simulated. Answers while the network sleeps.
    pub async fn state(&self) -> LabState {
        LabState { network: self.net.faults(), people: self.shared.people.shown().await }
    }

    /// Changes the faults and the simulated people, and answers how all of it is then. Connections to peers that are to be
    /// apart are closed by then.
    ///
    /// # Errors
    /// `INVALID_LIMIT` for a number out of bounds, `NOT_FOUND` for what is no peer id of another peer, `NETWORK_UNAVAILABLE`
    /// when this peer was closed: nothing was changed. For people also what opening their room answers, such as
    /// `TOO_MANY_ROOMS`: the faults were changed then, and the crowds before that one in the list.
    ///
    /// ```
    /// # use parlor::{Config, LabChange, LabFaults, LabWay, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// let live = Live::start(Config { lab: true, ..config }).await?;
    /// let lab = live.lab().ok_or("started without a lab")?;
    /// let slow = LabWay { delay_ms: 200, jitter_ms: 50, loss_percent: 5.0, ..LabWay::default() };
    /// let faults = LabFaults { incoming: slow, outgoing: slow, ..LabFaults::default() };
    /// let state = lab.change(LabChange { all: Some(faults), ..LabChange::default() }).await?;
    /// assert_eq!(state.network.all.incoming.delay_ms, 200);
    /// lab.change(LabChange { clear: true, ..LabChange::default() }).await?;
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn change(&self, change: LabChange) -> Result<LabState, Error> {
        let LabChange { clear, seed, all, peers, wall_ahead_ms, jump_ms, sleep_ms, people } = change;
        let jump_ms = jump_ms.unwrap_or(0);
        let order = LabOrder { clear, seed, all, peers, wall_ahead_ms, jump_ms, sleep_ms };
        self.net.check(&order)?;
        self.shared.people.check(&people, clear).await?;
        // Whoever comes or goes needs a network that is awake: it sleeps last.
        self.net.change(LabOrder { sleep_ms: sleep_ms.filter(|ms| *ms == 0), ..order }).await?;
        if clear {
            self.shared.people.clear(&self.shared).await;
        }
        for order in &people {
            self.shared.people.set(&self.shared, order).await?;
        }
        if sleep_ms.is_some_and(|ms| ms > 0) {
            self.net.change(LabOrder { sleep_ms, ..LabOrder::default() }).await?;
        }
        Ok(self.state().await)
    }

    /// Sets this peer and another apart until [`mend`](Lab::mend): connections are closed before this returns, and none is
    /// made in either direction. The rooms see a link that broke. Do it at both ends, or the other goes on dialling. What a
    /// third peer passes on still comes.
    ///
    /// # Errors
    /// `NOT_FOUND` for what is no peer id of another peer, `NETWORK_UNAVAILABLE` when this peer was closed. Nothing was
    /// changed.
    pub async fn cut(&self, peer_id: &str) -> Result<(), Error> {
        self.net.cut(peer_id).await
    }

    /// Makes this peer deaf to another until [`mend`](Lab::mend): whatever the other writes is lost here, also what others
    /// pass on, and the connection stays. Others hear it as before.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn deafen(&self, peer_id: &str) -> Result<(), Error> {
        self.net.deafen(peer_id).await
    }

    /// Ends a cut, and being deaf: two peers that met before are connected again within two seconds, two that never did must be dialled.
    ///
    /// # Errors
    /// Those of [`cut`](Lab::cut).
    pub async fn mend(&self, peer_id: &str) -> Result<(), Error> {
        self.net.mend(peer_id).await
    }

    /// Ends the peer as the death of its process would. Nobody is told, the system closes the sockets, the profile is free
    /// for another process, and `peer.json` stays behind. Calls fail with `NETWORK_UNAVAILABLE` afterwards, streams end.
    pub async fn crash(&self) {
        if let Some(upkeep) = held(&self.shared.upkeep).take() {
            upkeep.abort();
        }
        *self.shared.closed.lock().await = true;
        self.net.crash().await;
        self.shared.session().rooms.clear().await;
        self.shared.profile.abandon();
    }
}

impl Live {
    /// What a lab of this peer has on, for surfaces whose callers cannot know whether there is one.
    ///
    /// # Errors
    /// `FORBIDDEN` unless the peer was started with a lab.
    pub async fn lab_state(&self) -> Result<LabState, Error> {
        Ok(self.own_lab()?.state().await)
    }

    /// [`Lab::change`], for the same surfaces.
    ///
    /// # Errors
    /// `FORBIDDEN` unless the peer was started with a lab, and those of [`Lab::change`].
    pub async fn change_lab(&self, change: LabChange) -> Result<LabState, Error> {
        self.own_lab()?.change(change).await
    }

    fn own_lab(&self) -> Result<Lab, Error> {
        let none = || Error::new(ErrorCode::Forbidden, "this peer has no network lab; start it with --lab");
        self.lab().ok_or_else(none)
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lab").field(&self.shared.profile.name()).finish()
    }
}
