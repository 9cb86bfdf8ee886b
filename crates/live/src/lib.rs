//! Live rooms on a local network, with no server, no account and no internet: who is here, where their cursors and
//! selections are, who is typing, and what the room is about.
//!
//! # The model
//!
//! A **profile** is a directory with one person's long-lived identity; [`Live::start`] takes it and runs a **peer**. Peers
//! on the same network find each other and link up. There is nothing else: no server, no account.
//!
//! A [`Room`] is a name. Whoever knows it can be in it. A peer may only look at a room, which the others see as a number of
//! *watchers*, or [`join`](Room::join) it, which makes a **member**: a row that everybody in the room sees. A member
//! carries *metadata*, given when joining, and **presence**, a small JSON object that changes all the time: status, cursor,
//! selection, typing, tool, viewport. Only its owner can change it. Nobody stores it: a member that leaves, or whose
//! computer vanishes, is gone from every list within seconds.
//!
//! Beside its members a room has **metadata**, shared settings such as `title` that every member may change; the last
//! writer of a key wins, the same one everywhere.
//!
//! What happens is told in four ways, all from the same source: [`Room::members`] asks once, [`Room::watch`] always holds
//! the newest state, [`Room::events`] gives every change in order, and [`Room::feed`] gives a window no more than it can
//! draw. A reader that is too slow is brought up to date with a snapshot and never slows anybody else.
//!
//! # Two people in a room
//!
//! The two peers here find each other by address; by default they would by multicast.
//!
//! ```
//! use parlor::{Config, Join, Leave, Live, MembersQuery, MetadataChange, PresenceChange};
//! use serde_json::json;
//!
//! # async fn peer(dir: &std::path::Path, name: &str, dial: Vec<String>) -> Result<Live, Box<dyn std::error::Error>> {
//! #     Ok(Live::start(Config {
//! #         profile: name.to_lowercase().replace(' ', "-"),
//! #         data_dir: dir.join(name),
//! #         listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
//! #         dial,
//! #         multicast: false,
//! #         name: Some(name.into()),
//! #         ..Config::default()
//! #     })
//! #     .await?)
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let otter = peer(dir.path(), "Quiet Otter", vec![]).await?;
//! let heron = peer(dir.path(), "Calm Heron", otter.status().await.listen).await?;
//!
//! // Joining carries the first presence.
//! let here = otter.room("project_123");
//! let me = here.join(Join::new().presence(json!({"status": "online", "typing": false}))).await?;
//! assert_eq!(me.presence["status"], "online");
//!
//! let there = heron.room("project_123");
//! there.join(Join::new().presence(json!({"status": "online", "role": "incident_commander"}))).await?;
//!
//! // Presence merges at the top level: `status` stays.
//! here.presence(PresenceChange::new(json!({"cursor": 128, "typing": true}))).await?;
//!
//! // The other peer sees it, as soon as it arrives.
//! let mut seen = there.watch().await?;
//! let sees = |row: &parlor::Member| row.record.member_id == me.member_id && row.record.presence.get("cursor").is_some();
//! tokio::time::timeout(
//!     std::time::Duration::from_secs(20),
//!     seen.wait_for(|room| room.members.len() == 2 && room.members.iter().any(|row| sees(row))),
//! )
//! .await??;
//! let page = there.members(MembersQuery { limit: Some(100), ..MembersQuery::default() }).await?;
//! assert_eq!(page.total, 2);
//! assert!(page.members.iter().any(|row| row.actor.name == "Quiet Otter" && row.record.presence["typing"] == true));
//!
//! // Shared settings of the room.
//! there.set_metadata(MetadataChange::new(json!({"title": "Incident response"}))).await?;
//! assert_eq!(there.metadata().await?.metadata["title"], "Incident response");
//!
//! let gone = here.leave(Leave::default()).await?;
//! assert!(gone.left && gone.member_id == me.member_id);
//!
//! otter.close().await;
//! heron.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Types of your own
//!
//! Presence, metadata and settings are JSON, so that programs that do not know each other can share a room. A program that
//! has types for its own part of it uses them: whatever `serde` can write is taken, and `presence_as` and `metadata_as` read
//! it back. Fields that others write are passed over, and fields that they may leave out want a default.
//!
//! ```
//! use parlor::{Config, Join, Live, MembersQuery, PresenceChange};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! #[serde(default)]
//! struct Here {
//!     status: String,
//!     #[serde(skip_serializing_if = "Option::is_none")]
//!     cursor: Option<u32>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
//! # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
//! # let live = Live::start(config).await?;
//! let room = live.room("project_123");
//! room.join(Join::new().presence(Here { status: "online".into(), cursor: None })).await?;
//! room.presence(PresenceChange::new(Here { status: "busy".into(), cursor: Some(128) })).await?;
//! for member in room.members(MembersQuery::default()).await?.members {
//!     let here: Here = member.record.presence_as()?;
//!     assert_eq!((here.status.as_str(), here.cursor), ("busy", Some(128)));
//! }
//! # live.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it must never do
//!
//! This crate holds no replication rule: those are in `parlor-core`, and the network is in `parlor-net`. It reads no
//! environment, keeps no global state and never lets a reader slow the peer. HTTP, desktop and command line are thin
//! shells over it; [`OPERATIONS`] is the list that each must have whole.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod access;
mod arguments;
mod batch;
mod board;
mod clones;
mod config;
mod conflate;
mod diagnostics;
mod doctor;
mod events;
mod feed;
mod figures;
#[cfg(test)]
mod fixture;
mod held;
mod inspect;
mod keep;
mod keys;
mod lab;
mod live;
mod logs;
mod messages;
mod names;
mod near;
mod open_rooms;
mod palette;
mod people;
mod profile;
mod recording;
mod report;
mod room;
mod saving;
mod sealed_key;
mod session;
mod share;
mod shared;
#[cfg(test)]
mod small_disk;
mod start;
mod start_error;
mod store;
mod tail;
mod ticket;
mod upkeep;

pub use arguments::{Arguments, arguments};
pub use batch::{Batch, FeedEvent, Update};
pub use config::Config;
pub use diagnostics::{DiagnosedCrash, DiagnosedFinding, DiagnosedNetwork, DiagnosedPeer, DiagnosedRoom, Diagnostics};
pub use doctor::{Finding, FindingCode, Firewall, FirewallRule, NetworkReport, Ports, Severity};
pub use events::{Events, Item, RoomEvent};
pub use feed::Feed;
pub use figures::Figures;
pub use inspect::{Inspect, InspectOptions, InspectSnapshot, Inspection};
pub use lab::{Lab, LabChange, LabCrowd, LabPeople, LabState};
pub use live::Live;
pub use logs::{BadFilter, Logs};
pub use names::proposed as proposed_name;
pub use palette::PALETTE;
pub use parlor_core::{
    Access, AccessChange, Actor, ActorKind, Bag, Board, BoardChange, Broken, By, Cloned, Disagreement, Error,
    ErrorCode, Event, Evidence, EvidencePath, EvidenceVerdict, Face, HistoryPage, HistoryQuery, Join, Kind, Leave,
    Left, LeftReason, Lineup, Member, MemberId, MemberRecord, MemberState, MembersPage, MembersQuery, Message,
    MetadataChange, Note, NoteChange, Outcome, Person, PresenceChange, PresenceMode, Publish, RECORDING_MAX, Recorded,
    Recording, Replay, ReplayAt, ReplayChange, ReplayDisagreement, ReplayKind, ReplayQuery, ReplayState, ReplayStep,
    Replayed, RoomId, RoomMetadata, SessionRef, Snapshot, Timestamp, UserId, Witness, WitnessSays, limits,
};
pub use parlor_net::{
    AddressCheck, DiscoveryCheck, DiscoveryState, Echo, Ignored, InterfaceCheck, LabCounts, LabFaults, LabNetwork,
    LabPeer, LabWay, NetworkCheck, NetworkState, PeerCheck, PeerInfo, Place, Reach, Speaks,
};
pub use profile::settings::Theme;
pub use recording::{REPLAYED_MAX, RecordingOptions, save_new_file};
pub use report::{ProfileChange, RoomSummary, Status};
pub use room::Room;
pub use share::{Share, ShareChange, ShareGuest, Welcome};
pub use start_error::StartError;
pub use tail::ResyncReason;
pub use ticket::{Invitation, Ticket, TicketInfo};

/// Every operation, in snake case. The HTTP routes, the desktop commands and the subcommands of the command line each have
/// all of them; a test compares the lists.
pub const OPERATIONS: &[&str] = &[
    "rooms",
    "create_room",
    "forget_room",
    "join",
    "presence",
    "leave",
    "members",
    "metadata",
    "set_metadata",
    "board",
    "set_board",
    "history",
    "publish",
    "access",
    "change_access",
    "ticket",
    "read_ticket",
    "share",
    "change_share",
    "watch",
    "peers",
    "dial",
    "check_network",
    "diagnostics",
    "lab",
    "change_lab",
    "status",
    "set_profile",
    "new_identity",
];

/// The program of the README is one.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
