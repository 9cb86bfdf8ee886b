//! A disk that is full while a room is shared to browsers: guests are told so as everybody is, nobody loses the room by it, and
//! all is well again when there is room.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::fixture::{Peer, eventually};
use crate::sharing::Shared;

/// Names the folder to the process that mounts a small disk there.
const SMALL: &str = "PARLOR_TEST_SHARED_ON_SMALL_DISK";
const NAME: &str = "sharing_full::a_full_disk_is_told_to_guests";
const SCRIPT: &str = r#"mount -t tmpfs -o size=8m,mode=0700 none "$0" && exec "$@""#;

/// On a small file system, in a mount namespace of its own.
#[test]
fn a_full_disk_is_told_to_guests() {
    if let Some(dir) = std::env::var_os(SMALL) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        return runtime.block_on(on_a_small_disk(Path::new(&dir)));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let may = Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|tried| tried.status.success());
    if !may {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "a mount namespace takes root and `unshare`");
        eprintln!("not run: a mount namespace takes root and `unshare`");
        return;
    }
    let ran = Command::new("unshare")
        .args(["--mount", "sh", "-c", SCRIPT])
        .arg(dir.path())
        .arg(std::env::current_exe().expect("this program"))
        .args([NAME, "--exact", "--nocapture"])
        .env(SMALL, dir.path())
        .output()
        .expect("a process");
    let said = [ran.stdout, ran.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(ran.status.success() && said.contains("the disk was full"), "{said}");
}

fn notes(turn: usize) -> Value {
    let note = |number| json!({"id": format!("n{turn}-{number}"), "text": "x".repeat(4_000)});
    json!({ "set": (0..10).map(note).collect::<Vec<_>>() })
}

async fn on_a_small_disk(dir: &Path) {
    let shared = Shared::by(Peer::start_with(|config| config.data_dir = dir.into(), None).await).await;
    shared.post("/room/join", json!({"presence": {"step": 1}})).await.ok();
    shared.peer.post("/rooms/r/join", json!({})).await.ok();
    shared.post("/room/board", notes(0)).await.ok();
    let ballast = dir.join("ballast");
    let mut file = std::fs::File::create(&ballast).expect("a file");
    while file.write_all(&[0; 4_096]).is_ok() {}
    // What the database has room for in its own file.
    let mut turn = 1;
    while shared.peer.post("/rooms/r/board", notes(turn)).await.status == 200 {
        turn += 1;
        assert!(turn < 400, "the disk does not fill");
    }
    println!("the disk was full after {turn} writes");
    shared.post("/room/board", notes(500)).await.refused(507, "STORAGE_FAILED");
    // The room goes on, for guests and for who shares it.
    shared.post("/room/presence", json!({"presence": {"step": 2}})).await.ok();
    assert_eq!(shared.get("/room/members").await.ok()["total"], 2);
    let (welcome, second) = shared.enter().await;
    shared.post_as(&second, "/room/join", json!({})).await.ok();
    let put_out = json!({"on": true, "putOut": welcome["userId"]});
    shared.peer.post("/rooms/r/share", put_out).await.ok();
    assert_eq!(shared.get("/room/members").await.ok()["total"], 2, "one is out again");

    drop(file);
    std::fs::remove_file(&ballast).expect("room again");
    eventually("a guest writes again", async || {
        (shared.post("/room/board", notes(501)).await.status == 200).then_some(())
    })
    .await;
    shared.peer.post("/rooms/r/share", json!({"on": false})).await.ok();
    assert_eq!(shared.peer.get("/rooms/r/members").await.ok()["total"], 1, "its guest is out");
}
