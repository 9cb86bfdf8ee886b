//! Each lie reaches the rule that it means to break, at honest replicas, and breaks none.

use parlor_core::{CellKey, EvidenceVerdict, MemberState, MembersQuery, WitnessSays};

use super::*;
use crate::story::{Step, Story, set};

/// Three honest hosts and a liar, in calm; the lie is told at 20 s.
fn told(lie: Lie) -> World {
    let story = Story::new("a liar").hosts(4).hostile(3).all_start().at(2_000).all_join().at(3_000);
    let story = (0..4).fold(story, |story, host| story.presence(host, set("cursor")).metadata(host, "title"));
    let story = story.at(9_000).expect_agreement().at(20_000).lie(3, lie).then_after(30_000).expect_agreement();
    let mut world = World::new(&story, 0);
    world.play_out();
    assert_eq!(world.violation, None, "{lie:?}");
    world
}

/// What a replica counted.
fn count(world: &World, host: usize, what: &str) -> u64 {
    world.hosts[host].process.as_ref().map_or(0, |process| process.replica.counters().get(what))
}

#[test]
fn each_lie_is_refused_by_its_own_rule() {
    let cases = [
        (Lie::TheirMemberId { victim: 0 }, "member_id_of_another"),
        (Lie::TheirGuest { victim: 0 }, "actor"),
        (Lie::ChangeHands, "record_changed_hands"),
        (Lie::TheirCertificate { victim: 0 }, "certificate"),
        (Lie::TooLarge, "metadata_over_limit"),
        (Lie::TooLarge, "presence_over_limit"),
        (Lie::TooLarge, "cell_value"),
        (Lie::TooDeep, "frame_unreadable"),
        (Lie::Stamp { hlc: u64::MAX }, "cell_stamp_over_cap"),
        (Lie::TheirCell { victim: 0 }, "cell_signature"),
        (Lie::Asks { count: 20 }, "asked_too_often"),
        (Lie::SyncUnasked, "sync_unasked"),
        (Lie::SyncUnasked, "sync_unreadable"),
        (Lie::SyncUnasked, "sync_by_gossip"),
        (Lie::FalseWitness { victim: 0 }, "testimony_unasked"),
        (Lie::FalseWitness { victim: 0 }, "witness_by_gossip"),
        (Lie::FalseWitness { victim: 0 }, "witness_asked_too_often"),
        (Lie::Garbage { count: 60 }, "frame_unreadable"),
        (Lie::Garbage { count: 60 }, "frame_version"),
    ];
    for (lie, why) in cases {
        let world = told(lie);
        let counts: Vec<u64> = (0..3).map(|host| count(&world, host, why)).collect();
        assert!(counts.iter().all(|count| *count > 0), "{lie:?}: {why} {counts:?}");
    }
    let plain = told(Lie::Tombstones { count: 1 });
    let kinds = cases.map(|(_, why)| why);
    assert!(kinds.iter().all(|why| count(&plain, 1, why) == 0), "none of these is counted without its lie");
}

/// In a private room whoever is no host decides nothing, however well it signs, and writes into no lock.
#[test]
fn a_usurper_decides_nothing() {
    let story = Story::new("a usurper").hosts(4).private().hostile(3).all_start().at(2_000).all_join();
    let story = story.at(9_000).metadata(1, "title").at(12_000).lock(0).at(15_000).expect_agreement();
    let story = story.at(16_000).lie(3, Lie::Usurp { victim: 1 }).lie(3, Lie::Usurp { victim: 2 });
    let mut world = World::new(&story.until(40_000), 0);
    world.play(30_000);
    let before = world.hosts[1].process.as_ref().unwrap().replica.metadata();
    assert!(before.metadata["title"].is_u64(), "{before:?}");
    world.play_out();
    assert_eq!(world.violation, None);
    for host in 0..3 {
        for refused in ["cell_not_creator", "cell_of_creator"] {
            let counted = count(&world, host, refused);
            assert_eq!(counted > 0, refused == "cell_not_creator", "{refused} at {host}");
        }
        let access = world.access(host).unwrap();
        assert!(access.locked && access.epoch == 0 && access.people.iter().filter(|person| person.host).count() == 1);
    }
}

/// Who is invented appears, since the liar answers for it, and goes with its silence.
#[test]
fn inventions_appear_and_go() {
    let story = Story::new("inventions").hosts(3).hostile(2).all_start().at(2_000).all_join();
    let story = story.at(9_000).lie(2, Lie::Sessions { count: 9 }).until(40_000);
    let mut world = World::new(&story, 0);
    let listed = |world: &World| world.views.all(world.hosts[0].session().unwrap()).count();
    world.play(8_000);
    assert_eq!(listed(&world), 3);
    world.play(12_000);
    assert_eq!(listed(&world), 12);
    world.play_out();
    assert_eq!((listed(&world), world.violation.clone()), (3, None));
}

/// The last stamp that there is freezes its register, for the liar's own value, the same everywhere.
#[test]
fn the_last_stamp_freezes_a_key() {
    let mut world = told(Lie::Stamp { hlc: parlor_core::HLC_MAX });
    let metadata = |world: &World| world.hosts[0].process.as_ref().unwrap().replica.metadata().metadata.clone();
    let (key, _) = metadata(&world).into_iter().find(|(_, value)| value.as_str().is_some()).unwrap();
    assert!(CellKey::metadata(&key).object.is_empty());
    let before = metadata(&world);
    world.set_metadata(0, &key, false);
    assert_eq!((metadata(&world), world.violation.clone()), (before, None), "{key} is frozen");
}

/// Numbers at their end stop nobody but the liar.
#[test]
fn others_go_on_after_the_last_numbers() {
    for lie in
        [Lie::LastNumbers, Lie::FalseHashes, Lie::TheirLeave { victim: 0 }, Lie::TheirFrames { victim: 0, frames: 50 }]
    {
        let world = told(lie);
        for (host, replica) in world.honest() {
            let listed = super::super::converge::by_member(replica, world.hosts[host].tick(world.now));
            let honest = listed.iter().filter(|member| world.is_honest(&member.key()));
            assert_eq!(honest.clone().count(), 3, "{lie:?}");
            assert!(honest.clone().all(|member| member.state == MemberState::Active), "{lie:?}");
        }
    }
}

/// A boot counter at its end ends the liar's own run, and not that of the profile whose number it claims.
#[test]
fn the_last_boot_is_its_own_end() {
    let world = told(Lie::LastBoot { victim: 0 });
    assert!(count(&world, 3, "identity_cloned") > 0);
    assert_eq!(count(&world, 0, "identity_cloned"), 0);
    let liar = &world.hosts[3].person.actor.user_id;
    for host in 0..3 {
        let listed: Vec<_> = world.views.all(session(&world, host)).map(|(_, member)| &member.actor.user_id).collect();
        assert!(listed.len() == 3 && !listed.contains(&liar), "{listed:?}");
    }
}

/// Whoever swears to hear a dead host, or that it left, is one voice among others: it goes when its time is over, and the
/// honest say that they do not hear it.
#[test]
fn a_false_witness_is_one_voice() {
    let story = Story::new("perjury").hosts(4).hostile(3).all_start().at(2_000).all_join().at(9_000).expect_agreement();
    let story = story
        .at(20_000)
        .lie(3, Lie::FalseWitness { victim: 0 })
        .at(25_000)
        .step(Step::Crash { host: 0, farewell: false });
    let mut world = World::new(&story.until(60_000), 0);
    world.play(25_000);
    let dead = world.hosts[0].person.actor.user_id.clone();
    let mut judged = 0;
    for at in (25_500..40_000).step_by(250) {
        world.play(at);
        for host in [1, 2] {
            let query = MembersQuery { evidence: true, ..MembersQuery::default() };
            let replica = &world.hosts[host].process.as_ref().unwrap().replica;
            let page = replica.members(&query, world.hosts[host].tick(world.now)).unwrap();
            let row = page.members.iter().find(|row| row.actor.user_id == dead);
            let Some(evidence) = row.and_then(|row| row.evidence.as_ref()) else { continue };
            // Both have answered: before that it is the word of one.
            if evidence.witnesses.iter().filter(|witness| witness.says != WitnessSays::Nothing).count() < 2 {
                continue;
            }
            judged += 1;
            assert_ne!(evidence.verdict, EvidenceVerdict::YouLostThem, "{evidence:?}");
        }
    }
    world.play_out();
    assert_eq!(world.violation, None);
    assert!(judged > 10, "{judged}");
    assert!(count(&world, 1, "testimony_unasked") > 4, "the true answer of the liar comes after the false one");
}

fn session(world: &World, host: usize) -> crate::sim::Session {
    world.hosts[host].session().unwrap()
}

/// A host that is not hostile never lies, whatever the story says.
#[test]
fn the_honest_do_not_lie() {
    let plain = Story::new("honest").hosts(2).all_start().at(2_000).all_join().until(9_000);
    let asked = plain.clone().at(3_000).lie(1, Lie::Garbage { count: 9 });
    let frames = |story: &Story| crate::sim::play(story).frames;
    assert_eq!(frames(&plain), frames(&asked));
}
