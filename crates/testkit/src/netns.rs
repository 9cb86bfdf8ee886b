//! A LAN made of Linux network namespaces.
//!
//! Every [`Host`] is a namespace with one Ethernet port (`eth0`) and a loopback of its own. [`Lan::new`] hangs all ports on
//! one bridge of the kernel, which has a namespace of its own too, so that nothing of it is seen by the machine, and no
//! multicast leaves it; that costs nothing and loses nothing. [`Lan::over_hub`] plugs them into a [`Hub`], which loses,
//! delays, doubles and divides as it is told. A host's cable can be cut and healed on both. [`Lan::plug`] puts a host into a
//! second LAN, which is [another network](Lan::elsewhere). Everything goes away when the
//! [`Lan`] is dropped, also by a panic; what a killed process left behind is swept up by the next one.
//!
//! It takes root and the `ip` program of iproute2; [`available`] says whether both are there.
//!
//! ```no_run
//! use std::net::{TcpListener, TcpStream};
//! use parlor_testkit::netns::Lan;
//!
//! let lan = Lan::new(2)?;
//! let [first, second] = lan.hosts() else { unreachable!() };
//!
//! // Code of this process on a host: sockets opened here belong to that host.
//! let listener = first.enter(|| TcpListener::bind((first.address(), 7000)))??;
//! second.enter(|| TcpStream::connect((first.address(), 7000)))??;
//!
//! // Another program on a host.
//! let listing = second.command("ip").args(["address", "show"]).output()?;
//! assert!(listing.status.success());
//!
//! lan.cut(1)?;
//! lan.heal(1)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fs::File;
use std::net::Ipv4Addr;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::hub::{Groups, Hub};

/// Every namespace made here is named `parlor-PID-NUMBER-…`, PID being its maker's.
const PREFIX: &str = "parlor-";
/// Where `ip netns` keeps its handles.
const HANDLES: &str = "/run/netns";
/// Hosts get the addresses 10.74.0.1 to .250, unless their LAN is elsewhere.
const MOST_HOSTS: usize = 250;
const NETWORK: u8 = 74;

/// Why a LAN cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Only root may make namespaces.
    #[error("network namespaces need root")]
    NotRoot,
    /// The `ip` program is missing or has no namespaces.
    #[error("network namespaces need the `ip` program: {0}")]
    NoIp(String),
    /// More hosts than addresses.
    #[error("a LAN has at most {MOST_HOSTS} hosts")]
    TooManyHosts,
    /// There is no such host.
    #[error("there is no host number {0}")]
    NoSuchHost(usize),
    /// `ip` or `nft` refused; nothing was changed by that command.
    #[error("`{command}` failed: {message}")]
    Refused {
        /// The arguments.
        command: String,
        /// What it wrote.
        message: String,
    },
    /// The system refused.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// Whether a LAN can be made here, and why not.
///
/// # Errors
///
/// [`Error::NotRoot`] or [`Error::NoIp`].
pub fn available() -> Result<(), Error> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    ip("netns list").map(drop).map_err(|error| Error::NoIp(error.to_string()))
}

/// Hosts that are joined by a bridge or a hub.
#[derive(Debug)]
pub struct Lan {
    name: String,
    network: u8,
    hosts: Vec<Host>,
    wires: Wires,
}

/// What the cables of the hosts end in.
#[derive(Debug)]
enum Wires {
    /// The namespace of the bridge.
    Bridge(String),
    Hub(Hub),
}

/// A host of a [`Lan`]: a network namespace with `eth0` and `lo`.
#[derive(Debug)]
pub struct Host {
    namespace: String,
    address: Ipv4Addr,
}

impl Lan {
    /// A LAN with that many hosts on a bridge, all linked.
    ///
    /// # Errors
    ///
    /// See [`Error`]; nothing is left behind.
    pub fn new(hosts: usize) -> Result<Self, Error> {
        let name = fresh_name()?;
        let bridge = format!("{name}-bridge");
        // Made before the first namespace, so that an error half way drops it and cleans up.
        let lan = Self { name, network: NETWORK, hosts: Vec::new(), wires: Wires::Bridge(bridge.clone()) };
        ip(&format!("netns add {bridge}"))?;
        ip(&format!("-n {bridge} link add br0 type bridge mcast_snooping 0"))?;
        ip(&format!("-n {bridge} link set br0 up"))?;
        lan.with_hosts(hosts)
    }

    /// A LAN with that many hosts in a hub, all linked, in fine weather. What the weather does later comes from the seed.
    ///
    /// # Errors
    ///
    /// See [`Error`]; nothing is left behind.
    pub fn over_hub(hosts: usize, seed: u64) -> Result<Self, Error> {
        Self::elsewhere(NETWORK, hosts, seed)
    }

    /// The same in the network 10.`network`.0.0/24, whose hosts have no way to those of another LAN.
    ///
    /// # Errors
    ///
    /// See [`Error`]; nothing is left behind.
    pub fn elsewhere(network: u8, hosts: usize, seed: u64) -> Result<Self, Error> {
        let name = fresh_name()?;
        Self { name, network, hosts: Vec::new(), wires: Wires::Hub(Hub::start(seed)?) }.with_hosts(hosts)
    }

    /// Puts a host of another LAN into this one too, as `eth1`, and says its address here. It passes nothing on from one
    /// to the other. At the hub it comes after all hosts, so none can be added later.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn plug(&self, host: &Host) -> Result<Ipv4Addr, Error> {
        let index = self.hosts.len();
        let last = u8::try_from(index + 1).ok().filter(|_| index < MOST_HOSTS).ok_or(Error::TooManyHosts)?;
        let (namespace, address) = (&host.namespace, Ipv4Addr::new(10, self.network, 0, last));
        match &self.wires {
            Wires::Bridge(bridge) => {
                ip(&format!("-n {bridge} link add port{index} type veth peer name eth1 netns {namespace}"))?;
                ip(&format!("-n {bridge} link set port{index} master br0 up"))?;
            }
            Wires::Hub(hub) => hub.add_port(host.enter(|| Hub::device("eth1", index))??),
        }
        host.pass_on(false)?;
        ip(&format!("-n {namespace} address add {address}/24 brd + dev eth1"))?;
        ip(&format!("-n {namespace} link set eth1 up"))?;
        Ok(address)
    }

    fn with_hosts(mut self, hosts: usize) -> Result<Self, Error> {
        for _ in 0..hosts {
            self.add_host()?;
        }
        Ok(self)
    }

    /// One more host, linked.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn add_host(&mut self) -> Result<&Host, Error> {
        let index = self.hosts.len();
        let last = u8::try_from(index + 1).ok().filter(|_| index < MOST_HOSTS).ok_or(Error::TooManyHosts)?;
        let namespace = format!("{}-{index}", self.name);
        ip(&format!("netns add {namespace}"))?;
        // In the list from here on, so that an error below removes it too.
        self.hosts.push(Host { namespace, address: Ipv4Addr::new(10, self.network, 0, last) });
        let host = self.host(index)?;
        let (namespace, address) = (&host.namespace, host.address);
        ip(&format!("-n {namespace} link set lo up"))?;
        match &self.wires {
            Wires::Bridge(bridge) => {
                ip(&format!("-n {bridge} link add port{index} type veth peer name eth0 netns {namespace}"))?;
                ip(&format!("-n {bridge} link set port{index} master br0 up"))?;
            }
            Wires::Hub(hub) => hub.add_port(host.enter(|| Hub::device("eth0", index))??),
        }
        ip(&format!("-n {namespace} address add {address}/24 brd + dev eth0"))?;
        ip(&format!("-n {namespace} link set eth0 up"))?;
        Ok(host)
    }

    /// The hub, when the hosts are joined by one.
    #[must_use]
    pub fn hub(&self) -> Option<&Hub> {
        match &self.wires {
            Wires::Bridge(_) => None,
            Wires::Hub(hub) => Some(hub),
        }
    }

    /// All hosts.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// One host.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchHost`].
    pub fn host(&self, index: usize) -> Result<&Host, Error> {
        self.hosts.get(index).ok_or(Error::NoSuchHost(index))
    }

    /// Pulls a host's cable: its `eth0` loses the carrier, and nothing passes.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn cut(&self, index: usize) -> Result<(), Error> {
        self.set_cable(index, false)
    }

    /// Puts a host's cable back.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn heal(&self, index: usize) -> Result<(), Error> {
        self.set_cable(index, true)
    }

    /// From now on multicast goes nowhere, as with switches and access points that are told to filter it. Unicast and
    /// broadcast pass.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn filter_multicast(&self) -> Result<(), Error> {
        match &self.wires {
            Wires::Bridge(bridge) => {
                for index in 0..self.hosts.len() {
                    ip(&format!("-n {bridge} link set port{index} type bridge_slave mcast_flood off"))?;
                }
            }
            Wires::Hub(hub) => hub.filter(Groups::Broadcast),
        }
        Ok(())
    }

    fn set_cable(&self, index: usize, plugged: bool) -> Result<(), Error> {
        let host = self.host(index)?;
        match &self.wires {
            Wires::Bridge(bridge) => {
                let state = if plugged { "up" } else { "down" };
                ip(&format!("-n {bridge} link set port{index} {state}"))?;
            }
            Wires::Hub(hub) => {
                // A frame that comes before the carrier is for nobody, and would be the first that passed.
                let carrier = |state: &str| ip(&format!("-n {} link set eth0 carrier {state}", host.namespace));
                if plugged {
                    carrier("on")?;
                    hub.restore(index);
                } else {
                    hub.silence(index);
                    carrier("off")?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for host in &self.hosts {
            remove(&host.namespace);
        }
        if let Wires::Bridge(bridge) = &self.wires {
            remove(bridge);
        }
    }
}

impl Host {
    /// The address of `eth0`.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The name that `ip netns` knows it by.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A command that runs on this host. Its process id is the program's own: `ip` replaces itself with it.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(program);
        command
    }

    /// Gives it another address in the same network, beside the one that it has.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn add_address(&self, address: Ipv4Addr) -> Result<(), Error> {
        ip(&format!("-n {} address add {address}/24 dev eth0", self.namespace)).map(drop)
    }

    /// Gives it another address in the same network instead of the one that it has, as a router does that forgot it.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn change_address(&self, address: Ipv4Addr) -> Result<(), Error> {
        ip(&format!("-n {} address flush dev eth0 scope global", self.namespace))?;
        ip(&format!("-n {} address add {address}/24 brd + dev eth0", self.namespace)).map(drop)
    }

    /// Whether it passes on what is for others, as a router does.
    ///
    /// # Errors
    ///
    /// [`Error::System`].
    pub fn pass_on(&self, passes: bool) -> Result<(), Error> {
        let setting = if passes { "1" } else { "0" };
        Ok(self.enter(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", setting))??)
    }

    /// Its way to the network of another LAN is over this router.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn route(&self, to: &Lan, over: Ipv4Addr) -> Result<(), Error> {
        ip(&format!("-n {} route add 10.{}.0.0/24 via {over}", self.namespace, to.network)).map(drop)
    }

    /// A firewall on this host with one rule for what comes in, as nftables writes it: `udp dport { 4757, 5353 } drop`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with what `nft` said.
    pub fn firewall(&self, rule: &str) -> Result<(), Error> {
        let rules = format!("table inet wall {{ chain input {{ type filter hook input priority 0; {rule}; }}; }}");
        let output = self.command("nft").arg(&rules).output()?;
        if output.status.success() {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Refused { command: rules, message })
    }

    /// Runs code of this process on this host, in a thread of its own. Sockets opened there, and threads started
    /// there, stay on this host wherever they go.
    ///
    /// # Errors
    ///
    /// [`Error::System`] when the host cannot be entered. A panic of `work` goes on in the caller.
    pub fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R, Error> {
        let handle = File::open(Path::new(HANDLES).join(&self.namespace))?;
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                setns(handle, CloneFlags::CLONE_NEWNET).map_err(std::io::Error::from)?;
                Ok(work())
            });
            inside.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}

/// A name that no other LAN has, after what is left of those whose makers are gone was removed.
fn fresh_name() -> Result<String, Error> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    available()?;
    sweep();
    Ok(format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Runs `ip` with words separated by blanks.
fn ip(words: &str) -> Result<String, Error> {
    let output = Command::new("ip").args(words.split(' ')).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Refused { command: format!("ip {words}"), message })
}

/// Ends whatever runs in a namespace and removes it. Nobody is there to hear of an error.
fn remove(namespace: &str) {
    let own = std::process::id();
    let inside = ip(&format!("netns pids {namespace}")).unwrap_or_default();
    for pid in inside.lines().filter_map(|line| line.trim().parse::<i32>().ok()) {
        if u32::try_from(pid) != Ok(own) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    let _ = ip(&format!("netns delete {namespace}"));
}

/// Removes the namespaces of makers that no longer live.
fn sweep() {
    for line in ip("netns list").unwrap_or_default().lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        let dead = maker
            .and_then(|pid| pid.parse::<u32>().ok())
            .is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
        if dead {
            remove(name);
        }
    }
}
