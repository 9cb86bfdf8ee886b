//! Firewalls: which of them are on, and what lets Parlor through.

use std::path::Path;

use super::{Firewall, FirewallRule, Ports};

/// All that there are commands for.
pub(super) const ALL: [Firewall; 3] = [Firewall::Ufw, Firewall::Firewalld, Firewall::Windows];

/// What is looked at on a computer; a test has one of its own.
pub(super) trait Machine {
    /// Whether it runs Windows.
    fn windows(&self) -> bool;
    /// The text of a file that anybody may read.
    fn read(&self, path: &str) -> Option<String>;
    /// Whether there is such a file or folder.
    fn has(&self, path: &str) -> bool;
}

/// The one that this runs on.
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn windows(&self) -> bool {
        cfg!(windows)
    }

    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    fn has(&self, path: &str) -> bool {
        Path::new(path).exists()
    }
}

/// The firewalls that are on. Their rules only an administrator may read.
pub(super) fn on(machine: &impl Machine) -> Vec<Firewall> {
    let ufw = || machine.read("/etc/ufw/ufw.conf").is_some_and(|text| text.lines().any(is_enabled));
    // A service that runs has a control group of its own, in one of two places; without systemd it has a file.
    let firewalld = [
        "/sys/fs/cgroup/system.slice/firewalld.service",
        "/sys/fs/cgroup/systemd/system.slice/firewalld.service",
        "/run/firewalld.pid",
    ];
    let is_on = |firewall: &Firewall| match firewall {
        Firewall::Ufw => ufw(),
        Firewall::Firewalld => firewalld.iter().any(|path| machine.has(path)),
        Firewall::Windows => machine.windows(),
    };
    ALL.into_iter().filter(is_on).collect()
}

fn is_enabled(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, value)| key.trim() == "ENABLED" && value.trim().eq_ignore_ascii_case("yes"))
}

impl Ports {
    /// `TCP port 4747 and UDP ports 4747, 4757`, for a sentence.
    pub(super) fn words(&self) -> String {
        let of = |name: &str, ports: &[u16]| match ports {
            [] => None,
            [port] => Some(format!("{name} port {port}")),
            many => Some(format!("{name} ports {}", list(many))),
        };
        [of("TCP", &self.tcp), of("UDP", &self.udp)].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }

    fn each(&self) -> impl Iterator<Item = (&'static str, u16)> {
        let of = |name: &'static str, ports: &[u16]| ports.iter().map(|port| (name, *port)).collect::<Vec<_>>();
        of("tcp", &self.tcp).into_iter().chain(of("udp", &self.udp))
    }
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// What to type to open them.
pub(super) fn rules(firewalls: &[Firewall], ports: &Ports) -> Vec<FirewallRule> {
    let rule = |firewall: &Firewall| FirewallRule { firewall: *firewall, commands: commands(*firewall, ports) };
    firewalls.iter().map(rule).collect()
}

fn commands(firewall: Firewall, ports: &Ports) -> Vec<String> {
    match firewall {
        Firewall::Ufw => ports.each().map(|(name, port)| format!("sudo ufw allow {port}/{name}")).collect(),
        Firewall::Firewalld => {
            let opened: String = ports.each().map(|(name, port)| format!(" --add-port={port}/{name}")).collect();
            vec![format!("sudo firewall-cmd --permanent{opened}"), "sudo firewall-cmd --reload".into()]
        }
        Firewall::Windows => {
            let of = |name: &str, ports: &[u16]| {
                let open = "New-NetFirewallRule -DisplayName Parlor -Direction Inbound -Action Allow -Profile Private";
                (!ports.is_empty()).then(|| format!("{open} -Protocol {name} -LocalPort {}", list(ports)))
            };
            [of("TCP", &ports.tcp), of("UDP", &ports.udp)].into_iter().flatten().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Fake {
        windows: bool,
        ufw: Option<&'static str>,
        path: Option<&'static str>,
    }

    impl Machine for Fake {
        fn windows(&self) -> bool {
            self.windows
        }

        fn read(&self, path: &str) -> Option<String> {
            self.ufw.filter(|_| path == "/etc/ufw/ufw.conf").map(str::to_owned)
        }

        fn has(&self, path: &str) -> bool {
            self.path == Some(path)
        }
    }

    #[test]
    fn a_firewall_is_seen_when_it_is_on() {
        let ufw = |text| on(&Fake { ufw: Some(text), ..Fake::default() });
        assert_eq!(ufw("# on at boot\nENABLED=yes\nLOGLEVEL=low\n"), [Firewall::Ufw]);
        assert_eq!(ufw("#ENABLED=yes\nENABLED=no\n"), []);
        let path = |path| on(&Fake { path: Some(path), ..Fake::default() });
        assert_eq!(path("/sys/fs/cgroup/system.slice/firewalld.service"), [Firewall::Firewalld]);
        assert_eq!(path("/usr/sbin/firewalld"), [], "it is installed, and does not run");
        assert_eq!(on(&Fake { windows: true, ..Fake::default() }), [Firewall::Windows]);
    }

    #[test]
    fn the_commands_open_these_ports_and_no_others() {
        let ports = Ports { tcp: vec![4747], udp: vec![4747, 4757] };
        let all: Vec<String> = rules(&ALL, &ports).into_iter().flat_map(|rule| rule.commands).collect();
        let windows = "New-NetFirewallRule -DisplayName Parlor -Direction Inbound -Action Allow -Profile Private";
        assert_eq!(
            all,
            [
                "sudo ufw allow 4747/tcp",
                "sudo ufw allow 4747/udp",
                "sudo ufw allow 4757/udp",
                "sudo firewall-cmd --permanent --add-port=4747/tcp --add-port=4747/udp --add-port=4757/udp",
                "sudo firewall-cmd --reload",
                &format!("{windows} -Protocol TCP -LocalPort 4747"),
                &format!("{windows} -Protocol UDP -LocalPort 4747, 4757"),
            ]
        );
        assert_eq!(ports.words(), "TCP port 4747 and UDP ports 4747, 4757");
        assert_eq!(Ports { tcp: vec![4748], udp: vec![] }.words(), "TCP port 4748");
    }
}
