//! Frames that replicas really send, of every kind: the best place to begin when frames are to be broken.

use std::sync::LazyLock;

use serde_json::json;

use crate::fixture::{Table, member};
use crate::input::DownCause;
use crate::wire::Frame;
use crate::{BoardChange, Join, Leave, MetadataChange, NoteChange, PresenceChange, Publish};

static TAPE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(record);

/// One of them.
pub fn frame(at: usize) -> Vec<u8> {
    TAPE.get(at % TAPE.len().max(1)).cloned().unwrap_or_default()
}

/// Two people who meet, work, lose each other, and repair what they missed, and a third who looks on.
fn record() -> Vec<Vec<u8>> {
    let mut table = Table::of(3);
    for at in 1..3 {
        table
            .join(at, Join::new().presence(json!({"cursor": {"x": 12.5, "y": at}})).metadata(json!({"role": "pilot"})))
            .unwrap();
        table.join(at, Join::new().member_id(member(&format!("desk {at}"))).presence(json!({"tool": "pen"}))).unwrap();
    }
    for turn in 0..4 {
        let me = table.seats[1].who.actor.user_id.default_member();
        let change = PresenceChange {
            member_id: Some(me),
            expire: [("typing".to_owned(), 500)].into(),
            ..PresenceChange::new(json!({"cursor": {"x": turn, "y": 2}, "typing": true}))
        };
        table.change(1, change).unwrap();
        table.pass(40);
    }
    // What is lost is asked for.
    table.lose = |from, to, frame| (from, to) == (1, 2) && matches!(frame, Frame::Delta(_));
    for turn in 0..3 {
        let me = table.seats[1].who.actor.user_id.default_member();
        table.change(1, PresenceChange { member_id: Some(me), ..PresenceChange::new(json!({"lost": turn})) }).unwrap();
        table.pass(2_000);
    }
    table.lose = |_, _, _| false;
    for cut in [false, true] {
        if cut {
            table.close(1, 2, DownCause::TimedOut);
            table.close(2, 1, DownCause::TimedOut);
        }
        for (at, key) in [(1, "ours"), (2, "ours"), (2, "theirs"), (1, "theirs")] {
            table.metadata(at, MetadataChange::new(json!({"title": "Bridge", key: format!("{at} {cut}")}))).unwrap();
            table.pass(2);
        }
        for at in 1..3 {
            let note =
                NoteChange { id: format!("note {at}"), x: Some(1.0), text: Some("hi".into()), ..NoteChange::default() };
            table.board(at, BoardChange { set: vec![note], remove: Vec::new() }).unwrap();
            let me = Some(table.seats[at].who.actor.user_id.default_member());
            let say = Publish { member_id: me, ..Publish::new("chat", json!("hello")).keep() };
            table.call(at, |replica, who, now| replica.publish_kept(who, say, now)).unwrap();
        }
    }
    table.link(1, 2);
    table.pass(5_000);
    table.call(1, |replica, who, now| replica.leave(who, Leave { member_id: Some(member("desk 1")) }, now)).unwrap();
    table.pass(1_000);
    let mut tape: Vec<Vec<u8>> = Vec::new();
    for kind in 1..=9 {
        let of_kind = table.log.iter().filter(|(.., bytes)| bytes.get(1) == Some(&kind)).map(|(.., bytes)| bytes);
        let of_kind: Vec<_> = of_kind.take(16).cloned().collect();
        assert!(!of_kind.is_empty(), "nobody sent a frame of kind {kind}");
        tape.extend(of_kind);
    }
    tape
}

/// There is something to break.
#[test]
fn the_tape_has_every_kind() {
    let kinds: std::collections::BTreeSet<Option<u8>> = TAPE.iter().map(|frame| frame.get(1).copied()).collect();
    assert_eq!(kinds, (1..=9).map(Some).collect());
}
