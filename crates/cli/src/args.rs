//! What can be written on the command line. Values are checked here as far as that needs no peer.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use parlor::ReplayAt;
use serde_json::{Map, Value};

use crate::access::AccessArgs;
use crate::board::BoardArgs;
use crate::docs::DocsArgs;
use crate::doctor::DoctorArgs;
use crate::lab::LabArgs;
use crate::messages::{MessagesArgs, SayArgs};
use crate::share::ShareArgs;
use crate::values::{assignment, expiry, loopback, moment, object, wait_seconds, whole};

/// Live rooms on the local network: who is here, what they do, what the room is about.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, arg_required_else_help = true, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Whether what is logged is kept in the profile: of the peer that is there for long.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }
}

const AFTER_HELP: &str = "\
Every command but `serve` uses the running peer of its profile, or starts one for the call.
Exit codes: 0 done, 1 failed or, of `doctor`, a problem found, 2 wrong use. Logs go to standard error, those of\n`serve` also to logs/ in the profile; PARLOR_LOG=debug shows more.";

/// `serve`, and one subcommand for each operation.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)]
pub enum Command {
    /// Be a peer without a window, with the HTTP API on loopback, until stopped
    #[command(mut_arg("listen", |arg| arg.num_args(1..)), mut_arg("dial", |arg| arg.num_args(1..)))]
    Serve(ServeArgs),
    /// List rooms near you and rooms you know
    Rooms(RoomsArgs),
    /// Make a room, so that it is listed
    Create(CreateArgs),
    /// Forget a room and what is kept of it
    Forget(ForgetArgs),
    /// Enter a room and stay in it until Ctrl-C
    Join(JoinArgs),
    /// Change your live state in a room you joined
    Presence(PresenceArgs),
    /// Leave a room that a running peer joined
    Leave(LeaveArgs),
    /// List who is in a room
    Members(MembersArgs),
    /// Show a room's shared settings, or change them
    Metadata(MetadataArgs),
    /// Show the notes on a room's board, or change them
    Board(BoardArgs),
    /// Say something in a room you joined
    Say(SayArgs),
    /// Show what was said in a room
    Messages(MessagesArgs),
    /// Print what happens in a room, one JSON object a line, until Ctrl-C
    Watch(WatchArgs),
    /// Print what the peer does: frames, cells, links, refusals, as they happen
    Inspect(InspectArgs),
    /// Save what the peer was given in a room in the last ten minutes, for `parlor replay`
    Record(RecordArgs),
    /// Play a recording step by step, make a test of it, or hold two of one incident against each other
    Replay(ReplayArgs),
    /// Make a ticket that lets others into a room, or say what one is for
    Ticket(TicketArgs),
    /// Let browsers on this network into a room, as guests, without Parlor on their computers
    Share(ShareArgs),
    /// Show who may do what in a private room, or change it
    Access(AccessArgs),
    /// List the peers this one is connected to
    Peers(PeersArgs),
    /// Connect to a peer by its address
    Dial(DialArgs),
    /// Check the network: what keeps people from meeting, and what to do about it
    Doctor(DoctorArgs),
    /// Print what somebody who looks for a fault wants to know, as JSON that names nobody
    Diagnostics(DiagnosticsArgs),
    /// Make faults of the network on purpose, or simulate people, at a peer that was started with `serve --lab`
    Lab(LabArgs),
    /// Show who you are and how the peer does
    Status(StatusArgs),
    /// Show your profile, or change it
    Profile(ProfileArgs),
    /// Become somebody new: another id, with the name, colour and rooms you have
    NewIdentity(NewIdentityArgs),
    /// Write manual pages and completions, for who makes packages
    #[command(hide = true)]
    Docs(DocsArgs),
}

/// Which peer a command is about. The last three matter when it starts one.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Peer")]
pub struct PeerArgs {
    /// Which profile: one person on this computer
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub profile: String,
    /// Where the profiles are kept [default: the platform's place for data]
    #[arg(long, value_name = "DIR", env = "PARLOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Listen here, such as /ip4/127.0.0.1/tcp/0; may be given several times [default: every interface, port 4747 or the next free one]
    #[arg(long, value_name = "MULTIADDR", action = clap::ArgAction::Append)]
    pub listen: Vec<String>,
    /// Connect to this peer at the start, such as /ip4/192.168.1.20/tcp/4747; may be given several times
    #[arg(long, value_name = "MULTIADDR", action = clap::ArgAction::Append)]
    pub dial: Vec<String>,
    /// Neither announce this peer on the network nor look for others
    #[arg(long)]
    pub no_multicast: bool,
    /// Do not write down what rooms are given, in memory, for `parlor record`
    #[arg(long)]
    pub no_recorder: bool,
    /// Do not use mDNS for that, only Parlor's own hello
    #[arg(long)]
    pub no_mdns: bool,
    /// Do not use Parlor's own hello for that, only mDNS
    #[arg(long)]
    pub no_hello: bool,
    /// Do not meet others at relays, which are peers started with `serve --relay`
    #[arg(long)]
    pub no_relays: bool,
}

/// How a one-time command looks and how long it waits.
#[derive(Clone, Copy, Debug, Args)]
pub struct ReadArgs {
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// How long a peer started for this call looks for others, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = wait_seconds, help_heading = "Peer",
          allow_negative_numbers = true)]
    pub wait: f64,
}

/// Which part of a long list.
#[derive(Clone, Debug, Args)]
pub struct PageArgs {
    /// How many to list at most, 1 to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = whole::<1, 1000>)]
    pub limit: u32,
    /// Where to go on: the `nextCursor` of the page before
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

impl PageArgs {
    /// As the address of a call has it.
    pub fn query(self) -> Vec<(&'static str, String)> {
        let limit = ("limit", self.limit.to_string());
        std::iter::once(limit).chain(self.cursor.map(|cursor| ("cursor", cursor))).collect()
    }
}

/// Which room, and for whom.
#[derive(Clone, Debug, Args)]
pub struct RoomArgs {
    /// The room's name, 1 to 128 characters
    pub room: String,
    /// Act for this guest of the peer instead of the profile's own person
    #[arg(long = "as", value_name = "ID")]
    pub guest: Option<String>,
    /// What the guest is called
    #[arg(long = "as-name", value_name = "NAME", requires = "guest")]
    pub guest_name: Option<String>,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
    /// Where the HTTP API listens: loopback only, port 0 for any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub http: SocketAddr,
    /// The API's bearer token [default: a random one, written to api.json in the profile]
    #[arg(long, value_name = "TOKEN", env = "PARLOR_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Serve the user interface to a browser too, and print its address
    #[arg(long)]
    pub ui: bool,
    /// Where the built user interface is, also for browsers that a room is shared to
    #[arg(long, value_name = "DIR")]
    pub ui_dir: Option<PathBuf>,
    /// Be a relay: where peers meet that cannot reach each other, such as those of two networks that this computer is in
    #[arg(long)]
    pub relay: bool,
    /// Let `parlor lab` make faults on purpose and simulate people, for finding out what the network may do to rooms
    #[arg(long)]
    pub lab: bool,
    /// What you are called; kept in the profile
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Panic once the peer serves; in no build that is released
    #[cfg(debug_assertions)]
    #[arg(long, hide = true)]
    pub panic: bool,
}

/// Arguments of `rooms`.
#[derive(Debug, Args)]
pub struct RoomsArgs {
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
    /// The look.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Arguments of `ticket`.
#[derive(Debug, Args)]
pub struct TicketArgs {
    /// The room's name, 1 to 128 characters
    #[arg(required_unless_present = "read", conflicts_with = "read")]
    pub room: Option<String>,
    /// Say what this ticket or link is for instead
    #[arg(long, value_name = "TICKET")]
    pub read: Option<String>,
    /// Show it as a code to scan
    #[arg(long, conflicts_with_all = ["json", "read"])]
    pub qr: bool,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `forget`.
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// The room's name, 1 to 128 characters
    pub room: String,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The room's name, 1 to 128 characters
    pub room: String,
    /// Let nobody in, and tell nobody of it, without a ticket
    #[arg(long)]
    pub private: bool,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `join`.
#[derive(Debug, Args)]
pub struct JoinArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// The live state to begin with, such as '{"status":"online"}'
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub presence: Option<Map<String, Value>>,
    /// What stays while joined, such as '{"role":"scribe"}'
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub metadata: Option<Map<String, Value>>,
    /// A stable id of a device or client [default: your user id]
    #[arg(long, value_name = "ID")]
    pub member: Option<String>,
    /// A ticket of this room, needed once for a private one
    #[arg(long, value_name = "TICKET")]
    pub ticket: Option<String>,
    /// How long the membership outlives this command if it is killed, 5 to 3600 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = whole::<5, 3600>)]
    pub ttl: u32,
    /// Print the member's record as JSON, and nothing more
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `presence`.
#[derive(Debug, Args)]
pub struct PresenceArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// What to set, such as '{"status":"busy"}'; the rest stays
    #[arg(value_name = "JSON", value_parser = object)]
    pub presence: Option<Map<String, Value>>,
    /// Remove this key; may be given several times
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// Let a key of this call vanish after so many milliseconds; may be given several times
    #[arg(long, value_name = "KEY=MS", value_parser = expiry)]
    pub expire: Vec<(String, u64)>,
    /// Set exactly what is given; the rest goes
    #[arg(long)]
    pub replace: bool,
    /// Which of your members [default: the only one]
    #[arg(long, value_name = "ID")]
    pub member: Option<String>,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `leave`.
#[derive(Debug, Args)]
pub struct LeaveArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// Which of your members [default: the only one]
    #[arg(long, value_name = "ID")]
    pub member: Option<String>,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// How members are grouped.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Grouping {
    /// One row a member.
    Member,
    /// One row a session of a member.
    Session,
}

/// Arguments of `members`.
#[derive(Debug, Args)]
pub struct MembersArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// The page.
    #[command(flatten)]
    pub page: PageArgs,
    /// One row for each of these
    #[arg(long, value_enum, default_value = "member")]
    pub by: Grouping,
    /// Say of each whether they are heard, and when not, whose network it is
    #[arg(long)]
    pub evidence: bool,
    /// The look.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `metadata`.
#[derive(Debug, Args)]
pub struct MetadataArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// Set a key; the value is JSON, or else text as it stands; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, Value)>,
    /// Delete this key; may be given several times
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// Only if nobody wrote since: the version that `--json` shows
    #[arg(long, value_name = "VERSION")]
    pub if_version: Option<String>,
    /// The look.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// The output is always JSON; taken so that scripts may say so
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Only this room, and what is in none; all rooms unless given
    #[arg(value_name = "ROOM")]
    pub room: Option<String>,
    /// Only these, such as `frameIn,cell`; all unless given
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = crate::inspect::KINDS)]
    pub what: Vec<String>,
    /// Print all of it as lines of JSON, snapshots included
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// The room
    #[arg(value_name = "ROOM")]
    pub room: String,
    /// Where to; it must not be there yet. Recordings are called NAME.parlor-recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// With names and values as they are; else each is another of the same length
    #[arg(long)]
    pub with_values: bool,
    /// Print what was saved as JSON: `room`, `file`, `bytes`, `redacted`
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Another peer's recording of the same: where the two disagree first
    #[arg(value_name = "OTHER")]
    pub other: Option<PathBuf>,
    /// What was held after this step, and what it changed: a number, or the time since the beginning such as 1500ms or 12.5s
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with_all = ["until", "as_test", "other"])]
    pub at: Option<ReplayAt>,
    /// Only up to this step, or this time
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with_all = ["as_test", "other"])]
    pub until: Option<ReplayAt>,
    /// Print a test in Rust that plays it: it fails while a rule is broken, or when the state becomes another
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "recorded", conflicts_with_all = ["json", "other"])]
    pub as_test: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `peers`.
#[derive(Debug, Args)]
pub struct PeersArgs {
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
    /// The look.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Arguments of `dial`.
#[derive(Debug, Args)]
pub struct DialArgs {
    /// The address, such as /ip4/192.168.1.20/tcp/4747
    #[arg(value_name = "MULTIADDR")]
    pub addr: String,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `diagnostics`.
#[derive(Debug, Args)]
pub struct DiagnosticsArgs {
    /// Print the API's answer as it is, in one line
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `profile`.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// What you are called
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Your colour, such as '#286fe3'
    #[arg(long, value_name = "COLOR")]
    pub color: Option<String>,
    /// Light, dark, or as the system has it
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `new-identity`.
#[derive(Debug, Args)]
pub struct NewIdentityArgs {
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
