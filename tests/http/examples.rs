//! The examples in the OpenAPI document: a real peer is driven through every operation, and what it is asked and answers is
//! held against `crates/http/src/openapi/examples.json`, which the document shows. `cargo xtask gen` writes that file.
//!
//! Everything that is said here also has to fit the document's own schemas, so that those are proven by answers.

use std::path::{Path, PathBuf};

use parlor_testkit::sim::World;
use parlor_testkit::story::Story;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::fixture::{JSON, PATIENCE, Peer, answer, eventually};
use crate::inspect::Inspection;
use crate::recorder::{Ask, Recorder, TICKET};

fn component(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/http/src/openapi/examples.json")
}

#[tokio::test]
async fn every_operation_answers_as_the_document_shows() {
    let here = Peer::start_with(|config| config.lab = true, None).await;
    let there = Peer::start().await;
    there.post("/profile", json!({"name": "Merry Wren", "color": "#0d8367"})).await.ok();
    let mut recorder = Recorder::new(&here, &there).await;
    peer(&mut recorder, &there).await;
    members(&mut recorder, &there).await;
    shared(&mut recorder).await;
    rooms(&mut recorder).await;
    events(&mut recorder).await;
    endings(&mut recorder).await;
    recordings(&mut recorder).await;

    let taken = json!(recorder.taken);
    if std::env::var_os("PARLOR_WRITE_EXAMPLES").is_some() {
        std::fs::write(file(), format!("{taken:#}\n")).expect("written");
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(file()).expect("the file")).expect("JSON");
    for (operation, examples) in &recorder.taken {
        for (number, example) in examples.iter().enumerate() {
            let shown = &committed[operation][number];
            assert!(shown == example, "{operation}: the document shows {shown:#}, the peer says {example:#}");
        }
    }
    assert_eq!(taken, committed, "run `cargo xtask gen`");
    covers_all(&recorder);
}

/// The document is no example of itself, a socket answers no text, and a file is none either.
const ANSWERS_NO_EXAMPLE: [&str; 3] = ["openapi", "watch_socket", "recording"];

/// Each operation has an answer and a refusal, as far as it can have them.
fn covers_all(recorder: &Recorder<'_>) {
    let paths = recorder.document["paths"].as_object().expect("paths");
    for operation in paths.values().filter_map(Value::as_object).flat_map(Map::values) {
        let id = operation["operationId"].as_str().expect("an id");
        let statuses: Vec<u64> =
            recorder.taken.get(id).into_iter().flatten().filter_map(|one| one["status"].as_u64()).collect();
        assert!(statuses.contains(&200) || ANSWERS_NO_EXAMPLE.contains(&id), "{id} has no answer");
        assert!(statuses.iter().any(|status| *status >= 400), "{id} has no refusal");
    }
}

async fn peer(recorder: &mut Recorder<'_>, there: &Peer) {
    recorder.take(Ask::get("healthz", "/healthz", "up", "The server is up")).await;
    let bare = recorder.peer.http.get(recorder.peer.url("/healthz")).header("Host", "parlor.example");
    recorder.take_by(Ask::get("healthz", "/healthz", "elsewhere", "By a name that is not ours"), bare).await;

    let chosen = json!({"name": "Quiet Otter", "color": "#286fe3", "theme": "dark"});
    recorder.take(Ask::post("set_profile", "/profile", "name", "Name, colour and theme", chosen)).await;
    let red = json!({"color": "red"});
    recorder
        .take(Ask::post("set_profile", "/profile", "wrong_colour", "A colour that is none of the palette", red))
        .await;
    recorder.take(Ask::get("status", "/profile", "alone", "A peer that met nobody yet")).await;

    let found = json!({"addr": there.addr().await});
    recorder.take(Ask::post("dial", "/peers", "address", "A peer by its multiaddr", found)).await;
    let nonsense = json!({"addr": "the other room"});
    recorder.take(Ask::post("dial", "/peers", "no_address", "What is no address", nonsense)).await;

    // Nobody is there under this id, so the state stays as it is shown.
    let slow = json!({"delayMs": 120, "jitterMs": 40, "lossPercent": 2.5});
    let peers = json!({"12D3KooWBYhAKCFrjRcVdiudpmZeLRrW61ydXgQztKZAhpuV2AER": {"in": slow, "out": {"cut": true}}});
    let change = |name, summary, body| Ask::post("change_lab", "/lab", name, summary, body);
    let body = json!({"seed": 7, "peers": peers});
    recorder.take(change("faults", "One peer is heard late and not at all told anything", body)).await;
    recorder.take(Ask::get("lab", "/lab", "faults", "A lab with a fault")).await;
    recorder.take(change("clear", "As if nothing had been", json!({"clear": true}))).await;
    let body = json!({"all": {"in": {"delayMs": 10_001}}});
    recorder.take(change("too_long", "Longer than a frame may be held back", body)).await;

    for (operation, path) in [
        ("openapi", "/openapi.json"),
        ("metrics", "/metrics"),
        ("inspect", "/inspect"),
        ("recording", "/rooms/project_123/recording"),
        ("replay", "/rooms/project_123/replay"),
        ("rooms", "/rooms"),
        ("peers", "/peers"),
        ("diagnostics", "/diagnostics"),
        ("status", "/profile"),
        ("lab", "/lab"),
    ] {
        let bare = recorder.peer.http.get(recorder.peer.url(path));
        recorder.take_by(Ask::get(operation, path, "no_token", "Without the token"), bare).await;
    }
}

/// Recordings of a story that goes the same way each time: somebody joins, and somebody else names the room.
async fn recordings(recorder: &mut Recorder<'_>) {
    let story = Story::new("project_123")
        .hosts(2)
        .all_start()
        .then_after(500)
        .join(0)
        .join(1)
        .then_after(500)
        .metadata(1, "title")
        .until(3_000);
    let mut world = World::unwatched(&story, 0);
    world.record(parlor_core::RECORDED_BYTES);
    world.play_out();
    let files = world.running().map(|(_, replica)| {
        let tape = replica.tape().expect("a recorder");
        tape.recording("example").expect("a recording").write()
    });
    let [one, other] = files.collect::<Vec<_>>().try_into().expect("two recordings");
    let both = [&one[..], &other[..]].concat();
    let lineup = format!("/replay/lineup?first={}", one.len());
    for (operation, path, name, summary, file) in [
        ("replay_file", "/replay?from=2&limit=2", "two_steps", "Two steps, and what is held at the end", &one),
        ("replay_state", "/replay/state", "end", "What is held at the end", &one),
        ("replay_test", "/replay/test?name=the_title_is_there", "named", "A test of what was recorded", &one),
        ("replay_lineup", &lineup, "two", "What two peers of one room recorded", &both),
        ("replay_file", "/replay", "no_file", "What is no recording", &Vec::new()),
        ("replay_state", "/replay/state", "no_file", "What is no recording", &Vec::new()),
        ("replay_test", "/replay/test", "no_file", "What is no recording", &Vec::new()),
        ("replay_lineup", "/replay/lineup?first=0", "no_file", "What is no recording", &Vec::new()),
    ] {
        let request = recorder.peer.request(Method::POST, path).header("Content-Type", "application/octet-stream");
        let ask = Ask::new(operation, Method::POST, path, name, summary);
        recorder.take_by(ask, request.body(file.clone())).await;
    }
}

/// How a peer syncs: what it tells first to who looks on, and the first step of what it recorded.
async fn inspected(recorder: &mut Recorder<'_>) {
    let path = "/inspect?room=project_123";
    let mut inspection = Inspection::open(recorder.peer, "?room=project_123").await;
    let mut snapshot = inspection.next().await;
    // Every run has others.
    snapshot["counters"] = json!({"connection_opened": 1, "gossip_heard": 42, "sent": 8});
    snapshot["wallMs"] = json!(1_777_887_000_000_u64);
    let recorded = &mut snapshot["recorded"]["project_123"];
    recorded["bytes"] = json!(1_110);
    recorded["inputs"] = json!(24);
    recorded["spanMs"] = json!(655);
    let records = snapshot["rooms"]["project_123"]["records"].as_array_mut().expect("records");
    records.sort_by_key(|record| record["own"] != json!(true));
    records[1]["heardMs"] = json!(266);
    let text = format!("event: snapshot\ndata: {}\n\n", recorder.steady(snapshot));
    let ask = Ask::get("inspect", path, "snapshot", "The first event: two people in the room, and nothing shared yet");
    recorder.note(&ask, 200, "text/event-stream", &text.into());

    let path = "/rooms/project_123/replay?values=true&at=0&limit=1";
    let ask = Ask::get("replay", path, "joined", "The first step of a room, and what was held before it");
    let answer = answer(recorder.peer.request(Method::GET, path)).await;
    let mut body = answer.body;
    body["lengthMs"] = json!(655);
    body["total"] = json!(24);
    body["steps"][0]["ms"] = json!(4);
    recorder.note(&ask, answer.status, &answer.content_type, &body);
}

async fn members(recorder: &mut Recorder<'_>, there: &Peer) {
    let room = "/rooms/project_123";
    let early = Ask::post(
        "presence",
        "/rooms/project_456/presence",
        "not_joined",
        "Before join, or after leave",
        json!({"presence": {"status": "online"}}),
    );
    recorder.take(early).await;
    let join = |name, summary, body| Ask::post("join", "/rooms/project_123/join", name, summary, body);
    let body = json!({
        "presence": {"status": "online", "typing": false},
        "metadata": {"role": "incident_commander"},
        "presenceTtlSeconds": 120,
    });
    recorder.take(join("with_presence", "With presence and metadata from the first moment", body)).await;
    let body = json!({"memberId": "u_aaaaaaaaaaaaaaaa"});
    recorder.take(join("somebody_else", "As a member whose id belongs to another key", body)).await;

    let presence = |name, summary, body| Ask::post("presence", "/rooms/project_123/presence", name, summary, body);
    let body = json!({"presence": {"cursor": 128, "selection": {"from": 120, "to": 128}}});
    recorder.take(presence("cursor", "A cursor and a selection", body)).await;
    let body = json!({"presence": {"tool": "pen", "viewport": {"x": 120, "y": 80, "zoom": 1.25}}, "unset": ["cursor", "selection"]});
    recorder.take(presence("tool", "A tool and a viewport; what is unset goes", body)).await;

    there.post("/rooms/project_123/join", json!({"presence": {"status": "busy"}})).await.ok();
    let path = format!("{room}/members?limit=100");
    eventually("the other is seen", async || (recorder.peer.get(&path).await.ok()["total"] == 2).then_some(())).await;
    recorder.take(Ask::get("members", &path, "two", "Two members, one of them of this peer")).await;
    let path = format!("{room}/members?limit=0");
    recorder.take(Ask::get("members", &path, "wrong_limit", "limit=0")).await;

    eventually("the link is known", async || {
        let peers = recorder.peer.get("/peers").await.ok();
        (["rttMs", "clockAheadMs"].iter().all(|key| peers["peers"][0][key].is_number())
            && peers["peers"][0]["version"].is_string()
            && peers["peers"][0]["name"].is_string())
        .then_some(())
    })
    .await;
    recorder.take(Ask::get("peers", "/peers", "one", "One peer, in the same room")).await;

    let check = |name, summary, body| Ask::post("check_network", "/network/check", name, summary, body);
    let ask = check("loopback", "A peer that listens on this computer only, and one linked to it", json!({}));
    let answer = answer(recorder.peer.request(ask.method.clone(), &ask.path).json(&json!({}))).await;
    let mut body = answer.body;
    // Every computer has others, and a firewall or none.
    let loopback = |one: &Value| one["address"] == "127.0.0.1/8";
    body["interfaces"].as_array_mut().expect("interfaces").retain(loopback);
    body["firewalls"] = json!([]);
    recorder.note(&ask, answer.status, &answer.content_type, &body);
    recorder.take(check("with_a_field", "It takes none", json!({"deep": true}))).await;
    measured(recorder).await;
    diagnosed(recorder).await;
    inspected(recorder).await;
}

/// Some of the metrics: those of which this run is sure.
async fn measured(recorder: &mut Recorder<'_>) {
    let ask = Ask::get("metrics", "/metrics", "linked", "Some of them, at a peer that is linked to another");
    let answer = answer(recorder.peer.request(ask.method.clone(), &ask.path)).await;
    let (content_type, _) = answer.content_type.split_once(';').expect("a version");
    let shown = ["build", "own_members", "links", "shares", "members"];
    let text = answer.body.as_str().expect("a text").lines().filter(|line| {
        let name = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
        let name = name.split([' ', '{']).next().unwrap_or_default().trim_start_matches("parlor_");
        *line == "# EOF" || shown.contains(&name.trim_end_matches("_info"))
    });
    let text = text.map(|line| format!("{line}\n")).collect::<String>();
    recorder.note(&ask, answer.status, content_type, &text.into());
}

async fn diagnosed(recorder: &mut Recorder<'_>) {
    let ask = Ask::get("diagnostics", "/diagnostics", "linked", "A peer that is linked to another, in one room");
    let answer = answer(recorder.peer.request(ask.method.clone(), &ask.path)).await;
    let mut body = answer.body;
    body["peers"][0]["peer"] = json!("KxQyS3Bm");
    // Every run, and every computer, has others.
    for (field, like) in [
        ("system", json!("linux x86_64")),
        ("session", json!("TtLpXeRu")),
        ("counters", json!({"connection_opened": 1, "gossip_heard": 42, "sent": 8})),
    ] {
        assert!(!body[field].is_null(), "{field}");
        body[field] = like;
    }
    recorder.note(&ask, answer.status, &answer.content_type, &body);
}

async fn shared(recorder: &mut Recorder<'_>) {
    let room = "/rooms/project_123";
    let metadata = |name, summary, body| Ask::post("set_metadata", "/rooms/project_123/metadata", name, summary, body);
    let body = json!({"metadata": {"title": "Incident response", "mode": "war_room", "locked": false}});
    recorder.take(metadata("title", "What the room is about", body)).await;
    recorder
        .take(metadata("wrong_lock", "A lock that is neither true nor false", json!({"metadata": {"locked": "yes"}})))
        .await;
    let body = json!({"metadata": {"title": "All is well"}, "ifVersion": "earlier"});
    recorder.take(metadata("changed_since", "For a version that somebody wrote over", body)).await;
    recorder.take(Ask::get("metadata", &format!("{room}/metadata"), "title", "What the room is about")).await;

    let board = |name, summary, body| Ask::post("set_board", "/rooms/project_123/board", name, summary, body);
    let body =
        json!({"set": [{"id": "note_1", "x": 120.0, "y": 80.0, "text": "Call the provider"}], "remove": ["note_0"]});
    recorder.take(board("note", "A note to write and one to remove", body)).await;
    recorder.take(board("no_field", "A note of which nothing is set", json!({"set": [{"id": "note_1"}]}))).await;
    recorder.take(Ask::get("board", &format!("{room}/board"), "one", "One note")).await;

    let publish = |name, summary, body| Ask::post("publish", "/rooms/project_123/messages", name, summary, body);
    let body = json!({"type": "reaction", "data": {"emoji": "🎉"}});
    recorder.take(publish("reaction", "For those who are there", body)).await;
    let body =
        json!({"type": "chat", "data": {"text": "The power is back."}, "keep": true, "idempotencyKey": "power-1"});
    recorder.take(publish("kept", "Also for those who come later", body)).await;
    recorder.take(publish("no_type", "Of no type", json!({"data": {"text": "The power is back."}}))).await;
    let path = format!("{room}/messages");
    recorder.take(Ask::get("history", &format!("{path}?limit=100"), "one", "One message is kept")).await;
    recorder
        .take(Ask::get("history", &format!("{path}?cursor=abc"), "wrong_cursor", "A cursor that no page gave"))
        .await;

    let long = "x".repeat(129);
    for (operation, call) in
        [("metadata", "metadata"), ("board", "board"), ("access", "access"), ("watch_events", "events")]
    {
        let path = format!("/rooms/{long}/{call}");
        recorder.take(Ask::get(operation, &path, "long_name", "A room with a name of 129 characters")).await;
    }
}

async fn rooms(recorder: &mut Recorder<'_>) {
    let create = |name, summary, body| Ask::post("create_room", "/rooms", name, summary, body);
    recorder.take(create("private", "A private room", json!({"room": "war_room", "private": true}))).await;
    recorder.take(create("open", "An open room", json!({"room": "project_456"}))).await;
    recorder.take(create("step", "A name that means another place", json!({"room": ".."}))).await;
    recorder.take(Ask::get("rooms", "/rooms", "three", "One with people, two without")).await;

    recorder.peer.post("/rooms/war_room/join", json!({"presence": {"status": "online"}})).await.ok();
    recorder.take(Ask::get("access", "/rooms/war_room/access", "private", "A private room")).await;
    recorder.take(Ask::get("access", "/rooms/project_123/access", "open", "An open room")).await;
    let invite = |path, name, summary| Ask::post("ticket", path, name, summary, json!({}));
    recorder
        .take(invite("/rooms/war_room/ticket", "private", "Of a private room; the QR code is cut to a corner"))
        .await;
    recorder.take(invite("/rooms/%00/ticket", "control", "A room with a control character in its name")).await;
    let share = |name, summary, body| Ask::post("change_share", "/rooms/project_123/share", name, summary, body);
    recorder.take(share("on", "To browsers, at any free port", json!({"on": true, "port": 0, "minutes": 60}))).await;
    recorder.take(Ask::get("share", "/rooms/project_123/share", "on", "A room that is shared")).await;
    recorder.take(share("off", "No longer", json!({"on": false}))).await;
    recorder.take(Ask::get("share", "/rooms/project_456/share", "off", "A room that is not")).await;
    recorder.take(share("long", "For longer than a day", json!({"on": true, "minutes": 2_000}))).await;
    let ask = Ask::get("share", "/rooms/project_123/share", "guest", "A guest is told nothing of it");
    let guest = recorder.peer.request(Method::GET, "/rooms/project_123/share").header("Parlor-User", "browser-7");
    recorder.take_by(ask, guest).await;
    let read = |name, summary, ticket| Ask::post("read_ticket", "/tickets", name, summary, json!({"ticket": ticket}));
    recorder.take(read("private", "Of a private room", TICKET)).await;
    recorder.take(read("damaged", "A ticket with a character missing", &TICKET[..TICKET.len() - 1])).await;
    let change = |path, name, summary, body| Ask::post("change_access", path, name, summary, body);
    recorder.take(change("/rooms/war_room/access", "rekey", "A new key", json!({"rekey": true}))).await;
    let body = json!({"rekey": true});
    recorder.take(change("/rooms/project_123/access", "open", "An open room, which has no hosts", body)).await;
}

async fn events(recorder: &mut Recorder<'_>) {
    let path = "/rooms/project_456/events";
    let mut response = recorder.peer.request(Method::GET, path).send().await.expect("an answer");
    let (status, content_type) = (response.status().as_u16(), response.headers()["content-type"].clone());
    let mut text = String::new();
    while !text.ends_with("\n\n") {
        let chunk = tokio::time::timeout(PATIENCE, response.chunk()).await.expect("an event in time");
        text += std::str::from_utf8(&chunk.expect("an event").expect("an event")).expect("UTF-8");
    }
    let content_type = content_type.to_str().expect("a type").to_owned();
    let item = text.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    let item: Value = serde_json::from_str(item).expect("JSON");
    assert_eq!(recorder.misfits(&component("Item"), &item), [""; 0]);
    let (opening, _) = text.split_once("id: ").and_then(|(_, rest)| rest.split_once('-')).expect("an id");
    let text = text.replace(opening, "9d1f4c6be02a7358");
    recorder.note(
        &Ask::get("watch_events", path, "snapshot", "The first event of a room without members"),
        status,
        &content_type,
        &text.into(),
    );
    let path = "/rooms/project_123/ws";
    recorder.take(Ask::get("watch_socket", path, "no_socket", "A request that upgrades to nothing")).await;
}

async fn endings(recorder: &mut Recorder<'_>) {
    let presence = Ask::post(
        "presence",
        "/rooms/project_123/presence",
        "typing",
        "Typing, which vanishes everywhere after 5 s",
        json!({"presence": {"typing": true}, "expire": {"typing": 5000}}),
    );
    recorder.take(presence).await;
    let leave = |name, summary, body| Ask::post("leave", "/rooms/project_123/leave", name, summary, body);
    recorder.take(leave("empty_name", "A member without a name", json!({"memberId": ""}))).await;
    recorder.take(leave("joined", "The actor's only member here", json!({}))).await;
    recorder.take(leave("twice", "Once more", json!({}))).await;
    let forget = |path, name, summary| Ask::new("forget_room", Method::DELETE, path, name, summary);
    recorder.take(forget("/rooms/war_room", "known", "A room that was known")).await;
    recorder.take(forget("/rooms/%0A", "control", "A room with a control character in its name")).await;

    let renew = |name, summary| Ask::post("new_identity", "/profile/identity", name, summary, json!({}));
    let guest = recorder.peer.request(Method::POST, "/profile/identity").header("Parlor-User", "browser-7");
    recorder.take_by(renew("guest", "A guest has no profile"), guest).await;
    let ask = renew("new", "Somebody new, in a new session");
    let answer = answer(recorder.peer.request(ask.method.clone(), &ask.path).json(&json!({}))).await;
    let mut body = answer.body;
    // How soon the old neighbours are met again is not what is shown.
    body["links"] = 0.into();
    recorder.meet(recorder.peer, 2).await;
    recorder.note(&ask, answer.status, &answer.content_type, &body);
}

/// What proves the schemas has to be able to fail.
#[tokio::test]
async fn what_the_document_does_not_allow_does_not_fit() {
    let peer = Peer::start().await;
    let recorder = Recorder::new(&peer, &peer).await;
    let long = "x".repeat(129);
    let cases = [
        ("Join", json!({"presence": null})),
        ("Join", json!({"presense": {}})),
        ("Join", json!({"presence": {"__proto__": 1}})),
        ("Join", json!({"presence": {"a": {"": 1}}})),
        ("Join", json!({"memberId": long})),
        ("Join", json!({"presenceTtlSeconds": 4})),
        ("PresenceChange", json!({"mode": "overwrite"})),
        ("PresenceChange", json!({"presence": {"a": 1}, "expire": {"a": 99}})),
        ("MetadataChange", json!({"metadata": {"locked": 1}})),
        ("BoardChange", json!({"set": [{"id": "a"}]})),
        ("BoardChange", json!({"set": [{"id": "a", "x": null}]})),
        ("BoardChange", json!({"set": [{"id": "a", "w": 0}]})),
        ("Publish", json!({"data": 1})),
        ("Publish", json!({"type": "chat", "data": null})),
        ("Publish", json!({"type": "chat", "idempotencyKey": "a"})),
        ("CreateRoom", json!({"room": ".."})),
        ("CreateRoom", json!({"private": true})),
        ("ProfileChange", json!({"name": " "})),
        ("Dial", json!({})),
        ("Nothing", json!({"a": 1})),
        ("Timestamp", json!("2026-05-04 09:30")),
        (
            "Problem",
            json!({"title": "Not joined", "status": 409, "detail": "", "code": "NOT_THERE", "recoverable": true}),
        ),
    ];
    for (name, value) in cases {
        assert!(!recorder.misfits(&component(name), &value).is_empty(), "{name} takes {value}");
    }
}

#[tokio::test]
async fn a_peer_serves_the_committed_document() {
    let peer = Peer::start().await;
    let response = peer.request(Method::GET, "/openapi.json").send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &JSON.parse().expect("a value"))
    );
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed = std::fs::read_to_string(committed).expect("docs/openapi.json");
    assert!(response.text().await.expect("a text") == committed, "run `cargo xtask gen`");
}
