//! "Copy diagnostics": what a peer knows of itself, for somebody far away who looks for a fault. It is made to be passed on,
//! so it names nobody and nothing: no person, no room, no address, no key, and nothing that anybody wrote. Peers and rooms
//! are called as the log calls them; what is quoted, from the log and from a panic, goes through `redact` first.

mod redact;

use std::collections::BTreeMap;
use std::path::Path;

use parlor_core::{MemberState, Timestamp};
use parlor_net::{DiscoveryCheck, NetworkState, PeerInfo, Speaks, peer_tag};
use serde::{Deserialize, Serialize};

use crate::held::held;
use crate::live::wall_ms;
use crate::logs::{self, Crash};
use crate::profile::Profile;
use crate::{Finding, FindingCode, Live, Severity};
use redact::Redaction;

/// Lines of the log that are given, the newest.
const LINES_MAX: usize = 50;
/// The longest line and the longest message that is given, in letters.
const LETTERS_MAX: usize = 400;
/// Frames of a backtrace that are given.
const FRAMES_MAX: usize = 60;

/// A peer, for somebody who looks for a fault; made by [`Live::diagnostics`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    /// When this was made.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub made_at: Timestamp,
    /// The version of Parlor.
    pub version: String,
    /// The operating system and the processor: `linux x86_64`.
    pub system: String,
    /// The end of this session's peer id.
    pub session: String,
    /// Whether faults and people can be made on purpose here.
    pub lab: bool,
    /// What there is of a network.
    pub network: DiagnosedNetwork,
    /// Peers that are connected.
    pub peers: Vec<DiagnosedPeer>,
    /// Rooms that are open.
    pub rooms: Vec<DiagnosedRoom>,
    /// Whether a copy of this profile runs elsewhere too.
    pub cloned: bool,
    /// How many notices the person is shown.
    pub notices: u32,
    /// What was sent, refused, repaired and lost, by name, since this session began; also how often the watchdog woke.
    #[cfg_attr(feature = "ts", ts(type = "Record<string, number>"))]
    pub counters: BTreeMap<String, u64>,
    /// The last lines of the log that warn of something, oldest first; none where no log is kept.
    pub log: Vec<String>,
    /// The last panic.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub crash: Option<DiagnosedCrash>,
}

/// What there is of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiagnosedNetwork {
    /// Whom this peer can meet.
    pub state: NetworkState,
    /// What is listened on, without the address: `ip4/tcp/4747`.
    pub listen: Vec<String>,
    /// Multicast DNS; `null` when the peer was closed.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub mdns: Option<DiscoveryCheck>,
    /// Parlor's own question to the network; likewise.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub hello: Option<DiscoveryCheck>,
    /// How far the clocks of others are ahead, in milliseconds, as `status` has it.
    #[cfg_attr(feature = "openapi", schema(required))]
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub clock_ahead_ms: Option<i64>,
    /// What the last check of the network found since this peer was started; `null` when there was none.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub findings: Option<Vec<DiagnosedFinding>>,
}

/// What a check of the network found, without whom or what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiagnosedFinding {
    /// Which one it is.
    pub code: FindingCode,
    /// How bad it is.
    pub severity: Severity,
}

/// A peer that is connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiagnosedPeer {
    /// The end of its peer id.
    pub peer: String,
    /// `"out"` when this end dialled, `"in"` otherwise.
    pub direction: String,
    /// `"tcp"`, `"quic"` or `"relay"`.
    pub transport: String,
    /// The last answered ping.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub rtt_ms: Option<f64>,
    /// How far its clock is ahead of this one, in milliseconds.
    #[cfg_attr(feature = "openapi", schema(required))]
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub clock_ahead_ms: Option<i64>,
    /// Whether what it says in rooms can be read here.
    pub speaks: Speaks,
    /// How it became known.
    pub source: String,
    /// The tags of the rooms that it is in too.
    pub rooms: Vec<String>,
    /// How often its connection was replaced because its heartbeats stopped while it stood.
    pub watchdog: u32,
}

/// A room that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiagnosedRoom {
    /// Its tag, the same at all peers.
    pub room: String,
    /// Whether it is private.
    pub private: bool,
    /// Members of other peers and of this one.
    pub members: u32,
    /// Those of this one among them.
    pub own: u32,
    /// Those that are not heard of at the moment.
    pub stale: u32,
    /// Sessions that look on.
    pub watching: u32,
    /// Notes on its board.
    pub notes: u32,
    /// False while this peer's own network is out.
    pub complete: bool,
}

/// A panic, without what may have been somebody's in its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiagnosedCrash {
    /// When.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub time: Timestamp,
    /// The version of Parlor that it happened to.
    pub version: String,
    /// `parlor` or `parlor-desktop`.
    pub program: String,
    /// The thread.
    pub thread: String,
    /// The first line of what it said, without what stood in quotes.
    pub message: String,
    /// File, line and column in the sources.
    pub location: String,
    /// The functions that were under way, the innermost first.
    pub backtrace: Vec<String>,
}

impl Live {
    /// What this peer knows of itself, for somebody far away who looks for a fault: its system, network, peers, rooms by
    /// number and tag, counters, the last warnings of the log and the last panic. It names no person, no room and no address,
    /// and has no key and nothing that anybody wrote in it. Whoever acts through this handle, it is the whole peer's.
    ///
    /// ```
    /// # use parlor::{Config, Join, Live};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    /// # let config = Config { data_dir: dir.path().into(), listen, multicast: false, ..Config::default() };
    /// # let live = Live::start(config).await?;
    /// live.room("project_123").join(Join::new()).await?;
    /// let diagnostics = live.diagnostics().await;
    /// assert_eq!(diagnostics.rooms[0].members, 1);
    /// assert!(!serde_json::to_string(&diagnostics)?.contains("project_123"));
    /// # live.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn diagnostics(&self) -> Diagnostics {
        let session = self.shared.session();
        let (status, peers) = (self.status().await, self.peers().await);
        let snapshots = session.rooms.snapshots().await;
        let profile = self.profile();
        let people = snapshots.iter().flat_map(|room| &room.members).map(|member| &*member.actor.name);
        let rooms =
            snapshots.iter().map(|room| room.room.clone()).chain(profile.recent().into_iter().map(|one| one.room));
        let redaction = Redaction::of(profile, rooms.chain(profile.private_rooms()), people.chain([&*status.name]));
        let folder = profile.dir().join(logs::FOLDER);
        let read = move || (logs::warnings(&folder, LINES_MAX), logs::last_crash(&folder));
        let (lines, crash) = tokio::task::spawn_blocking(read).await.unwrap_or_default();
        let (ways, counters) = (session.net.ways().await, session.net.counters().await);
        let findings = held(&self.shared.checked).clone();
        Diagnostics {
            made_at: Timestamp(wall_ms()),
            version: status.version,
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            session: peer_tag(&status.peer_id).to_owned(),
            lab: self.shared.config.lab,
            network: DiagnosedNetwork {
                state: status.network,
                listen: without_addresses(&status.listen),
                mdns: ways.map(|(mdns, _)| mdns),
                hello: ways.map(|(_, hello)| hello),
                clock_ahead_ms: status.clock_ahead_ms,
                findings,
            },
            peers: peers.iter().map(|peer| diagnosed(profile, peer)).collect(),
            rooms: snapshots.iter().map(|room| DiagnosedRoom::of(profile, room)).collect(),
            cloned: status.cloned.is_some(),
            notices: count(status.notices.len()),
            counters,
            log: lines.iter().map(|line| redaction.of_line(line, LETTERS_MAX)).collect(),
            crash: crash.map(|crash| crash_of(crash, &redaction)),
        }
    }
}

impl DiagnosedFinding {
    pub(crate) fn of(finding: &Finding) -> Self {
        Self { code: finding.code, severity: finding.severity }
    }
}

impl DiagnosedRoom {
    fn of(profile: &Profile, room: &parlor_core::Snapshot) -> Self {
        let members = || room.members.iter();
        Self {
            room: profile.tag(&room.room),
            private: room.access.is_some(),
            members: count(members().count()),
            own: count(members().filter(|member| member.own).count()),
            stale: count(members().filter(|member| member.state == MemberState::Stale).count()),
            watching: room.watching,
            notes: count(room.notes.len()),
            complete: room.complete,
        }
    }
}

fn diagnosed(profile: &Profile, peer: &PeerInfo) -> DiagnosedPeer {
    DiagnosedPeer {
        peer: peer_tag(&peer.peer_id).to_owned(),
        direction: peer.direction.clone(),
        transport: peer.transport.clone(),
        rtt_ms: peer.rtt_ms,
        clock_ahead_ms: peer.clock_ahead_ms,
        speaks: peer.speaks,
        source: peer.source.clone(),
        rooms: peer.rooms.iter().map(|room| profile.tag(room)).collect(),
        watchdog: peer.watchdog,
    }
}

fn crash_of(crash: Crash, redaction: &Redaction) -> DiagnosedCrash {
    let first = crash.message.lines().next().unwrap_or_default();
    // A line of each frame is its function, `12: parlor_core::replica::…`, and the next one where that stands.
    let functions =
        crash.backtrace.lines().map(str::trim).filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    DiagnosedCrash {
        time: crash.time,
        version: crash.version,
        program: crash.program,
        thread: redaction.of_line(&crash.thread, LETTERS_MAX),
        message: redaction.of_line(&redact::unquoted(first), LETTERS_MAX),
        location: redaction.of_line(&within_sources(&crash.location), LETTERS_MAX),
        backtrace: functions.take(FRAMES_MAX).map(|line| redaction.of_line(line, LETTERS_MAX)).collect(),
    }
}

/// The path of a source, without where whoever built the program keeps it.
fn within_sources(location: &str) -> String {
    if !Path::new(location).is_absolute() {
        return location.to_owned();
    }
    let parts: Vec<&str> = location.split(['/', '\\']).collect();
    parts.get(parts.len().saturating_sub(3)..).unwrap_or_default().join("/")
}

/// `/ip4/192.168.1.5/tcp/4747` is `ip4/tcp/4747`.
fn without_addresses(listen: &[String]) -> Vec<String> {
    let plain = |address: &String| {
        let parts: Vec<&str> = address.split('/').filter(|part| !part.is_empty()).collect();
        parts.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, part)| *part).collect::<Vec<_>>().join("/")
    };
    let mut plain: Vec<String> = listen.iter().map(plain).collect();
    plain.sort();
    plain.dedup();
    plain
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listened_on_has_no_address() {
        let listen = ["/ip4/192.168.1.5/tcp/4747", "/ip4/10.0.0.1/tcp/4747", "/ip6/fe80::1/udp/4747/quic-v1"];
        assert_eq!(without_addresses(&listen.map(str::to_owned)), ["ip4/tcp/4747", "ip6/udp/4747/quic-v1"]);
    }

    #[test]
    fn a_place_in_the_sources_says_nothing_of_who_built_them() {
        assert_eq!(within_sources("crates/core/src/replica.rs:12:5"), "crates/core/src/replica.rs:12:5");
        #[cfg(unix)]
        assert_eq!(within_sources("/home/anna/work/redb-4.6/src/lib.rs:1:2"), "redb-4.6/src/lib.rs:1:2");
    }
}
