//! What outlives the process (design R15): settings, notes and messages, and nothing of who was there.

use std::path::Path;

use parlor::{BoardChange, Config, ErrorCode, HistoryQuery, Join, Leave, MetadataChange, NoteChange, Publish, Room};
use serde_json::{Value, json};

use crate::peers::{Peer, code, config, poll, start_in, start_when_free};

fn note(id: &str, text: &str) -> BoardChange {
    let note = NoteChange { id: id.into(), text: Some(text.into()), ..NoteChange::default() };
    BoardChange { set: vec![note], ..BoardChange::default() }
}

async fn title(room: &Room) -> Value {
    room.metadata().await.unwrap().metadata.get("title").cloned().unwrap_or_default()
}

async fn notes(room: &Room) -> Vec<(String, String)> {
    room.board().await.unwrap().notes.iter().map(|note| (note.id.clone(), note.text.clone())).collect()
}

/// Oldest first.
async fn said(room: &Room) -> Vec<String> {
    let page = room.history(HistoryQuery::default()).await.unwrap();
    page.messages.iter().rev().map(|one| one.data["text"].as_str().unwrap().to_owned()).collect()
}

async fn say(room: &Room, text: &str) {
    room.publish(Publish::new("chat", json!({ "text": text })).keep()).await.unwrap();
}

/// Whether any file of a profile has these bytes.
fn on_disk(dir: &Path, words: &str) -> bool {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let has = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(words.len()).any(|some| some == words.as_bytes())
    };
    files.map(has).fold(false, |any, has| any | has)
}

impl Peer {
    /// The same profile in another process, as far as anybody can tell.
    async fn again(self, dial: &[&Peer]) -> Peer {
        self.live.close().await;
        let Peer { live, dir } = self;
        drop(live);
        let live = start_in(dir.path(), "Somebody", dial).await;
        Peer { live, dir }
    }
}

#[tokio::test]
async fn a_room_is_there_when_everybody_left_and_one_comes_back() {
    for private in [false, true] {
        let otter = Peer::start("Quiet Otter", &[]).await;
        if private {
            otter.live.create_private_room("plan").await.unwrap();
        }
        let room = otter.live.room("plan");
        room.join(Join::new().presence(json!({"secret": "nobody-keeps-this"}))).await.unwrap();
        room.set_metadata(MetadataChange::new(json!({"title": "Harbour", "gone": 1}))).await.unwrap();
        room.set_metadata(MetadataChange { unset: vec!["gone".into()], ..MetadataChange::default() }).await.unwrap();
        room.set_board(note("a", "first")).await.unwrap();
        room.set_board(note("b", "second")).await.unwrap();
        room.set_board(BoardChange { remove: vec!["b".into()], ..BoardChange::default() }).await.unwrap();
        say(&room, "hello").await;
        say(&room, "again").await;
        room.leave(Leave::default()).await.unwrap();

        let otter = otter.again(&[]).await;
        let room = otter.live.room("plan");
        assert_eq!(title(&room).await, "Harbour", "private: {private}");
        assert_eq!(room.metadata().await.unwrap().metadata.len(), 1);
        assert_eq!(notes(&room).await, [("a".to_owned(), "first".to_owned())]);
        assert_eq!(said(&room).await, ["hello", "again"]);
        // G12: presence is never loaded from a disk, because it is never there.
        assert!(room.members(Default::default()).await.unwrap().members.is_empty());
        assert!(!on_disk(otter.live.profile_dir(), "nobody-keeps-this"));
        assert!(on_disk(otter.live.profile_dir(), "again"), "or the look would prove nothing");
        // What was undone stays undone, also when somebody writes on.
        room.join(Join::new()).await.unwrap();
        room.set_board(note("c", "third")).await.unwrap();
        assert_eq!(notes(&room).await.len(), 2);
        otter.live.close().await;
    }
}

#[tokio::test]
async fn who_comes_back_merges_with_those_who_went_on() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let (here, there) = (otter.live.room("plan"), heron.live.room("plan"));
    here.join(Join::new()).await.unwrap();
    there.join(Join::new()).await.unwrap();
    here.set_board(note("a", "from the beginning")).await.unwrap();
    poll("the note arrives", async || (notes(&there).await.len() == 1).then_some(())).await;

    // The one who is away said something that nobody heard; the other one went on meanwhile.
    heron.live.close().await;
    say(&here, "while the heron was away").await;
    here.set_board(note("a", "changed")).await.unwrap();
    otter.live.close().await;
    let heron = heron.again(&[]).await;
    let there = heron.live.room("plan");
    there.join(Join::new()).await.unwrap();
    say(&there, "alone").await;
    there.set_board(note("b", "of the heron")).await.unwrap();

    let otter = otter.again(&[&heron]).await;
    let here = otter.live.room("plan");
    here.join(Join::new()).await.unwrap();
    for room in [&here, &there] {
        poll("both have all of it", async || {
            (notes(room).await.len() == 2 && said(room).await.len() == 2).then_some(())
        })
        .await;
        assert_eq!(notes(room).await, [("a".into(), "changed".into()), ("b".into(), "of the heron".into())]);
        assert_eq!(said(room).await, ["while the heron was away", "alone"]);
    }
    otter.live.close().await;
    heron.live.close().await;
}

#[tokio::test]
async fn a_forgotten_room_leaves_nothing_behind() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    for (name, private) in [("open", false), ("closed", true)] {
        if private {
            otter.live.create_private_room(name).await.unwrap();
        }
        let room = otter.live.room(name);
        room.join(Join::new()).await.unwrap();
        room.set_metadata(MetadataChange::new(json!({"title": "kept"}))).await.unwrap();
        say(&room, "kept too").await;
    }
    assert!(otter.live.forget_room("open").await.unwrap());
    let otter = otter.again(&[]).await;
    assert_eq!(title(&otter.live.room("open")).await, Value::Null);
    assert_eq!(said(&otter.live.room("open")).await, Vec::<String>::new());
    assert_eq!(title(&otter.live.room("closed")).await, "kept");
    assert!(otter.live.forget_room("closed").await.unwrap());
    let otter = otter.again(&[]).await;
    // The name is that of an open room again, in which nothing was ever said.
    assert_eq!(said(&otter.live.room("closed")).await, Vec::<String>::new());
    assert!(!otter.live.forget_room("never").await.unwrap());
    otter.live.close().await;
}

// R15: a call that was answered is on disk, whatever becomes of the process.
#[tokio::test]
async fn what_was_answered_survives_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { lab: true, ..config(dir.path(), "default") };
    let live = parlor::Live::start(config.clone()).await.unwrap();
    let room = live.room("plan");
    room.join(Join::new()).await.unwrap();
    for n in 0..20 {
        say(&room, &format!("{n}")).await;
    }
    live.lab().unwrap().crash().await;
    drop((room, live));
    let live = start_when_free(config).await;
    let room = live.room("plan");
    assert_eq!(said(&room).await, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(code(room.publish(Publish::new("chat", json!({}))).await), ErrorCode::NotJoined);
    live.close().await;
}

// R15: who forgets a room takes nothing from the guests who are in it through the same peer.
#[tokio::test]
async fn a_room_that_is_forgotten_stays_for_the_guests_in_it() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    let guest = otter.live.acting_as("visitor", None).unwrap().room("plan");
    guest.join(Join::new()).await.unwrap();
    guest.set_board(note("a", "of the guest")).await.unwrap();
    otter.live.room("plan").join(Join::new()).await.unwrap();
    otter.live.forget_room("plan").await.unwrap();
    assert_eq!(notes(&guest).await.len(), 1);
    let otter = otter.again(&[]).await;
    assert_eq!(notes(&otter.live.room("plan")).await, [("a".to_owned(), "of the guest".to_owned())]);
    otter.live.close().await;
}
