//! What a peer leaves behind in its profile, and what the next one there makes of it (design R15, §1).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parlor::{Join, Live, MetadataChange, PresenceChange};
use serde_json::{Value, json};

use crate::peers::{Peer, all, config, rows, start_when_free, until};

/// Every file below a directory, with what is in it.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else if let Ok(contents) = std::fs::read(entry.path()) {
            found.insert(entry.path(), contents);
        }
    }
    found
}

fn holds(contents: &[u8], text: &str) -> bool {
    contents.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A directory as a backup, a clone or a sync tool copies it, while its peer runs.
fn copied(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for (path, contents) in files(from) {
        let path = to.path().join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }
    to
}

// G12: nothing that is live is in any file, of nobody, while a peer runs, after it crashed and after it closed; and the
// next run on the same directory knows nobody.
#[tokio::test]
async fn presence_is_never_on_disk_and_nobody_comes_back_from_there() {
    let live_words = ["status-of-otter", "role-of-otter", "status-of-heron", "status-of-guest", "desk-of-guest"];
    let no_traces = |dir: &Path, when: &str| {
        let files = files(dir);
        assert!(files.keys().any(|path| path.ends_with("rooms.redb")), "the test lost its point");
        for (path, contents) in files {
            let found: Vec<_> = live_words.iter().filter(|word| holds(&contents, word)).collect();
            assert!(found.is_empty(), "{when}: {} has {found:?}", path.display());
        }
    };
    let otter = Peer::start("Quiet Otter", &[]).await;
    let heron = Peer::start("Calm Heron", &[&otter]).await;
    let room = otter.live.room("project_123");
    let said = Join::new().presence(json!({"status": "status-of-otter"})).metadata(json!({"role": "role-of-otter"}));
    room.join(said).await.unwrap();
    heron.live.room("project_123").join(Join::new().presence(json!({"status": "status-of-heron"}))).await.unwrap();
    let guest = otter.live.acting_as("visitor", None).unwrap().room("project_123");
    let desk = parlor::MemberId::new("desk-of-guest").unwrap();
    guest.join_leased(Join::new().member_id(desk).presence(json!({"status": "status-of-guest"}))).await.unwrap();
    rows(&room, 3).await;
    rows(&heron.live.room("project_123"), 3).await;
    // What is on disk is written when something changes: let every writer have had its turn.
    room.set_metadata(MetadataChange::new(json!({"title": "Incident response"}))).await.unwrap();
    room.presence(PresenceChange::new(json!({"cursor": 128}))).await.unwrap();
    for dir in [otter.dir.path(), heron.dir.path()] {
        let titled = async || files(dir).values().any(|contents| holds(contents, "Incident response")).then_some(());
        crate::peers::poll("the title is kept", titled).await;
        no_traces(dir, "while it runs");
    }

    // Gone without a word, as a crash is; the other ends in order.
    let Peer { live, dir } = otter;
    drop((live, room, guest));
    heron.live.close().await;
    no_traces(heron.dir.path(), "closed");
    let again = start_when_free(config(dir.path(), "default")).await;
    no_traces(dir.path(), "crashed");
    let known = again.rooms().await;
    assert_eq!(known.len(), 1);
    assert!(known[0].members == 0 && known[0].faces.is_empty() && !known[0].joined && !known[0].near, "{known:?}");
    let page = again.room("project_123").members(all()).await.unwrap();
    assert_eq!((page.total, page.watching), (0, 0), "{:?}", page.members);
    let watch = again.room("project_123").watch().await.unwrap();
    assert!(watch.borrow().members.is_empty());
    again.close().await;
    no_traces(dir.path(), "closed");
}

// M7: sessions are of processes. Two that run from copies of one directory, made while the first one ran, are one person
// with two sessions, and every start is another one; no file has what a session could be taken over with.
#[tokio::test]
async fn no_two_runs_share_a_session_wherever_their_directory_came_from() {
    let otter = Peer::start("Quiet Otter", &[]).await;
    otter.live.room("project_123").join(Join::new()).await.unwrap();
    let copies = [copied(otter.dir.path()), copied(otter.dir.path())];
    let mut sessions = Vec::new();
    let mut seen = async |live: &Live| {
        let status = live.status().await;
        assert_eq!(status.user_id, otter.live.user_id(), "the same person");
        sessions.push((status.session_id, status.peer_id));
    };
    seen(&otter.live).await;
    for _ in 0..2 {
        for copy in &copies {
            let live = Live::start(config(copy.path(), "default")).await.unwrap();
            seen(&live).await;
            live.close().await;
        }
    }
    // Both copies at once, in one room with somebody who looks on.
    let heron = Peer::start("Calm Heron", &[]).await;
    let dial = heron.live.status().await.listen;
    let mut lives = Vec::new();
    for copy in &copies {
        let live = Live::start(parlor::Config { dial: dial.clone(), ..config(copy.path(), "default") }).await.unwrap();
        seen(&live).await;
        lives.push(live);
    }
    let mut unique = sessions.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), sessions.len(), "{sessions:?}");
    for (path, contents) in copies.iter().flat_map(|copy| files(copy.path())) {
        let file: Value = serde_json::from_slice(&contents).unwrap_or_default();
        let says_where_it_is = path.ends_with("peer.json") && file["pid"] == std::process::id();
        for (session, peer) in &sessions {
            assert!(!holds(&contents, session), "{} has a session", path.display());
            assert!(says_where_it_is || !holds(&contents, peer), "{} has a session", path.display());
        }
    }
    // Neither overwrites what the other says of itself: the later one speaks, and its row is its own.
    lives[0].room("project_123").join(Join::new().presence(json!({"copy": 0}))).await.unwrap();
    let mut watch = heron.live.room("project_123").watch().await.unwrap();
    until("the first copy", &mut watch, |room| room.members.iter().any(|row| row.record.presence["copy"] == 0)).await;
    lives[1].room("project_123").join(Join::new().presence(json!({"copy": 1}))).await.unwrap();
    let both =
        until("the later copy", &mut watch, |room| room.members.iter().any(|row| row.record.presence["copy"] == 1));
    assert_eq!(both.await.members.len(), 1, "one person");
    for live in lives.into_iter().chain([heron.live, otter.live]) {
        live.close().await;
    }
}
