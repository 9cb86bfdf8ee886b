//! `parlor doctor` (report N53, report N54): networks in which something keeps people from meeting, and what it says of each.
//! Each time one host runs it alone, as a person does who misses somebody.

use serde_json::{Value, json};

use crate::party::Party;

/// What it found, and how it ended. Findings of the machine that runs the tests, such as a firewall of its own, are hints.
fn doctor(party: &Party, index: usize, flags: &[&str]) -> (Option<i32>, Value) {
    let (code, text) = party.says(index, &[&["doctor", "--json"], flags].concat());
    (code, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// The codes of what is no hint, the worst first.
fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.filter(|one| one["severity"] != "hint").map(|one| one["code"].as_str().expect("a code")).collect()
}

fn finding<'a>(report: &'a Value, code: &str) -> &'a Value {
    let mut findings = report["findings"].as_array().expect("findings").iter();
    findings.find(|one| one["code"] == code).unwrap_or_else(|| panic!("no {code}: {report:#}"))
}

fn eth0(report: &Value) -> &Value {
    let mut interfaces = report["interfaces"].as_array().expect("interfaces").iter();
    interfaces.find(|one| one["name"] == "eth0").unwrap_or_else(|| panic!("no eth0: {report:#}"))
}

pub fn finds_nothing_where_all_is_well() {
    let party = Party::new(2);
    let _there = party.member(0);
    let (code, report) = doctor(&party, 1, &[]);
    assert_eq!((code, codes(&report)), (Some(0), vec![]), "{report:#}");
    assert_eq!(eth0(&report)["multicast"], "heard");
    assert_eq!((&report["hello"]["byMulticast"], &report["hello"]["byBroadcast"]), (&json!(1), &json!(0)));
    assert_eq!(report["mdns"]["byMulticast"], 1);
    let peer = &report["peers"][0];
    assert_eq!((&peer["place"], &peer["link"]["transport"]), (&json!("network"), &json!("tcp")), "{report:#}");
    let reached: Vec<_> = peer["addresses"].as_array().expect("addresses").iter().map(|one| &one["reach"]).collect();
    assert_eq!(reached, ["open", "open"], "by TCP and by QUIC: {report:#}");
    let (code, text) = party.says(1, &["doctor"]);
    assert!(code == Some(0) && text.contains("comes back") && text.contains("this network"), "{text}");
}

/// The hello gets by with broadcast, which is what tells.
pub fn tells_filtered_multicast() {
    let party = Party::new(2);
    party.lan.filter_multicast().expect("a filter");
    let _there = party.member(0);
    let (code, report) = doctor(&party, 1, &[]);
    assert_eq!((code, codes(&report)), (Some(0), vec!["MULTICAST_FILTERED"]), "{report:#}");
    assert_eq!(eth0(&report)["multicast"], "heard", "here all is well");
    assert_eq!((&report["hello"]["byMulticast"], &report["hello"]["byBroadcast"]), (&json!(0), &json!(1)));
    assert!(report["peers"][0]["link"].is_object(), "and it is no reason not to meet: {report:#}");
}

pub fn tells_its_own_firewall() {
    let party = Party::new(1);
    party.lan.hosts()[0].firewall("udp dport 4757 drop").expect("a firewall");
    let (code, report) = doctor(&party, 0, &[]);
    assert_eq!((code, codes(&report)), (Some(1), vec!["MULTICAST_BLOCKED_HERE"]), "{report:#}");
    let finding = finding(&report, "MULTICAST_BLOCKED_HERE");
    assert_eq!(finding["about"], "eth0");
    assert_eq!(finding["ports"], json!({"tcp": [4747], "udp": [4747, 4757, 5353]}));
    assert_eq!(finding["fix"], "Let TCP port 4747 and UDP ports 4747, 4757, 5353 come in on this computer.");
}

pub fn tells_the_firewall_of_another() {
    let party = Party::new(2);
    party.lan.hosts()[0].firewall("tcp dport 4747 drop").expect("a firewall");
    let there = party.member(0);
    let (code, report) = doctor(&party, 1, &[]);
    assert_eq!((code, codes(&report)), (Some(0), vec!["TCP_BLOCKED"]), "QUIC does: {report:#}");
    let commands = &finding(&report, "TCP_BLOCKED")["rules"][0];
    assert_eq!(commands, &json!({"firewall": "ufw", "commands": ["sudo ufw allow 4747/tcp"]}));
    drop(there);

    let party = Party::new(2);
    for host in party.lan.hosts() {
        host.firewall("tcp dport 4747 drop; udp dport 4747 drop").expect("a firewall");
    }
    let _there = party.member(0);
    let (code, report) = doctor(&party, 1, &[]);
    assert_eq!((code, codes(&report)), (Some(1), vec!["PEER_BLOCKED"]), "{report:#}");
    let blocked = finding(&report, "PEER_BLOCKED");
    assert_eq!(blocked["about"], format!("/ip4/{}/tcp/4747", party.lan.hosts()[0].address()));
    assert_eq!(blocked["rules"][0]["commands"], json!(["sudo ufw allow 4747/tcp", "sudo ufw allow 4747/udp"]));
    let (code, text) = party.says(1, &["doctor"]);
    assert!(code == Some(1) && text.contains("PROBLEM: /ip4/") && text.contains("sudo ufw allow 4747/tcp"), "{text}");
}

pub fn guesses_that_guests_are_kept_apart() {
    let party = Party::over_hub(2);
    // As access points do with guests: each is alone.
    party.hub().partition(&[]);
    let _there = party.member(0);
    let address = format!("/ip4/{}/tcp/4747", party.lan.hosts()[0].address());
    let (code, report) = doctor(&party, 1, &["--dial", &address]);
    assert_eq!((code, codes(&report)), (Some(1), vec!["PEER_ABSENT", "GUEST_ISOLATION"]), "{report:#}");
    let (code, report) = doctor(&party, 1, &[]);
    assert_eq!((code, codes(&report)), (Some(0), vec![]), "nobody is known, so nobody is missed");
    assert!(finding(&report, "ALONE")["fix"].as_str().is_some_and(|fix| fix.contains("guests")), "{report:#}");
}
