//! What a cluster promises to whoever writes a test with it.

use std::time::Duration;

use libtest_mimic::Trial;
use parlor_testkit::cluster::{Cluster, Failure, Layer, play};
use parlor_testkit::story::{Expect, Story, set};
use serde_json::json;

/// All of them.
pub fn all() -> Vec<Trial> {
    macro_rules! trials {
        ($($test:ident),* $(,)?) => {
            vec![$(Trial::test(concat!("words::", stringify!($test)), || crate::told($test()))),*]
        };
    }
    trials![
        nobody_is_connected_whom_the_test_did_not_connect,
        a_cut_pair_is_apart_and_back_within_two_seconds,
        who_starts_in_one_part_meets_the_other_when_it_is_mended,
        a_crash_is_noticed_and_a_restart_is_the_same_person,
        words_that_cannot_be_had_say_who_has_them,
        what_is_missed_says_what_was_so_instead,
        a_value_that_nobody_wrote_is_noticed,
        an_answer_that_should_not_be_is_noticed,
        where_no_program_runs_nothing_happens,
    ]
}

/// The hosts that a host is connected to, by the names of their people.
async fn connected(cluster: &Cluster, hosts: usize, host: usize) -> Result<Vec<usize>, Failure> {
    let mut ids = Vec::new();
    for other in 0..hosts {
        ids.push(match cluster.live(other) {
            Ok(live) => live.status().await.peer_id,
            Err(_) => String::new(),
        });
    }
    let peers = cluster.live(host)?.peers().await;
    let mut found: Vec<usize> = peers
        .iter()
        .map(|peer| ids.iter().position(|id| *id == peer.peer_id).expect("a peer of the cluster"))
        .collect();
    found.sort_unstable();
    Ok(found)
}

async fn nobody_is_connected_whom_the_test_did_not_connect() -> Result<(), Failure> {
    let story = Story::new("a line").hosts(4).links(&[(0, 1), (1, 2), (2, 3)]).all_start().at(300).all_join();
    let mut cluster = Cluster::of(&story)?;
    cluster.play(&story.expect_agreement_within(6_000)).await?;
    for (host, expected) in [vec![1], vec![0, 2], vec![1, 3], vec![2]].into_iter().enumerate() {
        assert_eq!(connected(&cluster, 4, host).await?, expected, "of host {host}");
    }
    cluster.close().await
}

async fn a_cut_pair_is_apart_and_back_within_two_seconds() -> Result<(), Failure> {
    let mut cluster = Cluster::start(3).await?;
    cluster.all_join().await?;
    cluster.expect_agreement_within(5_000).await?;
    for _ in 0..3 {
        cluster.cut(0, 2).await?;
        assert_eq!(connected(&cluster, 3, 0).await?, [1]);
        assert_eq!(connected(&cluster, 3, 2).await?, [1]);
        cluster.presence(0, set("cursor")).await?;
        cluster.expect_seen_within(2_000, 0, "cursor").await?;
        cluster.mend(0, 2).await?;
        until("a connection again", Duration::from_secs(2), async || {
            Ok(connected(&cluster, 3, 0).await? == [1, 2] && connected(&cluster, 3, 2).await? == [0, 1])
        })
        .await?;
    }
    cluster.expect_nobody_left_since(0).await?;
    cluster.expect_agreement_within(5_000).await?;
    cluster.close().await
}

async fn who_starts_in_one_part_meets_the_other_when_it_is_mended() -> Result<(), Failure> {
    let mut cluster = Cluster::start(3).await?;
    cluster.all_join().await?;
    cluster.crash(2).await?;
    cluster.partition(&[&[0], &[1, 2]]).await?;
    cluster.restart(2).await?;
    assert_eq!(connected(&cluster, 3, 2).await?, [1]);
    cluster.join(2).await?;
    cluster.presence(2, set("cursor")).await?;
    cluster.mend_all().await?;
    assert!(connected(&cluster, 3, 2).await?.contains(&0), "they had never met, so they were told of each other");
    cluster.expect_seen_within(3_000, 2, "cursor").await?;
    cluster.expect_agreement_within(6_000).await?;
    cluster.close().await
}

async fn a_crash_is_noticed_and_a_restart_is_the_same_person() -> Result<(), Failure> {
    let mut cluster = Cluster::start(2).await?;
    cluster.all_join().await?;
    cluster.expect_agreement_within(5_000).await?;
    let before = (cluster.live(1)?.user_id(), cluster.live(1)?.status().await.session_id);
    cluster.crash(1).await?;
    assert!(matches!(cluster.live(1), Err(Failure::Off(host)) if host == "bob"));
    cluster.expect_gone_within(6_000, 1).await?;
    let log = cluster.log();
    assert!(log.contains("ann: bob is stale") && log.contains("ann: bob left, Disconnected"), "nobody said it: {log}");
    cluster.restart(1).await?;
    cluster.restart(1).await?;
    let after = (cluster.live(1)?.user_id(), cluster.live(1)?.status().await.session_id);
    assert!(before.0 == after.0 && before.1 != after.1, "the same person in another session: {before:?}, {after:?}");
    cluster.join(1).await?;
    cluster.expect_known_within(3_000, 1).await?;
    // A program that ends as it should is waited for, since it holds its profile.
    cluster.quit(1).await?;
    cluster.restart(1).await?;
    cluster.expect_members(0, 1).await?;
    cluster.close().await
}

async fn words_that_cannot_be_had_say_who_has_them() -> Result<(), Failure> {
    let story = Story::new("a nap").hosts(2).all_start().at(1_000).sleep(0, 30_000);
    let refused = play(&story).await.expect_err("real computers do not sleep on demand");
    let Failure::Unsupported(unsupported) = refused else { panic!("{refused}") };
    assert_eq!((unsupported.word.as_str(), unsupported.layer), ("ann sleeps for 30 s", Layer::Simulator));
    let mut cluster = Cluster::start(1).await?;
    for (_, step) in Story::new("words").hosts(1).unplug(0, 1_000).power_cut(0).steps {
        let Err(Failure::Unsupported(unsupported)) = cluster.act(&step).await else { panic!("{step} was done") };
        assert_eq!(unsupported.layer, Layer::SimulatorOrNamespaces);
    }
    assert!(matches!(cluster.join(7).await, Err(Failure::NoHost { host: 7, hosts: 1 })));
    cluster.close().await
}

async fn what_is_missed_says_what_was_so_instead() -> Result<(), Failure> {
    let mut cluster = Cluster::start(2).await?.patience(Duration::from_millis(300));
    cluster.all_join().await?;
    cluster.expect_agreement_within(5_000).await?;
    cluster.cut(0, 1).await?;
    cluster.presence(1, set("cursor")).await?;
    let missed = cluster.expect_seen_within(200, 1, "cursor").await.expect_err("it cannot come").to_string();
    assert!(
        missed.contains("expected: what bob wrote to cursor has reached everybody, but ann has 2 and not 3"),
        "{missed}"
    );
    assert!(
        missed.contains("-- the wire between ann and bob is cut") && missed.contains("ann: bob joined"),
        "{missed}"
    );
    let missed = cluster.expect_agreement_within(100).await.expect_err("nobody agrees").to_string();
    let differs = r#"but ann has as the member of bob at bob: {"cursor":2}"#;
    assert!(missed.contains(differs), "{missed}");
    cluster.expect_gone_within(6_000, 1).await?;
    let told = cluster.expect_nobody_left_since(0).await.expect_err("both were told").to_string();
    assert!(told.contains("left, Disconnected"), "{told}");

    let story = Story::new("nobody comes").hosts(2).all_start().at(200).join(0).expect_known_within(300, 1);
    let mut cluster = Cluster::of(&story)?.patience(Duration::from_millis(300));
    let missed = cluster.play(&story).await.expect_err("nobody came");
    assert!(matches!(&missed, Failure::Missed { allowed_ms: 300, waited_ms: 600.., .. }), "{missed}");
    Ok(())
}

/// The oracles are not only for stories: what the test does past the words is judged as well.
async fn a_value_that_nobody_wrote_is_noticed() -> Result<(), Failure> {
    let mut cluster = Cluster::start(2).await?;
    cluster.all_join().await?;
    cluster.expect_agreement_within(5_000).await?;
    let secret = parlor::PresenceChange::new(json!({ "cursor": 4711 }));
    cluster.room(0)?.presence(secret).await.expect("a member's presence");
    let seen = Expect::Sees { observers: vec![1], of: 0.into(), field: "cursor".into() };
    let broken = loop {
        if let Err(broken) = cluster.expect_within(1_000, seen.clone()).await {
            break broken.to_string();
        }
    };
    assert!(broken.contains("ann shows cursor 4711, which nobody wrote"), "{broken}");
    assert!(cluster.close().await.is_err(), "and it is not forgotten");
    Ok(())
}

async fn an_answer_that_should_not_be_is_noticed() -> Result<(), Failure> {
    let mut cluster = Cluster::start(1).await?;
    cluster.join(0).await?;
    cluster.room(0)?.leave(parlor::Leave::default()).await.expect("leaving always works");
    let broken = cluster.presence(0, set("cursor")).await.expect_err("it left behind the cluster's back").to_string();
    assert!(broken.contains("calls answer what they should") && broken.contains("NotJoined"), "{broken}");
    Ok(())
}

async fn where_no_program_runs_nothing_happens() -> Result<(), Failure> {
    let mut cluster = Cluster::start(2).await?;
    cluster.quit(1).await?;
    cluster.join(1).await?;
    cluster.presence(1, set("cursor")).await?;
    cluster.moving(1, "cursor", 10, 100).await?;
    cluster.metadata(1, "title").await?;
    cluster.leave(1).await?;
    cluster.crash(1).await?;
    cluster.quit(1).await?;
    cluster.join(0).await?;
    cluster.expect_members(0, 1).await?;
    cluster.expect_members(1, 0).await?;
    cluster.close().await
}

/// Asks again and again until the answer is yes.
async fn until(
    what: &str,
    within: Duration,
    mut ask: impl AsyncFnMut() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let began = std::time::Instant::now();
    while !ask().await? {
        assert!(began.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
