//! How a peer is started. One struct, every default said here; nothing is read from the environment.

use std::path::PathBuf;

/// What [`Live::start`](crate::Live::start) needs to know. Write what differs and take the rest from the default:
///
/// ```
/// let config = parlor::Config { profile: "second".into(), ..parlor::Config::default() };
/// assert!(config.multicast && config.listen.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Which profile: 1 to 64 letters, digits, `.`, `_` or `-`, not starting with `.`. Default `default`.
    pub profile: String,
    /// Where profiles live, as `profiles/NAME` below it. Default: the platform's folder for application data, such as
    /// `~/.local/share/parlor` on Linux.
    pub data_dir: PathBuf,
    /// Multiaddrs to listen on, such as `/ip4/127.0.0.1/tcp/0`. Default: none, which means every interface, TCP and UDP
    /// port 4747 or the next free of nine (design A11).
    pub listen: Vec<String>,
    /// Multiaddrs to dial at the start and to go on dialling. Default: none.
    pub dial: Vec<String>,
    /// Whether to announce this peer on the network and look for others there, by the two ways below (design N7). Default
    /// `true`. Other profiles of the same data directory are found either way.
    pub multicast: bool,
    /// Whether to do so by mDNS, on UDP port 5353. Default `true`.
    pub mdns: bool,
    /// Whether to do so by Parlor's own question, multicast and broadcast on UDP port 4757, which passes where mDNS is
    /// filtered. Default `true`.
    pub hello: bool,
    /// Whether to be met at relays, and to meet others there who cannot be reached otherwise: at every peer that is one and
    /// that this peer is connected to. Default `true`.
    pub relays: bool,
    /// Whether this peer is a relay: where others meet that cannot reach each other, such as those of two networks that
    /// this computer is in. It uses no relays itself. Default `false`.
    pub relay: bool,
    /// The person's name, saved in the profile as if they had set it. Default: what the profile holds, and for a new one
    /// a friendly proposal.
    pub name: Option<String>,
    /// Whether each open room writes down what its replica is given, the newest ten minutes of it, for
    /// [`Room::recording`](crate::Room::recording): in memory, at most 8 MiB a room. Default `true`.
    pub recorder: bool,
    /// Whether faults and people can be made on purpose with [`Live::lab`](crate::Live::lab), for tests and for who builds on
    /// Parlor. Default `false`.
    pub lab: bool,
}

impl Default for Config {
    fn default() -> Self {
        // Without a home directory there is no platform folder; the working directory is what is left.
        let data_dir = directories::ProjectDirs::from("", "", "parlor")
            .map_or_else(|| PathBuf::from("parlor-data"), |dirs| dirs.data_dir().to_path_buf());
        Self {
            profile: "default".into(),
            data_dir,
            listen: Vec::new(),
            dial: Vec::new(),
            multicast: true,
            mdns: true,
            hello: true,
            relays: true,
            relay: false,
            name: None,
            recorder: true,
            lab: false,
        }
    }
}
