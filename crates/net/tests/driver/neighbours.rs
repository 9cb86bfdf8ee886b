//! Other profiles on the same computer.

use std::fs;

use serde_json::json;

use crate::support::{Person, SOON, shows_members};

#[tokio::test]
async fn profiles_of_one_computer_find_each_other_by_their_files() {
    let data_dir = tempfile::tempdir().unwrap();
    let a = Person::new("Quiet Otter").start().await;
    let profile = data_dir.path().join("profiles/otter");
    fs::create_dir_all(&profile).unwrap();
    let file = json!({"pid": std::process::id(), "peerId": a.net.peer_id(), "listen": a.net.listen_addrs()});
    fs::write(profile.join("peer.json"), file.to_string()).unwrap();
    let dir = data_dir.path().to_owned();
    let b = Person::new("Brave Heron").start_with(|config| config.neighbours = Some(dir)).await.unwrap();
    let at_a = a.join(json!({})).await;
    b.join(json!({})).await;
    // The larger peer id waits its turn before it dials.
    shows_members(&at_a, 2 * SOON, 2).await;
    assert_eq!(b.net.peers().await[0].source, "profile");
}
