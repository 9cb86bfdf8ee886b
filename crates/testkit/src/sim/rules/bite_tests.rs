//! Every oracle can fail: each is shown something that breaks its rule, in a world where all else is well, and names it.
//!
//! What nobody could see of a sound core is made up here: an event that no replica gave, a network that changes behind the
//! oracle's back, a replica that somebody wrote into.

use std::sync::Arc;

use parlor_core::{
    AccessChange, Event, EvidenceVerdict, LeftReason, Member, MembersQuery, MetadataChange, Witness, WitnessSays,
};
use serde_json::{Value, json};

use super::*;
use crate::sim::converge;
use crate::sim::host::Host;
use crate::sim::oracle::Told;
use crate::sim::run::{held_against, play};
use crate::sim::sessions::Session;
use crate::story::{Edit, Expect, Faults, FrameKind, Step, Story, guest, person, set};

/// Four hosts, whose people know each other since long.
fn calm(then: impl FnOnce(Story) -> Story) -> World {
    let story =
        Story::new("calm").hosts(4).latency(3..=3).all_start().at(2_000).all_join().at(9_000).expect_agreement();
    let mut world = World::new(&then(story.at(20_000)).until(200_000), 0);
    world.play(20_000);
    assert_eq!(world.violation, None);
    world
}

/// The rule that is broken, and how.
fn broken(world: &World) -> (&str, &str) {
    let violation = world.violation.as_ref().expect("a rule is broken");
    (&violation.rule, &violation.detail)
}

fn session(world: &World, host: usize) -> Session {
    world.hosts[host].session().expect("it runs")
}

/// The member of a host's person as another host was told of it.
fn member(world: &World, of: usize, at: usize) -> Arc<Member> {
    let user = &world.hosts[of].person.actor.user_id;
    let mut all = world.views.all(session(world, at));
    all.find(|(_, member)| member.actor.user_id == *user).map(|(_, member)| member.clone()).expect("it is known")
}

/// The same with another value in a field, or without it.
fn with(member: &Member, field: &str, value: Option<u64>) -> Event {
    let mut member = member.clone();
    match value {
        Some(value) => member.record.presence.insert(field.to_owned(), json!(value)),
        None => member.record.presence.remove(field),
    };
    Event::Updated { member: Arc::new(member), changed: vec![field.to_owned()] }
}

fn left(member: Arc<Member>, reason: LeftReason) -> Event {
    Event::Left { member, reason }
}

/// What host 1 is told about the person of host 0.
fn told(event: impl FnOnce(&World, Arc<Member>) -> Event) -> World {
    let mut world = calm(|story| story);
    let event = event(&world, member(&world, 0, 1));
    let observer = session(&world, 1);
    world.tell(observer, &event);
    world
}

#[test]
fn the_grammar_of_events() {
    let joined = told(|_, member| Event::Joined { member });
    assert_eq!(broken(&joined), (GRAMMAR, "ann joined, who was there"));
    let nothing = told(|_, member| Event::Updated { member, changed: Vec::new() });
    assert_eq!(broken(&nothing), (GRAMMAR, "ann was updated, and nothing changed"));
    let active = told(|_, member| Event::Active { member });
    assert_eq!(broken(&active), (GRAMMAR, "ann turned to what it was"));
    let mut world = calm(|story| story.leave(0));
    let gone = member(&world, 0, 1);
    world.play(21_000);
    let observer = session(&world, 1);
    world.tell(observer, &left(gone, LeftReason::Left));
    assert_eq!(broken(&world), (GRAMMAR, "something happened to ann, who was not there"));
}

#[test]
fn the_list_is_what_events_said() {
    let mut world = calm(|story| story);
    let (observer, row) = (session(&world, 1), world.views.row(&member(&world, 0, 1)));
    let event = with(&member(&world, 0, 1), "cursor", Some(3));
    world.views.apply(observer, row, &event);
    world.play(22_000);
    let (rule, detail) = broken(&world);
    assert!(rule == GRAMMAR && detail.starts_with("bob was told "), "{detail}");
}

#[test]
fn no_field_goes_back() {
    let cursor = |member: &Member| member.record.presence["cursor"].as_u64().unwrap();
    let world = told(|_, member| with(&member, "cursor", Some(9_999)));
    assert_eq!(broken(&world), (FORWARD, "ann shows cursor 9999, which nobody wrote"));

    let mut world = calm(|story| story.presence(0, set("cursor")));
    let old = member(&world, 0, 1);
    world.play(21_000);
    let (new, observer) = (member(&world, 0, 1), session(&world, 1));
    assert!(cursor(&new) > cursor(&old));
    world.tell(observer, &with(&new, "cursor", Some(cursor(&old))));
    let back = format!("cursor of ann went back from {} to {}", cursor(&new), cursor(&old));
    assert_eq!(broken(&world), (FORWARD, &*back));

    let mut world = calm(|story| story);
    let (ann, observer) = (member(&world, 0, 1), session(&world, 1));
    world.tell(observer, &with(&ann, "cursor", None));
    assert_eq!(world.violation, None);
    world.tell(observer, &with(&ann, "cursor", Some(cursor(&ann))));
    assert_eq!(broken(&world), (FORWARD, &*format!("cursor of ann is {} again, after it went", cursor(&ann))));
}

/// What a join gives goes back no more than what is live.
#[test]
fn no_metadata_of_a_member_goes_back() {
    let mut world = calm(|story| story.join(0));
    let old = member(&world, 0, 1);
    world.play(21_000);
    let (new, observer) = (member(&world, 0, 1), session(&world, 1));
    let mut back = (*new).clone();
    back.record.metadata.clone_from(&old.record.metadata);
    world.tell(observer, &Event::Updated { member: Arc::new(back), changed: Vec::new() });
    let (rule, detail) = broken(&world);
    assert!(rule == FORWARD && detail.starts_with("the turn of its metadata of ann went back"), "{detail}");
}

#[test]
fn nobody_appears_who_left_crashed_or_never_was() {
    for (gone, then) in [
        ("left", Step::Leave { by: person(0), member: None }),
        ("crashed", Step::Crash { host: 0, farewell: true }),
        ("lost power", Step::Crash { host: 0, farewell: false }),
    ] {
        let mut world = calm(|story| story.step(then));
        let ann = member(&world, 0, 1);
        // A leave is told to all, so nothing of it can be on its way; of a crash that may be for some seconds.
        world.play(if gone == "left" { 20_500 } else { 40_000 });
        assert_eq!(world.violation, None);
        let observer = session(&world, 1);
        world.tell(observer, &Event::Joined { member: ann });
        let (rule, detail) = broken(&world);
        assert!(rule == APPEAR && detail.starts_with("ann appeared, but is over"), "{gone}: {detail}");
    }
    let mut world = calm(|story| story);
    let (mut nobody, observer) = ((*member(&world, 0, 1)).clone(), session(&world, 1));
    nobody.record.member_id = parlor_core::MemberId::new("nobody").unwrap();
    world.tell(observer, &Event::Joined { member: Arc::new(nobody) });
    assert_eq!(broken(&world), (APPEAR, "“nobody” of ann appeared, who never was"));
}

/// The row stays, since its person is there with another device; the dead session in it is found all the same.
#[test]
fn no_dead_device_comes_back() {
    let mut world = calm(|story| story);
    let (device, row) = (session(&world, 0), member(&world, 0, 1).key());
    world.play(24_500);
    // As if it had ended long ago, and the observer had been without it until now.
    world.truth.ended(device, &row, crate::sim::truth::End::Died, 1_000);
    let mut appear = appear::Appear::default();
    let second = |appear: &mut appear::Appear, world: &mut World, at: u64| {
        world.now = at;
        appear.second(world)
    };
    second(&mut appear, &mut world, 24_000).unwrap();
    assert_eq!(second(&mut appear, &mut world, 28_000), Ok(()), "who was there before is not back");
    appear.forget_a_look(session(&world, 1));
    let detail = second(&mut appear, &mut world, 32_000).unwrap_err();
    assert!(detail.starts_with("ann of ann is back at bob, but is over"), "{detail}");
}

#[test]
fn members_end_by_their_owner_or_by_silence() {
    let world = told(|_, member| left(member, LeftReason::Left));
    assert_eq!(broken(&world), (LEASES, "ann left, Left, which its owner never said"));
    let world = told(|_, member| left(member, LeftReason::Superseded));
    assert_eq!(broken(&world), (LEASES, "ann left, Superseded, which its owner never said"));
    for reason in [LeftReason::Timeout, LeftReason::Disconnected] {
        let (rule, detail) = (told(|_, member| left(member, reason))).violation.map(|v| (v.rule, v.detail)).unwrap();
        assert!(rule == LEASES && detail.starts_with(&format!("ann left, {reason:?}, though ann heard ")), "{detail}");
    }
}

/// A word that its witness could not have given, of somebody who is given up.
#[test]
fn a_witness_that_knows_more_than_it_can() {
    let gave_up = |change: fn(&mut Witness)| {
        let mut world = calm(|story| story.step(Step::Crash { host: 0, farewell: false }));
        world.play(26_500);
        assert_eq!(world.violation, None);
        let observer = &world.hosts[1];
        let query = MembersQuery { evidence: true, ..MembersQuery::default() };
        let replica = &observer.process.as_ref().unwrap().replica;
        let listed = replica.members(&query, observer.tick(world.now)).unwrap().members;
        let ann = &world.hosts[0].person.actor.user_id;
        let mut ann = (**listed.iter().find(|member| member.actor.user_id == *ann).unwrap()).clone();
        let evidence = ann.evidence.as_mut().unwrap();
        assert_eq!(evidence.verdict, EvidenceVerdict::AllLostThem);
        change(&mut evidence.witnesses[0]);
        let told = session(&world, 1);
        let mut hearsay = hearsay::Hearsay::default();
        let event = left(Arc::new(ann), LeftReason::Timeout);
        let row = Some(world.views.row(&member(&world, 0, 1)));
        let judged = hearsay.told(&world, &Told { observer: told, event: &event, row, before: None });
        (judged.map_err(|detail| detail.contains("ann")), hearsay.judged())
    };
    assert_eq!(gave_up(|_| {}), (Ok(()), 2));
    assert_eq!(gave_up(|witness| witness.heard_ms_ago = Some(10)), (Err(true), 1));
    let heard_first = gave_up(|witness| (witness.says, witness.heard_ms_ago) = (WitnessSays::Hears, Some(60_000)));
    assert_eq!(heard_first.0, Err(true));
    assert_eq!(gave_up(|witness| witness.session_id.clear()).0, Err(true));
    assert!(is_always_watched(HEARSAY));
}

/// Ten minutes asleep are no silence: who is removed by it right after waking breaks the rule.
#[test]
fn nobody_expires_by_time_slept_through() {
    let mut world = calm(|story| story.sleep(1, 600_000).until(700_000));
    let ann = member(&world, 0, 1);
    world.play(620_000);
    let observer = session(&world, 1);
    world.tell(observer, &left(ann, LeftReason::Timeout));
    let (rule, detail) = broken(&world);
    assert!(rule == LEASES && detail.starts_with("ann left, Timeout, though ann heard "), "{detail}");
}

/// Silence is seen with no traffic: an observer that keeps a dead member breaks the rule as well.
#[test]
fn silence_that_nobody_sees() {
    for (ms, seen) in [(11_000, "still here"), (6_000, "active")] {
        let mut world = calm(|story| story);
        // Time passes, and no replica is told of it.
        world.now += ms;
        world.watch(|oracle, world| oracle.second(world));
        let (rule, detail) = broken(&world);
        assert!(rule == LEASES && detail.contains(&format!("is {seen} at ")), "{detail}");
    }
}

fn shared(world: &World, key: &str, value: Value) -> Event {
    let mut metadata = (*world.hosts[1].process.as_ref().unwrap().replica.metadata()).clone();
    metadata.metadata.insert(key.to_owned(), value);
    Event::Metadata { metadata: Arc::new(metadata), changed: vec![key.to_owned()] }
}

#[test]
fn a_new_write_beats_what_its_author_saw() {
    let mut world = calm(|story| story.metadata(0, "title").then_after(100).metadata(2, "title"));
    world.play(20_050);
    let old = world.hosts[1].process.as_ref().unwrap().replica.metadata().metadata["title"].clone();
    world.play(21_000);
    let observer = session(&world, 1);
    let event = shared(&world, "title", old.clone());
    world.tell(observer, &event);
    let (rule, detail) = broken(&world);
    assert!(rule == BEATS && detail.ends_with(&format!("to {old}, which its writer saw")), "{detail}");

    let mut world = calm(|story| story);
    let (event, observer) = (shared(&world, "title", json!(9_999)), session(&world, 1));
    world.tell(observer, &event);
    assert_eq!(broken(&world), (BEATS, "title is 9999, which nobody wrote"));
}

#[test]
fn messages_are_told_once_and_stay() {
    let mut world = calm(|story| story.say(0));
    world.play(21_000);
    let message = world.hosts[1]
        .process
        .as_ref()
        .unwrap()
        .replica
        .history(&parlor_core::HistoryQuery::default())
        .unwrap()
        .messages[0]
        .clone();
    let (event, observer) = (Event::Message { message: message.clone() }, session(&world, 1));
    world.tell(observer, &event);
    let (rule, detail) = broken(&world);
    assert!(rule == KEPT && detail.ends_with("of ann is told twice"), "{detail}");

    let mut world = calm(|story| story);
    let mut lost = (*message).clone();
    (lost.id, lost.data) = ("m_lost".to_owned(), json!(1));
    world.tell(observer, &Event::Message { message: Arc::new(lost) });
    world.play(22_000);
    assert_eq!(broken(&world), (KEPT, "bob lost message m_lost"));
}

// R15: what was answered is there when every program died and began again; a disk that forgets it is noticed.
#[test]
fn what_was_said_outlives_its_program() {
    let lived = |forgets: bool| {
        let mut world = calm(|story| {
            let dead = (0..4).fold(story.say(0).at(21_000), Story::crash);
            (0..4).fold(dead.at(22_000), Story::start)
        });
        world.play(21_500);
        if forgets {
            world.hosts.iter_mut().for_each(Host::forget);
        }
        world.play_out();
        world
    };
    assert_eq!(lived(false).violation, None);
    let world = lived(true);
    let (rule, detail) = broken(&world);
    assert!(rule == KEPT && detail.starts_with("ann lost message") && detail.ends_with("said itself"), "{detail}");
}

/// The network loses what is on its way to one host, and only the oracle does not know.
#[test]
fn an_update_that_does_not_come_in_time() {
    let writes: [fn(Story) -> Story; 4] = [
        |story| story.presence(0, set("cursor")),
        |story| story.metadata(0, "title"),
        |story| story.note(0, "plan", Edit::Write),
        |story| story.say(0),
    ];
    for write in writes {
        let twice = |story: Story| write(write(story).then_after(2_500));
        let mut world = calm(twice);
        world.play(22_500);
        assert_eq!(world.violation, None);
        world.network.deaf.extend([(0, 1), (2, 1), (3, 1)]);
        world.play(24_000);
        let (rule, detail) = broken(&world);
        assert!(rule == PROMPT && detail.contains("bob"), "{detail}");
    }
}

/// One that comes only little too late, between two looks of the oracle, is noticed when it comes.
#[test]
fn an_update_that_comes_a_little_late() {
    let mut world = calm(|story| story.presence(0, set("cursor")).then_after(100).presence(0, set("cursor")));
    world.network.faults = Faults::none(60);
    world.play(20_500);
    let (rule, detail) = broken(&world);
    assert!(rule == PROMPT && detail.ends_with(" ms too late"), "{detail}");
}

/// The frames of a repair are swallowed, and only the oracle does not know.
#[test]
fn a_lost_write_that_is_not_repaired() {
    let lost = |story: Story| story.lose(FrameKind::Cells, 1).metadata(0, "title");
    let mut world = calm(lost);
    world.play(30_000);
    assert_eq!(world.violation, None, "it is repaired in time");
    let mut world = calm(lost);
    for kind in 7..=9 {
        world.network.lost.insert(kind, u64::MAX);
    }
    world.play(30_000);
    let (rule, detail) = broken(&world);
    assert!(rule == REPAIR && detail.contains("3 beats after the last write, of the room's metadata"), "{detail}");
}

/// Somebody writes into one replica over and over, and its frames are swallowed.
#[test]
fn replicas_that_stay_apart() {
    let mut world = calm(|story| story);
    for second in 50..80 {
        world.play(second * 1_000 - 1);
        let value = world.truth.fresh(Some(session(&world, 2)));
        let (who, tick) = (world.hosts[2].person.clone(), world.hosts[2].tick(world.now));
        let replica = &mut world.hosts[2].process.as_mut().unwrap().replica;
        replica.set_metadata(&who, MetadataChange::new(json!({ "title": value })), tick).unwrap();
        while replica.poll_output().is_some() {}
    }
    let (rule, detail) = broken(&world);
    assert!(rule == AGREE && detail.contains("whole and quiet for ") && detail.contains("title"), "{detail}");
}

#[test]
fn the_same_seed_that_gives_another_trace() {
    let (one, other) = (play(&Story::random(1)), play(&Story::random(2)));
    assert_eq!(held_against(one.clone(), &one).violation, None);
    assert_eq!(held_against(one, &other).violation.unwrap().rule, SAME);
}

/// A member that the story never made is one whose owner answers what it should not.
#[test]
fn calls_that_answer_what_they_should_not() {
    let mut world = calm(|story| story);
    let (owner, row) = (session(&world, 0), member(&world, 0, 0).key());
    world.truth.ended(owner, &row, crate::sim::truth::End::Said, 20_000);
    world.step(&Step::Presence { by: person(0), member: None, change: set("cursor") });
    assert_eq!(broken(&world).0, ANSWERS);
}

/// Each expectation that does not come true, and what it would have been.
#[test]
fn what_is_expected_and_does_not_come() {
    type Before = fn(Story) -> Story;
    let all: [(Expect, Before); 8] = [
        (Expect::Agreement, |story| story.lose(FrameKind::Cells, 50).metadata(0, "title")),
        (Expect::Sees { observers: Vec::new(), of: person(0), field: "tool".into() }, |story| story),
        (Expect::Sees { observers: vec![1], of: person(0), field: "cursor".into() }, |story| {
            story.lose(FrameKind::Delta, 50).presence(0, set("cursor"))
        }),
        (Expect::Knows { observers: Vec::new(), of: guest(0) }, |story| story),
        (Expect::Gone { of: person(0) }, |story| story),
        (Expect::NobodyLeft { since_ms: 2_000 }, |story| story.leave(0)),
        (Expect::Asked { since_ms: 9_000, asked: true }, |story| story),
        (Expect::Members { observer: 0, count: 5 }, |story| story),
    ];
    for (what, before) in all {
        let mut world = calm(|story| before(story).then_after(20).expect(what.clone()));
        world.play(20_100);
        assert_eq!(broken(&world).0, what.rule());
    }
}

/// Somebody decides behind the oracle's back, so that no step of the story wished it.
#[test]
fn decisions_that_nobody_wished() {
    let private = |story: Story| Story { private: true, ..story };
    let decided = |decide: &dyn Fn(&mut World)| {
        let mut world = calm(private);
        decide(&mut world);
        world.play(30_000);
        let (rule, detail) = broken(&world);
        assert_eq!(rule, VERDICT, "{detail}");
        detail.to_owned()
    };
    let change = |world: &mut World, change: AccessChange| {
        let creator = world.hosts[0].person.clone();
        let called = world.call(0, |replica, tick| replica.change_access(&creator, &change, tick));
        called.expect("it runs").expect("it may");
    };
    let hosts = decided(&|world| {
        let hosts = [(world.hosts[1].person.actor.user_id.to_string(), true)].into();
        change(world, AccessChange { hosts, ..AccessChange::default() });
    });
    assert!(hosts.contains("whom the creator never named"), "{hosts}");
    let void = decided(&|world| {
        let void = [(world.hosts[1].person.actor.user_id.to_string(), true)].into();
        change(world, AccessChange { void, ..AccessChange::default() });
    });
    assert!(void.contains("for void"), "{void}");
    let set = |world: &mut World, value: Value| {
        let creator = world.hosts[0].person.clone();
        let called = world.call(0, |replica, tick| replica.set_metadata(&creator, MetadataChange::new(value), tick));
        called.expect("it runs").expect("it may");
    };
    let locked = decided(&|world| set(world, json!({"locked": true})));
    assert!(locked.contains("is locked for"), "{locked}");
    let mut world = calm(|story| private(story.lock(0)));
    world.play(21_000);
    world.hosts[3].hostile = true;
    set(&mut world, json!({"title": verdict::INTO_THE_LOCK}));
    world.play(30_000);
    assert!(broken(&world).0 == VERDICT && broken(&world).1.contains("and shows"), "{:?}", world.violation);
}

/// Replicas that come to two verdicts do not agree.
#[test]
fn two_verdicts_are_no_agreement() {
    let mut world = calm(|story| Story { private: true, ..story.partition(&[&[0, 1], &[2, 3]]).lock(0) });
    world.play(22_000);
    let difference = converge::difference(&world).expect("a difference");
    assert!(difference.contains("who may do what") || difference.contains("metadata"), "{difference}");
}

/// The table at the head of these rules names every oracle.
#[test]
fn all_rules_have_names_of_their_own() {
    let oracles = all();
    let names: std::collections::BTreeSet<&str> = oracles.iter().map(|oracle| oracle.rule()).collect();
    assert_eq!(names, [AGREE, REPAIR, FORWARD, BEATS, LEASES, APPEAR, GRAMMAR, PROMPT, KEPT, VERDICT, HEARSAY].into());
}
