//! What the desktop window may do: call the commands that its page calls, load its own files, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{OF_THE_WINDOW, PARTS_OF_WATCH, handled, operations, shell};

/// What the window may hear beside its commands: that it is to open another room.
const HEARS: [&str; 2] = ["core:event:allow-listen", "core:event:allow-unlisten"];

/// What only the inspector's window may call.
const LOOKS: [&str; 8] = [
    "inspect",
    "inspect_once",
    "recording",
    "save_recording",
    "replay",
    "replay_state",
    "replay_test",
    "replay_lineup",
];
/// And what else it may: to read, and to make faults of this peer's own network. Nothing changes what is in a room.
const INSPECTOR: [&str; 9] =
    ["rooms", "members", "unwatch", "ack", "peers", "lab", "change_lab", "status", "save_file"];

fn read(file: &str) -> String {
    std::fs::read_to_string(shell().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn json(file: &str) -> Value {
    serde_json::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A policy, rule by rule.
fn rules(policy: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rules = policy.split(';').map(|rule| {
        let mut words = rule.split_whitespace().map(str::to_owned);
        (words.next().expect("a rule"), words.collect())
    });
    rules.collect()
}

/// The rules that hold wherever the page is shown; only where it may connect to differs.
fn expected(connect: &[&str], more: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<String>> {
    let mut expected = rules(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; base-uri \
         'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html",
    );
    expected.insert("connect-src".into(), connect.iter().map(|&place| place.to_owned()).collect());
    expected.extend(more.iter().map(|(rule, words)| ((*rule).into(), BTreeSet::from([(*words).to_owned()]))));
    expected
}

#[test]
fn the_window_loads_its_own_files_and_reaches_its_own_process() {
    let config = json("tauri.conf.json");
    let security = &config["app"]["security"];
    let policy = security["csp"].as_str().expect("a policy");
    assert_eq!(rules(policy), expected(&["ipc:", "http://ipc.localhost"], &[]));
    assert_eq!(security["capabilities"], serde_json::json!(["main", "inspector"]));
    for loose in ["dangerousDisableAssetCspModification", "assetProtocol", "devCsp", "freezePrototype"] {
        assert!(security.get(loose).is_none(), "{loose}");
    }
    assert_eq!(config["app"]["withGlobalTauri"], false);
    assert_eq!(config["build"]["frontendDist"], "../ui/dist");
    assert!(config["build"].get("devUrl").is_none(), "no page from a server");
    // The system is told which links are ours; the page is not given a plugin for it.
    let plugins = config["plugins"].as_object().cloned().unwrap_or_default();
    for (name, settings) in plugins {
        assert_eq!((name.as_str(), &settings["desktop"]["schemes"]), ("deep-link", &serde_json::json!(["parlor"])));
    }
}

/// The pages that a peer serves have the same rules, and those of the preview, which shows what breaks them.
#[test]
fn a_browser_has_the_same_rules_as_the_window() {
    let source = read("../crates/http/src/ui.rs");
    let (_, rest) = source.split_once("const POLICY: &str = \"").expect("POLICY in ui.rs");
    let (text, _) = rest.split_once("\";").expect("the end of POLICY");
    // A line that ends in a backslash goes on with the first word of the next.
    let policy: String = text.split("\\\n").map(str::trim_start).collect();
    assert_eq!(rules(&policy), expected(&["'self'"], &[("frame-ancestors", "'none'")]));

    let config = read("../ui/vite.config.ts");
    let (_, rest) = config.split_once("const contentSecurityPolicy = [").expect("the policy of the preview");
    let (list, _) = rest.split_once(']').expect("its end");
    let preview: Vec<&str> =
        list.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\",")).collect();
    assert_eq!(rules(&preview.join("; ")), expected(&["'self'"], &[]));
}

#[test]
fn the_page_may_call_what_is_registered_and_calls_all_of_it() {
    let source = read("src/commands.rs");
    let registered: BTreeSet<String> = handled(&source).into_iter().map(str::to_owned).collect();

    let files: Vec<_> = std::fs::read_dir(shell().join("capabilities")).expect("capabilities").collect();
    assert_eq!(files.len(), 2, "one capability for each of two windows");
    let of_looking = |command: &String| LOOKS.contains(&command.as_str());
    let mut main: BTreeSet<String> =
        registered.iter().filter(|one| !of_looking(one)).map(|one| permission(one)).collect();
    main.extend(HEARS.map(str::to_owned));
    assert_eq!(permissions("main"), main);
    assert_eq!(permissions("inspector"), INSPECTOR.into_iter().chain(LOOKS).map(permission).collect());

    let page = read("../ui/client/src/tauri.ts");
    assert_eq!(called(&page), registered, "the commands that the page calls");
    let expected: BTreeSet<String> =
        operations().into_iter().chain(PARTS_OF_WATCH).chain(OF_THE_WINDOW).map(str::to_owned).collect();
    assert_eq!(registered, expected);
}

/// macOS lets a program into the local network only if it says what for, and which services it looks for.
#[test]
fn macos_is_told_why_the_local_network_is_needed_and_which_links_are_ours() {
    let plist = read("Info.plist").split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, why) = plist.split_once("<key>NSLocalNetworkUsageDescription</key> <string>").expect("a reason");
    assert!(why.split_once("</string>").is_some_and(|(reason, _)| !reason.is_empty()));
    assert!(plist.contains("<key>NSBonjourServices</key> <array> <string>_p2p._udp</string> </array>"), "{plist}");
    // Whoever makes a bundle takes the links from here.
    assert_eq!(json("tauri.conf.json")["plugins"]["deep-link"]["desktop"]["schemes"], serde_json::json!(["parlor"]));
}

/// What a window may call, which has it from the one capability of its name.
fn permissions(window: &str) -> BTreeSet<String> {
    let capability = json(&format!("capabilities/{window}.json"));
    assert_eq!(capability["windows"], serde_json::json!([window]));
    for wider in ["remote", "webviews", "platforms"] {
        assert!(capability.get(wider).is_none(), "{window}: {wider}");
    }
    let permissions = capability["permissions"].as_array().expect("permissions");
    permissions.iter().map(|one| one.as_str().expect("a name, no scope").to_owned()).collect()
}

fn permission(command: &str) -> String {
    format!("allow-{}", command.replace('_', "-"))
}

/// The commands in `call('…')` and `feed('…')`, with or without a type, of the page's way to its process.
fn called(source: &str) -> BTreeSet<String> {
    let ways = ["call", "feed"].into_iter().flat_map(|way| source.split(way).skip(1));
    let calls = ways.filter_map(|rest| {
        let rest = match rest.strip_prefix('<') {
            Some(generic) => generic.split_once('>')?.1,
            None => rest,
        };
        Some(rest.strip_prefix("('")?.split_once('\'')?.0.to_owned())
    });
    calls.collect()
}

#[test]
fn only_one_file_of_the_page_reaches_its_process() {
    let folders = ["../ui/src", "../ui/client/src"].map(|folder| shell().join(folder));
    let mut open = folders.to_vec();
    let mut reaching = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("sources") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            // Its own test stands in for the process.
            let is_test = name == "tauri.test.ts";
            if !is_test && std::fs::read_to_string(&path).is_ok_and(|text| text.contains("@tauri-apps/")) {
                reaching.push(name.to_owned());
            }
        }
    }
    assert_eq!(reaching, ["tauri.ts"]);
}
