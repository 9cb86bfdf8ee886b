//! The language of stories: what it says in words, and in Rust.

use parlor_testkit::story::{
    Change, Drops, Edit, Expect, Faults, FrameKind, Lie, Step, Story, expire, guest, mesh, person, replace, set,
    set_all, unset,
};

/// The story of an expression, and the expression.
macro_rules! told {
    ($story:expr) => {
        ($story, stringify!($story))
    };
}

fn every_word() -> (Story, &'static str) {
    told!(
        Story::new("every word")
            .seed(7)
            .hosts(4)
            .same_person(0, 1)
            .clock_off(2, -3600000)
            .hostile(3)
            .links(&[(0, 1), (0, 2), (0, 3), (1, 2)])
            .weather(Faults::within(1..=40).losing(20).doubling(100).reordering().queueing(8, 2, Drops::Oldest))
            .late_timers(20)
            .start(0)
            .at(2000)
            .join(0)
            .join(guest(1))
            .join(person(2).named("desk"))
            .join(guest(2).named("desk 2").leased(10))
            .at(2500)
            .presence(0, set("cursor"))
            .presence(guest(1), set_all(&["cursor", "tool"]))
            .presence_as(2, "desk", replace(&["status"]))
            .presence(0, unset("cursor"))
            .presence(0, Change::Unset(["a", "b"].map(String::from).to_vec()))
            .presence(0, expire("typing", 5000))
            .moving(0, "cursor", 33, 2000)
            .metadata(0, "title")
            .delete_metadata(0, "title")
            .note(0, "plan", Edit::Move)
            .remove_note(1, "plan")
            .say(guest(1))
            .say_once(0, "hello")
            .at(4000)
            .leave(0)
            .leave_as(2, "desk")
            .crash(0)
            .power_cut(1)
            .quit(2)
            .sleep(3, 500)
            .clock(3, 86400000)
            .unplug(3, 700)
            .partition(&[&[0, 1], &[2, 3]])
            .cut(0, 1)
            .mend(0, 1)
            .deafen(0, 1)
            .mend_all()
            .turn(Faults::within(3..=3))
            .turn_between(0, 1, Faults::within(400..=400).queueing(2, 1, Drops::Newest))
            .lose(FrameKind::Cells, 50)
            .heal()
            .replay(0, 1, 12)
            .forge(0, 3)
            .lie(3, Lie::TheirLeave { victim: 0 })
            .lie(3, Lie::Sessions { count: 40 })
            .expect(Expect::Agreement)
            .expect_within(30, Expect::Sees { observers: Vec::new(), of: person(0), field: "cursor".into() })
            .expect_within(40, Expect::Knows { observers: vec![1, 2], of: guest(0) })
            .expect(Expect::Gone { of: person(3) })
            .expect(Expect::NobodyLeft { since_ms: 2000 })
            .expect(Expect::Asked { since_ms: 2000, asked: false })
            .expect(Expect::Members { observer: 0, count: 4 })
            .until(9000)
    )
}

fn bare(code: &str) -> String {
    code.split_whitespace().collect::<String>().replace(",)", ")")
}

#[test]
fn a_story_can_be_written_as_rust_again() {
    let (story, code) = every_word();
    assert_eq!(bare(&story.code()), bare(code));
}

#[test]
fn a_story_reads_in_plain_words() {
    let (story, _) = every_word();
    let text = story.to_string();
    for line in [
        "every word, with dice of seed 7",
        "  bob is a device of ann",
        "  cleo's wall clock is 60 min slow",
        "  dan is hostile",
        "    2.000  bob's guest joins",
        "    2.000  cleo's guest joins as “desk 2” with a lease of 10 s",
        "    2.500  cleo as “desk” sets status and nothing else",
        "    2.500  ann sets typing for 5 s",
        "    4.000  the network falls into ann and bob | cleo and dan",
        "    4.000  bob hears nothing of ann any more",
        "    4.000  dan says leave for ann",
        "    4.000  expected within 30 ms: what ann wrote to cursor has reached everybody",
        "    9.000  the end",
    ] {
        assert!(text.lines().any(|other| other == line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("{ "), "no debug dump:\n{text}");
}

/// Steps told out of their order stand in the order of time, and those of one moment in the order told.
#[test]
fn steps_stand_in_the_order_of_time() {
    let story = Story::new("order").hosts(2).at(500).crash(0).at(100).start(0).join(0).then_after(400).start(0);
    let told: Vec<(u64, String)> = story.steps.iter().map(|(at, step)| (*at, step.to_string())).collect();
    let expected = [(100, "ann starts"), (100, "ann joins"), (500, "ann is killed"), (500, "ann starts")];
    assert_eq!(told, expected.map(|(at, words)| (at, words.to_owned())));
    assert_eq!(story.until, 500);
}

#[test]
fn the_same_seed_draws_the_same_story() {
    assert_eq!(Story::random(4), Story::random(4));
    assert_ne!(Story::random(4).steps, Story::random(5).steps);
    let again = Story::random(4);
    assert!(again.steps.is_sorted_by_key(|(at, _)| *at));
}

/// No fault that the design names is left out of the stories that are drawn, and none takes them over.
#[test]
fn random_stories_draw_every_fault() {
    let stories: Vec<Story> = (0..400).map(Story::random).collect();
    let with = |what: &str, has: &dyn Fn(&Story) -> bool| {
        let count = stories.iter().filter(|story| has(story)).count();
        assert!((10..=399).contains(&count), "{count} of 400 have {what}");
    };
    let weather = |what: &str, has: fn(&Faults) -> bool| {
        with(what, &|story| {
            let turns = story.steps.iter().filter_map(|(_, step)| match step {
                Step::Weather { faults, .. } => Some(faults),
                _ => None,
            });
            turns.chain([&story.weather]).any(has)
        });
    };
    let step = |what: &str, is: fn(&Step) -> bool| {
        with(what, &|story| story.steps.iter().any(|(_, step)| is(step)));
    };
    weather("loss", |faults| faults.loss > 0);
    weather("duplication", |faults| faults.doubled > 0);
    weather("reordering", |faults| faults.reorder);
    weather("latency", |faults| faults.longest() >= 400);
    weather("full queues", |faults| faults.queue.is_some());
    with("partial meshes", &|story| story.edges != mesh(story.hosts.len()));
    with("clock skew", &|story| story.hosts.iter().any(|host| host.clock_ms != 0));
    with("two devices of one person", &|story| story.hosts[0].person == story.hosts[1].person);
    step("partitions", |step| matches!(step, Step::Partition { .. }));
    step("asymmetric links", |step| matches!(step, Step::Deafen { .. }));
    step("another way for one direction", |step| matches!(step, Step::Weather { between: Some(_), .. }));
    step("clock steps", |step| matches!(step, Step::Clock { .. }));
    step("sleep", |step| matches!(step, Step::Sleep { .. }));
    step("a kill", |step| matches!(step, Step::Crash { farewell: true, .. }));
    step("a power cut", |step| matches!(step, Step::Crash { farewell: false, .. }));
    step("a cable that is out", |step| matches!(step, Step::Unplug { .. }));
    step("replayed frames", |step| matches!(step, Step::Replay { .. }));
    step("forged frames", |step| matches!(step, Step::Forge { .. }));
    step("lost writes", |step| matches!(step, Step::Lose { kind: FrameKind::Cells, .. }));
    with("private rooms", &|story| story.private);
    step("a lock", |step| matches!(step, Step::Lock { on: true, .. }));
    step("a host who is named", |step| matches!(step, Step::NameHost { on: true, .. }));
    step("a host who is none any more", |step| matches!(step, Step::NameHost { on: false, .. }));
    step("a void", |step| matches!(step, Step::Void { on: true, .. }));
    step("a usurper", |step| matches!(step, Step::Lie { lie: Lie::Usurp { .. }, .. }));
    with("restarts", &|story| {
        let restarts = |host| story.steps.iter().filter(|(_, step)| *step == Step::Start { host }).count() > 1;
        (0..story.hosts.len()).any(|host| restarts(host) && story.steps.iter().any(|(_, step)| ends(step, host)))
    });

    let liars: Vec<&Story> = stories.iter().filter(|story| story.hosts.iter().any(|host| host.hostile)).collect();
    assert!((30..120).contains(&liars.len()), "{} of 400 have a liar", liars.len());
    let told: std::collections::HashSet<std::mem::Discriminant<Lie>> = liars
        .iter()
        .flat_map(|story| &story.steps)
        .filter_map(|(_, step)| if let Step::Lie { lie, .. } = step { Some(std::mem::discriminant(lie)) } else { None })
        .collect();
    assert_eq!(told.len(), 20, "every lie is told");
}

fn ends(step: &Step, of: usize) -> bool {
    matches!(step, Step::Crash { host, .. } | Step::Quit { host } if *host == of)
}
