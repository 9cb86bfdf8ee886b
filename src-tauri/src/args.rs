//! The command line of the desktop app (design A11).

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use parlor_core::RoomId;

/// Live rooms on your local network, with no server, no account and no internet.
#[derive(Clone, Debug, Parser)]
#[command(name = "parlor-desktop", version)]
pub struct Args {
    /// Which profile to open: one person's identity, settings and rooms
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub profile: String,

    /// Where profiles live
    #[arg(long, value_name = "DIR", env = "PARLOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// Listen here; may be given several times [default: every interface, port 4747 or the next free one]
    #[arg(long, value_name = "MULTIADDR", action = clap::ArgAction::Append)]
    pub listen: Vec<String>,

    /// Connect to this peer at the start; may be given several times
    #[arg(long, value_name = "MULTIADDR", action = clap::ArgAction::Append)]
    pub dial: Vec<String>,

    /// Neither announce this peer on the network nor look for others
    #[arg(long)]
    pub no_multicast: bool,

    /// Do not use mDNS for that, only Parlor's own hello
    #[arg(long)]
    pub no_mdns: bool,

    /// Do not use Parlor's own hello for that, only mDNS
    #[arg(long)]
    pub no_hello: bool,

    /// Do not meet others at relays, which are peers started with `parlor serve --relay`
    #[arg(long)]
    pub no_relays: bool,

    /// Let faults be made on purpose, and people be simulated, for finding out what the network may do to rooms
    #[arg(long)]
    pub lab: bool,

    /// Draw without the graphics card, for a window that stays blank
    #[arg(long)]
    pub software_rendering: bool,

    /// Show a menu bar; on macOS there always is one
    #[arg(long)]
    pub menu_bar: bool,

    /// Open this room at once
    #[arg(long, value_name = "ROOM", value_parser = room)]
    pub room: Option<RoomId>,

    /// A ticket, or the link of one, as the system passes on a `parlor://join/…` that was clicked: the window asks before
    /// it is used
    #[arg(value_name = "LINK", value_parser = ticket, conflicts_with = "room")]
    pub link: Option<String>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What is done without a window.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Write the manual page, for who makes packages
    #[command(hide = true)]
    Docs {
        /// Where to: man/ is made there
        dir: PathBuf,
    },
}

impl Command {
    /// Does it.
    pub fn run(&self) -> std::io::Result<()> {
        let Self::Docs { dir } = self;
        let folder = dir.join("man");
        std::fs::create_dir_all(&folder)?;
        clap_mangen::Man::new(Args::command()).render(&mut std::fs::File::create(folder.join("parlor-desktop.1"))?)
    }
}

/// The first link of a ticket among what the system asks the app to open.
#[cfg(any(target_os = "macos", test))]
pub fn link_among<'a>(urls: impl IntoIterator<Item = &'a str>) -> Option<String> {
    urls.into_iter().find_map(|url| ticket(url).ok())
}

impl Args {
    /// What the window is to open: a room, or a ticket that it asks about.
    pub fn open(&self) -> Option<&str> {
        self.room.as_ref().map(RoomId::as_str).or(self.link.as_deref())
    }

    /// How the peer of this window starts.
    pub fn config(&self) -> parlor::Config {
        let defaults = parlor::Config::default();
        parlor::Config {
            profile: self.profile.clone(),
            data_dir: self.data_dir.clone().unwrap_or(defaults.data_dir.clone()),
            listen: self.listen.clone(),
            dial: self.dial.clone(),
            multicast: !self.no_multicast,
            mdns: !self.no_mdns,
            hello: !self.no_hello,
            relays: !self.no_relays,
            lab: self.lab,
            ..defaults
        }
    }
}

fn room(text: &str) -> Result<RoomId, String> {
    RoomId::new(text).map_err(|error| error.to_string())
}

/// A ticket as it was given. What it says is for the window to show.
fn ticket(text: &str) -> Result<String, String> {
    parlor::Ticket::parse(text).map(|_| text.trim().to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_the_configuration_of_the_peer() {
        let line = "parlor-desktop --profile b --data-dir /d --no-multicast --listen /ip4/127.0.0.1/tcp/0 --room war";
        let args = Args::try_parse_from(line.split(' ')).unwrap();
        let config = args.config();
        assert_eq!((config.profile.as_str(), config.multicast, config.lab), ("b", false, false));
        assert_eq!(config.data_dir, PathBuf::from("/d"));
        assert_eq!(config.listen, ["/ip4/127.0.0.1/tcp/0"]);
        assert_eq!(args.room.unwrap().as_str(), "war");
        assert!(Args::try_parse_from(["parlor-desktop", "--lab"]).unwrap().config().lab);
    }

    #[test]
    fn a_link_is_opened_and_a_damaged_one_is_wrong_use() {
        let link = "parlor://join/aacgqylmnq2qs7iwz6oth4r7zhsab5dpaunh5b6aqjbpq6ax2f7ep5jpjingaaabdaxws4buf4ytenzogaxdalrrf52gg4bpgq2damzz4fwipoi";
        let args = Args::try_parse_from(["parlor-desktop", link]).unwrap();
        assert_eq!(args.open(), Some(link));
        let addresses =
            ["--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/1", "--dial", "192.168.1.20"];
        let args = Args::try_parse_from(["parlor-desktop"].iter().chain(&addresses).chain(&[link])).unwrap();
        assert_eq!((args.listen.len(), args.dial.len(), args.open()), (2, 1, Some(link)), "a link is no address");
        let error = Args::try_parse_from(["parlor-desktop", &link[..link.len() - 1]]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("damaged"), "{error}");
        assert!(Args::try_parse_from(["parlor-desktop", "https://example.org"]).is_err());
        let opened = ["file:///tmp/a.txt", &link[..link.len() - 1], link, "parlor://join/other"];
        assert_eq!(link_among(opened).as_deref(), Some(link));
        assert_eq!(link_among(["https://example.org"]), None);
        let args = Args::try_parse_from(["parlor-desktop", "--room", "war"]).unwrap();
        assert_eq!(args.open(), Some("war"));
    }

    #[test]
    fn a_room_that_cannot_be_one_is_wrong_use() {
        for (room, words) in [("", "1 to 128 characters"), ("..", "another place in an address")] {
            let error = Args::try_parse_from(["parlor-desktop", "--room", room]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
