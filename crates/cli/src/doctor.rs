//! `doctor`: what keeps people from meeting, and what to do about it.

use clap::Args;
use parlor::{
    DiscoveryCheck, DiscoveryState, Echo, Finding, Firewall, Ignored, NetworkReport, NetworkState, PeerCheck, Place,
    Reach, Severity,
};
use serde_json::json;

use crate::args::PeerArgs;
use crate::calls::{Done, show, with_peer};
use crate::client::Answer;
use crate::failure::Failure;
use crate::output::harmless;
use crate::text::{Text, count, table};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 no problem, 1 a problem was found or the check failed, 2 wrong use.")]
pub struct DoctorArgs {
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

pub(crate) async fn doctor(args: DoctorArgs) -> Done {
    let path = ["network", "check"];
    let answer = with_peer(&args.peer, None, async |peer| {
        peer.progress.says("checking the network, which takes up to 8 s");
        peer.client.post(&path, &json!({})).await
    });
    let answer = answer.await?;
    show(&answer, args.json, text)?;
    match u32::try_from(answer.read::<NetworkReport>()?.problems()).unwrap_or(u32::MAX) {
        0 => Ok(()),
        problems => Err(Failure::Failed(format!("found {}", count(problems, "problem")))),
    }
}

/// What was seen, and below it, where people look, what follows.
fn text(answer: &Answer) -> Text {
    let report: NetworkReport = answer.read()?;
    let seen = &report.seen;
    let interfaces = seen.interfaces.iter().map(|one| {
        let used = one.ignored.map_or("yes", ignored);
        vec![one.name.clone(), one.address.clone(), used.to_owned(), one.multicast.map_or("", echo).to_owned()]
    });
    let mut parts = vec![table(&["INTERFACE", "ADDRESS", "USED", "MULTICAST"], interfaces)];
    let ways = [("mDNS", &seen.mdns), ("hello", &seen.hello)].map(|(name, way)| vec![name.to_owned(), discovery(way)]);
    let listen = seen.listen.iter().map(|address| vec!["listens".to_owned(), address.clone()]);
    parts.push(table(&["NETWORK", network(seen.network)], ways.into_iter().chain(listen)));
    if !seen.peers.is_empty() {
        parts.push(table(&["PEER", "PLACE", "FOUND", "LINK", "CLOCK", "TRIED"], seen.peers.iter().map(peer)));
    }
    if report.findings.is_empty() {
        parts.push("Nothing is wrong.".into());
    }
    parts.extend(report.findings.iter().map(finding));
    Ok(parts.join("\n\n"))
}

fn finding(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Problem => "PROBLEM",
        Severity::Warning => "Warning",
        Severity::Hint => "Hint",
    };
    let mut text = format!("{severity}: {}\n  {}", finding.what, finding.fix);
    for rule in &finding.rules {
        let firewall = match rule.firewall {
            Firewall::Ufw => "With ufw",
            Firewall::Firewalld => "With firewalld",
            Firewall::Windows => "On Windows, in PowerShell as administrator",
        };
        text += &format!("\n  {firewall}:\n    {}", rule.commands.join("\n    "));
    }
    harmless(&text)
}

fn peer(peer: &PeerCheck) -> Vec<String> {
    let link = peer.link.as_ref();
    let address = || peer.addresses.first().map(|one| one.address.clone());
    let place = match peer.place {
        Place::Here => "this computer",
        Place::Network => "this network",
        Place::Beyond => "elsewhere",
    };
    let rtt = |link: &parlor::PeerInfo| link.rtt_ms.map(|ms| format!(" {ms:.1} ms")).unwrap_or_default();
    let tried = peer.addresses.iter().map(|one| format!("{} {}", one.address, reach(one.reach)));
    vec![
        link.and_then(|link| link.name.clone()).or_else(address).unwrap_or_default(),
        place.to_owned(),
        peer.source.clone(),
        link.map_or("none".into(), |link| format!("{}{}", link.transport, rtt(link))),
        link.and_then(|link| link.clock_ahead_ms).map(|ms| format!("{ms:+} ms")).unwrap_or_default(),
        tried.collect::<Vec<_>>().join(", "),
    ]
}

fn discovery(way: &DiscoveryCheck) -> String {
    let DiscoveryCheck { state, by_multicast, by_broadcast, last_ms_ago } = *way;
    let last = last_ms_ago.map(|ms| format!(", the last {} s ago", ms / 1_000)).unwrap_or_default();
    match state {
        DiscoveryState::Off => "switched off".into(),
        DiscoveryState::Unavailable => "the system does not give it".into(),
        DiscoveryState::On if by_broadcast > 0 => {
            format!("heard {by_multicast} by multicast, {by_broadcast} by broadcast{last}")
        }
        DiscoveryState::On => format!("heard {by_multicast}{last}"),
    }
}

fn network(state: NetworkState) -> &'static str {
    match state {
        NetworkState::Online => "online",
        NetworkState::Loopback => "this computer only",
        NetworkState::Offline => "none",
    }
}

fn ignored(why: Ignored) -> &'static str {
    match why {
        Ignored::Loopback => "no: this computer only",
        Ignored::Down => "no: it is down",
        Ignored::Virtual => "no: for containers, or a VPN",
        Ignored::LinkLocal => "no: made up, and there are better",
    }
}

fn echo(echo: Echo) -> &'static str {
    match echo {
        Echo::Heard => "comes back",
        Echo::Silent => "does not come back",
        Echo::Refused => "is not sent",
    }
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Open => "open",
        Reach::Refused => "refused",
        Reach::Unreachable => "unreachable",
        Reach::Silent => "no answer",
    }
}
