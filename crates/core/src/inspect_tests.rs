use serde_json::{Value, json};

use super::*;
use crate::cell::CellKey;
use crate::fixture::{FakeSigner, Table, session};
use crate::input::Input;
use crate::replica::room_root;
use crate::wire::Frame;
use crate::{DownCause, Join, MetadataChange, Output, RoomId};

/// Everybody of the table is looked at.
fn looked_at(count: u8) -> Table {
    let mut table = Table::joined(count);
    table.seats.iter_mut().for_each(|seat| seat.replica.inspect(true));
    table
}

/// What a seat noted since, as JSON, of these kinds.
fn noted(table: &mut Table, at: usize, kinds: &[&str]) -> Vec<Value> {
    let noted = table.seats[at].replica.take_observations();
    let noted = noted.iter().map(|observation| serde_json::to_value(observation).unwrap());
    noted.filter(|observation| kinds.contains(&observation["what"].as_str().unwrap())).collect()
}

fn title(text: &str) -> MetadataChange {
    MetadataChange::new(json!({ "title": text }))
}

/// A cell of the room's title, as person 0 writes it.
fn cell(clock: u64, text: &str) -> Cell {
    let root = room_root(&RoomId::new("room").unwrap(), None);
    Cell::write(CellKey::metadata("title"), clock, Some(json!(text)), &*FakeSigner::of("person 0"), &root)
}

#[test]
fn nothing_is_noted_while_nobody_looks() {
    let mut table = Table::joined(2);
    table.metadata(0, title("unseen")).unwrap();
    assert!(table.seats.iter_mut().all(|seat| seat.replica.take_observations().is_empty()));
    table.seats[1].replica.inspect(true);
    table.metadata(0, title("seen")).unwrap();
    assert!(!table.seats[1].replica.take_observations().is_empty());
    table.seats[1].replica.inspect(false);
    table.metadata(0, title("unseen again")).unwrap();
    assert!(table.seats[1].replica.take_observations().is_empty());
}

#[test]
fn a_write_is_seen_to_go_out_to_come_in_and_to_win() {
    let mut table = looked_at(2);
    table.metadata(0, title("harbour")).unwrap();
    let here = noted(&mut table, 0, &["cell", "frameOut"]);
    assert_eq!((here[0]["outcome"]["is"].as_str(), &here[0]["own"]), (Some("won"), &json!(true)));
    assert_eq!((here[1]["kind"].as_str(), here[1].get("to")), (Some("cells"), None));
    let there = noted(&mut table, 1, &["cell", "frameIn"]);
    let register = json!({ "kind": "metadata", "object": "", "field": "title" });
    assert_eq!((&there[0]["register"], &there[0]["outcome"]["is"]), (&register, &json!("won")));
    assert_eq!(there[0]["version"], here[0]["version"]);
    assert_eq!((&there[0]["own"], there[0].get("held")), (&json!(false), None));
    let frame = &there[1];
    assert_eq!(
        (&frame["kind"], &frame["verdict"], &frame["path"]),
        (&json!("cells"), &json!("accept"), &json!("gossip"))
    );
    assert_eq!((&frame["author"], &frame["bytes"]), (&json!(session(1).to_string()), &here[1]["bytes"]));
    assert_eq!(frame["reasons"], json!([]));
}

// R10
#[test]
fn a_cell_that_loses_says_by_what() {
    let mut table = looked_at(2);
    let now = 1_800_000_000_000 << 16;
    let own = cell(now, "newest");
    let greater = |this: &Cell, other: &Cell| this.stamp() > other.stamp();
    // Of one clock and writer the value's hash decides.
    let same = (0..).map(|number| cell(now, &number.to_string())).find(|other| greater(&own, other)).unwrap();
    let writers = (0..).map(|number| {
        let signer = FakeSigner::of(&format!("writer {number}"));
        let root = room_root(&RoomId::new("room").unwrap(), None);
        Cell::write(CellKey::metadata("title"), now, Some(json!("other")), &*signer, &root)
    });
    let smaller = writers.into_iter().find(|other| other.writer.0 < own.writer.0).unwrap();
    let mut forged = cell(now + 7, "forged");
    forged.signature[0] ^= 1;
    let frames = [own.clone(), cell(now - 1, "older"), same, smaller, own.clone(), forged];
    for sent in frames {
        table.frame(1, session(1), session(1), &Frame::Cells(vec![sent]).encode());
    }
    let all = noted(&mut table, 1, &["cell", "frameIn"]);
    let outcomes: Vec<&Value> = all.iter().filter(|one| one["what"] == "cell").map(|one| &one["outcome"]).collect();
    assert_eq!(
        outcomes,
        [
            &json!({ "is": "won" }),
            &json!({ "is": "lost", "by": "clock" }),
            &json!({ "is": "lost", "by": "value" }),
            &json!({ "is": "lost", "by": "writer" }),
            &json!({ "is": "known" }),
            &json!({ "is": "refused", "why": "cell_signature" }),
        ]
    );
    let held = &all[2]["held"];
    assert_eq!(held["writer"], json!(FakeSigner::of("person 0").public_key().user_id()));
    assert_eq!(held["wallMs"], json!(1_800_000_000_000_u64));
    let frame = all.last().unwrap();
    assert_eq!((&frame["verdict"], &frame["reasons"]), (&json!("ignore"), &json!(["cell_signature"])));
}

#[test]
fn a_full_map_is_said() {
    let mut table = looked_at(2);
    let root = room_root(&RoomId::new("room").unwrap(), None);
    let signer = FakeSigner::of("person 0");
    let written = |key: &str, clock| Cell::write(CellKey::metadata(key), clock, Some(json!(1)), &*signer, &root);
    for number in 0..crate::limits::METADATA_CELLS as u64 {
        let cells = vec![written(&format!("key {number}"), 100 + number)];
        table.frame(1, session(1), session(1), &Frame::Cells(cells).encode());
    }
    noted(&mut table, 1, &[]);
    table.frame(1, session(1), session(1), &Frame::Cells(vec![written("late", 1)]).encode());
    assert_eq!(noted(&mut table, 1, &["cell"])[0]["outcome"], json!({ "is": "pushedOut" }));
}

// R4
#[test]
fn presence_says_what_came_and_what_was_missed() {
    let mut table = looked_at(2);
    table.presence(0, json!({ "x": 1 })).unwrap();
    table.pass(1_000);
    noted(&mut table, 1, &[]);
    table.lose = |from, _, frame| from == 0 && matches!(frame, Frame::Delta(_));
    for number in 0..3 {
        table.presence(0, json!({ "y": number })).unwrap();
        table.pass(40);
    }
    assert_eq!(noted(&mut table, 1, &["presence"]), Vec::<Value>::new());
    table.lose = |_, _, _| false;
    table.presence(0, json!({ "z": 1 })).unwrap();
    table.pass(40);
    let came = noted(&mut table, 1, &["presence", "frameIn"]);
    let (delta, full) = (&came[0], came.iter().find(|one| one["whole"] == true).expect("it asked for all of it"));
    let number = |one: &Value, key: &str| one[key].as_u64().unwrap();
    assert!(number(delta, "since") > number(delta, "known"), "a gap: {delta}");
    assert!(came.iter().any(|one| one["reasons"] == json!(["delta_gap", "asks"])), "{came:#?}");
    assert_eq!(delta["member"], json!(table.seats[0].who.actor.user_id));
    assert!(full["named"].as_array().unwrap().contains(&json!("x")), "{full}");
    assert_eq!(number(full, "rev"), number(delta, "rev"));
}

// R6
#[test]
fn who_falls_silent_is_seen_to() {
    let mut table = looked_at(2);
    table.lose = |from, _, _| from == 0;
    table.pass(20_000);
    let leases = noted(&mut table, 1, &["lease"]);
    let said: Vec<(&str, u64)> =
        leases.iter().map(|one| (one["state"].as_str().unwrap(), one["silentMs"].as_u64().unwrap())).collect();
    let [("stale", first), ("over", last)] = said[..] else { panic!("{said:?}") };
    assert!(first >= crate::limits::STALE_MS && last >= crate::limits::TIMEOUT_MS, "{said:?}");
    assert_eq!(leases[1]["reason"], "timeout");
    table.lose = |_, _, _| false;
    table.close(1, 0, DownCause::Closed);
    table.input(1, Input::OwnOutage(true));
    table.input(1, Input::Resumed);
    let link = noted(&mut table, 1, &["link", "outage"]);
    assert_eq!(link[0]["cause"], "closed");
    assert_eq!((&link[1]["out"], &link[1]["slept"]), (&json!(true), &json!(false)));
    assert_eq!((&link[2]["out"], &link[2]["slept"]), (&json!(true), &json!(true)));
}

// R12
#[test]
fn a_lost_write_shows_as_a_mismatch_and_then_as_its_repair() {
    let mut table = looked_at(2);
    table.lose = |from, _, frame| from == 0 && matches!(frame, Frame::Cells(_));
    table.metadata(0, title("lost on its way")).unwrap();
    table.lose = |_, _, _| false;
    table.pass(8_000);
    let seen = noted(&mut table, 1, &["hash", "sync", "cell"]);
    let hash = |one: &&Value| one["what"] == "hash";
    let at = |found: Option<usize>, what: &str| found.unwrap_or_else(|| panic!("{what}: {seen:#?}"));
    let wrong = at(seen.iter().position(|one| hash(&one) && one["mine"] != one["theirs"]), "a mismatch");
    let asks = at(seen.iter().position(|one| one["what"] == "sync"), "an exchange");
    let won = at(seen.iter().position(|one| one["outcome"]["is"] == "won"), "the cell");
    let right = at(seen.iter().rposition(|one| hash(&one) && one["mine"] == one["theirs"]), "one hash again");
    assert!(wrong < asks && asks < won && won < right, "{seen:#?}");
    let steps = noted(&mut table, 0, &["sync"]);
    assert!(steps.iter().any(|step| step["step"] == "sends" || step["step"] == "isAsked"), "{steps:#?}");
}

#[test]
fn what_nobody_fetches_is_lost_and_counted() {
    let mut table = looked_at(2);
    for number in 0..2_000 {
        table.metadata(0, title(&number.to_string())).unwrap();
    }
    let noted = table.seats[1].replica.take_observations();
    assert_eq!(noted.len(), WAITING_MAX + 1);
    let Observation::Lost { count } = noted[0] else { panic!("{:?}", noted[0]) };
    assert!(count > 2_000);
    assert!(table.seats[1].replica.take_observations().is_empty());
}

/// Looking changes nothing: the same inputs give the same outputs.
#[test]
fn looking_changes_nothing() {
    let story = |look: bool| {
        let mut table = Table::of(3);
        table.seats.iter_mut().for_each(|seat| seat.replica.inspect(look));
        table.lose = |from, to, frame| (from, to) == (0, 2) && !matches!(frame, Frame::Beat(_));
        for at in 0..3 {
            table.join(at, Join::new()).unwrap();
        }
        for number in 0..30 {
            table.metadata(number % 3, title(&number.to_string())).unwrap();
            table.presence(number % 3, json!({ "x": number })).unwrap();
            table.pass(333);
        }
        table.close(1, 0, DownCause::Closed);
        table.pass(30_000);
        let events: Vec<Vec<String>> = (0..3).map(|at| table.told(at)).collect();
        (table.log, events)
    };
    assert_eq!(story(true), story(false));
}

#[test]
fn an_inventory_lists_what_is_held() {
    let mut table = looked_at(2);
    table.metadata(0, title("harbour")).unwrap();
    table.metadata(1, MetadataChange { unset: vec!["mode".into()], ..title("quay") }).unwrap();
    table.presence(0, json!({ "cursor": { "x": 1 } })).unwrap();
    table.pass(100);
    let now = table.tick();
    let (here, there) = (table.seats[0].replica.inventory(100, now), table.seats[1].replica.inventory(100, now));
    assert_eq!(here.hash, there.hash);
    assert!(here.complete);
    let shown = serde_json::to_value(&there).unwrap();
    assert_eq!(shown["cells"][0]["value"], "quay");
    assert_eq!(shown["cells"][0]["version"]["writer"], json!(FakeSigner::of("person 1").public_key().user_id()));
    assert_eq!(shown["records"][0]["own"], true);
    assert_eq!(shown["records"][0].get("heardMs"), None);
    let other = &shown["records"][1];
    assert_eq!((&other["sessionId"], &other["stale"]), (&json!(session(1).to_string()), &json!(false)));
    assert_eq!(other["fields"][0]["key"], "cursor");
    assert_eq!(other["fields"][0]["value"], json!({ "x": 1 }));
    let few = table.seats[1].replica.inventory(0, now);
    assert_eq!((few.cells.len(), few.left_out), (0, there.cells.len()));
    assert!(!matches!(table.seats[0].replica.poll_output(), Some(Output::Publish { .. })), "and tells nobody");
}
