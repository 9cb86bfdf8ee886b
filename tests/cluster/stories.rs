//! Stories that simulated and real peers live through alike.

use parlor_testkit::story::{Expect, Story, expire, guest, person, replace, set, set_all};

/// All of them, the longest first.
pub fn all() -> Vec<Story> {
    vec![
        late_third(),
        two_sides_for_long(),
        two_sides_for_a_moment(),
        crash_and_restart(),
        killed(),
        restart_is_one_row(),
        leave_while_another_joins(),
        the_first_leaves(),
        two_devices(),
        a_line_is_cut(),
        guests_and_leases(),
        everybody_moves(),
    ]
}

/// `hosts` people who have met and agree by the third second.
fn met(name: &str, hosts: usize) -> Story {
    let story = Story::new(name).hosts(hosts).latency(1..=5).all_start().at(500).all_join();
    story.at(600).presence(0, set("cursor")).metadata(0, "title").expect_agreement_within(2_400).at(3_000)
}

fn lists(story: Story, within_ms: u64, observer: usize, count: usize) -> Story {
    story.expect_within(within_ms, Expect::Members { observer, count })
}

fn two_sides_for_a_moment() -> Story {
    let story = met("both sides write while the network is in two for a moment", 4).partition(&[&[0, 1], &[2, 3]]);
    let story = story.then_after(100).presence(0, set("cursor")).metadata(1, "title");
    let story = story.presence(3, set_all(&["cursor", "tool"])).metadata(2, "title").metadata(3, "mode");
    let story = story.delete_metadata(0, "title");
    let story = story.expect_within(1_000, Expect::Sees { observers: vec![1], of: person(0), field: "cursor".into() });
    let story = story.expect_within(1_000, Expect::Sees { observers: vec![2], of: person(3), field: "tool".into() });
    story.then_after(2_000).mend_all().expect_agreement_within(8_000)
}

// F5: after a reconnect everybody tells of himself again. F9: two populated sides merge.
fn two_sides_for_long() -> Story {
    let mut story = met("both sides lose each other and find each other again", 4).partition(&[&[0, 1], &[2, 3]]);
    for host in 0..4 {
        story = lists(story, 11_000, host, 2);
    }
    let story = story.then_after(1_000).presence(1, set("status")).metadata(1, "title");
    let story = story.presence(2, replace(&["status"])).metadata(2, "mode");
    story.then_after(11_000).mend_all().expect_agreement_within(8_000).expect_known_within(8_000, 3)
}

// G5: who is killed is gone within its bound, though nobody says so.
fn killed() -> Story {
    let story = met("who is killed is gone", 3).crash(1);
    lists(story.expect_gone_within(6_000, 1), 6_000, 0, 2).expect_agreement_within(6_000)
}

fn crash_and_restart() -> Story {
    let story = met("who is killed comes back", 3).crash(1).expect_gone_within(6_000, 1);
    let story = story.then_after(500).presence(2, set("cursor")).metadata(2, "title");
    let story = story.then_after(6_000).start(1).then_after(300).join(1).presence(1, set("status"));
    story.expect_seen_within(3_000, 1, "status").expect_agreement_within(5_000)
}

// G7, report N37: a restart leaves one row, whether the program was killed or ended.
fn restart_is_one_row() -> Story {
    let mut story = met("a restart is one row", 3);
    for round in 0..2 {
        story = match round {
            0 => story.crash(2).then_after(100),
            _ => story.quit(2).then_after(800),
        };
        // Well before the old session would go by itself, five seconds after it was killed.
        story = story.start(2).then_after(300).join(2).expect_known_within(1_200, 2).expect_agreement_within(1_200);
        story = lists(lists(story.then_after(3_000), 0, 0, 3), 0, 2, 3);
    }
    story
}

// Report N33: who joins half a minute after the first two is in the room like everybody else.
fn late_third() -> Story {
    let story = Story::new("a third joins late").hosts(3).latency(1..=5).start(0).start(1).at(500).join(0).join(1);
    let story = story.expect_agreement_within(2_500).at(31_500).presence(0, set("cursor")).metadata(1, "title");
    let story = story.start(2).at(32_000).join(2).expect_known_within(2_500, 2).expect_agreement_within(4_000);
    let story = story.at(36_000).presence(2, set("cursor")).expect_seen_within(1_500, 2, "cursor");
    story.presence(0, set("cursor")).expect_seen_within(1_500, 0, "cursor").expect_nobody_left_since(0)
}

fn leave_while_another_joins() -> Story {
    let story = Story::new("one leaves while another joins").hosts(3).latency(1..=5).all_start();
    let story = story.at(500).join(0).join(1).expect_agreement_within(2_400);
    let story = story.at(3_000).leave(0).join(2).presence(1, set("cursor"));
    let story = story.expect_gone_within(1_500, 0).expect_known_within(1_500, 2).expect_seen_within(1_500, 1, "cursor");
    let story = lists(story, 1_500, 0, 2).expect_agreement_within(3_000);
    let story = story.then_after(1_500).join(0).leave(2).join(2);
    lists(story.expect_known_within(1_500, 0).expect_known_within(1_500, 2), 1_500, 1, 3).expect_agreement_within(3_000)
}

// Report N27: the first of a room leaves, and who comes then is in the same room as those who stayed.
fn the_first_leaves() -> Story {
    let story = Story::new("the first leaves and a newcomer comes").hosts(3).latency(1..=5).start(0).start(1);
    let story = story.at(300).join(0).metadata(0, "title").join(1).expect_agreement_within(2_600);
    let story = story.at(3_000).quit(0).expect_gone_within(1_500, 0).then_after(1_500).start(2).then_after(300).join(2);
    lists(story.expect_known_within(2_500, 2).expect_known_within(2_500, 1), 2_500, 2, 2).expect_agreement_within(4_000)
}

// M2: two devices of one person are one row, which goes with the last of them.
fn two_devices() -> Story {
    let story = Story::new("two devices of one person").hosts(3).same_person(0, 1).latency(1..=5).all_start();
    let story = story.at(500).all_join().expect_agreement_within(2_400);
    let story = lists(story, 2_400, 2, 2).at(3_000).presence(0, set("cursor")).expect_seen_within(1_000, 0, "cursor");
    let story = story.then_after(1_000).presence(1, set("cursor")).expect_seen_within(1_000, 1, "cursor");
    let story = story.then_after(1_000).leave(0).expect_agreement_within(3_000).then_after(1_000);
    let story = lists(story, 0, 2, 2).expect_known_within(0, 1).then_after(100).leave(1);
    lists(story, 1_500, 2, 1).expect_within(1_500, Expect::Members { observer: 0, count: 1 })
}

fn a_line_is_cut() -> Story {
    let story = Story::new("a line of three is cut and mended").hosts(3).links(&[(0, 1), (1, 2)]).latency(1..=5);
    let story = story.all_start().at(500).all_join().expect_agreement_within(4_400);
    let story = story.at(5_000).presence(0, set("cursor")).expect_seen_within(2_000, 0, "cursor");
    let story = story.then_after(2_000).cut(1, 2).then_after(200).presence(2, set("cursor")).metadata(0, "title");
    story.then_after(1_000).mend(1, 2).expect_seen_within(6_000, 2, "cursor").expect_agreement_within(8_000)
}

fn guests_and_leases() -> Story {
    let story = Story::new("guests come and go").hosts(2).latency(1..=5).all_start().at(500).all_join();
    let story = story.join(guest(0).named("desk")).join(guest(1).leased(5)).expect_known_within(2_000, guest(1));
    let story = lists(story, 2_000, 1, 4).at(2_600).presence(guest(1), set("cursor"));
    let story = story.presence_as(guest(0), "desk", expire("typing", 800));
    let story = story.expect_seen_within(700, guest(1), "cursor").expect_agreement_within(4_000);
    let story = lists(story.expect_gone_within(7_000, guest(1)), 7_000, 0, 3).then_after(7_000);
    lists(story.leave_as(guest(0), "desk"), 1_500, 1, 2).expect_agreement_within(3_000)
}

fn everybody_moves() -> Story {
    let mut story = met("everybody moves while one pair is cut", 4);
    for host in 0..4 {
        story = story.moving(host, "cursor", 30, 4_000);
    }
    let story = story.then_after(1_000).cut(0, 3).then_after(1_500).mend(0, 3).then_after(1_600);
    let story = (0..4).fold(story, |story, host| story.expect_seen_within(3_000, host, "cursor"));
    story.expect_agreement_within(6_000).expect_nobody_left_since(0)
}
