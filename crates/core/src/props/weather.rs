//! One observer of three people whose frames are lost, doubled, late and out of order, while links go up and down, processes
//! die and computers sleep. What it shows is held against [`super::weather_model`] at every event and after every step;
//! and when the weather is fair for three beats, it shows exactly what is true.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::cases;
use super::weather_model::{KEYS, Sky, Step};
use super::weather_scene::Scene;

impl ReferenceStateMachine for Sky {
    type State = Sky;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Sky> {
        Just(Scene::begin().1).boxed()
    }

    fn transitions(sky: &Sky) -> BoxedStrategy<Step> {
        // Most of a story is about one of them.
        let owner = || prop_oneof![5 => Just(0), 2 => Just(1), 1 => Just(2)];
        let joined: Vec<usize> =
            [0, 0, 0, 1, 2].into_iter().filter(|owner| sky.owners[*owner].now().is_some()).collect();
        let writer = if joined.is_empty() { owner().boxed() } else { prop::sample::select(joined).boxed() };
        let keys = || prop::collection::btree_set(prop::sample::select(&KEYS[..]), 0..=2);
        let unset = prop::option::weighted(0.3, prop::sample::select(&KEYS[..]));
        let expire = prop::option::weighted(0.3, 100u64..9_000);
        let pass = prop_oneof![4 => 1u64..100, 3 => 100u64..3_000, 2 => 3_000u64..12_000];
        let ago = prop_oneof![0usize..6, 0usize..30, 0usize..200];
        prop_oneof![
            3 => (owner(), keys()).prop_map(|(owner, keys)| Step::Join { owner, keys }),
            10 => (writer.clone(), keys(), unset, prop::bool::weighted(0.1), expire).prop_map(
                |(owner, keys, unset, replace, expire)| Step::Write { owner, keys, unset, replace, expire }
            ),
            2 => writer.prop_map(|owner| Step::Leave { owner }),
            1 => owner().prop_map(|owner| Step::Restart { owner }),
            4 => (owner(), prop::bool::weighted(0.3), prop::bool::weighted(0.7))
                .prop_map(|(owner, there, back)| Step::Weather { owner, there, back }),
            4 => (owner(), 0usize..8).prop_map(|(owner, nth)| Step::Lose { owner, nth }),
            10 => (owner(), 0usize..8).prop_map(|(owner, nth)| Step::Take { owner, nth }),
            6 => (owner(), ago).prop_map(|(owner, nth)| Step::Again { owner, nth }),
            4 => (owner(), prop::bool::weighted(0.5), any::<bool>(), prop::bool::weighted(0.7))
                .prop_map(|(owner, up, timed_out, alone)| Step::Link { owner, up, timed_out, alone }),
            1 => Just(Step::Sleep),
            1 => prop::bool::weighted(0.4).prop_map(|on| Step::Outage { on }),
            14 => pass.prop_map(|ms| Step::Pass { ms }),
            1 => Just(Step::Calm),
        ]
        .boxed()
    }

    fn apply(mut sky: Sky, step: &Step) -> Sky {
        sky.step(step);
        sky
    }
}

struct Weather;

impl StateMachineTest for Weather {
    type SystemUnderTest = Scene;
    type Reference = Sky;

    fn init_test(_: &Sky) -> Scene {
        Scene::begin().0
    }

    fn apply(mut scene: Scene, sky: &Sky, step: Step) -> Scene {
        scene.make(&step, sky);
        scene
    }
}

prop_state_machine! {
    #![proptest_config(cases(128))]

    // R2 R4 R5 R6 R8 R9 R14 A3 A4
    #[test]
    fn an_observer_shows_only_what_it_may(sequential 1..100 => Weather);
}

/// The stories that are drawn lead to every repair and every end, or the property above says less than it seems to.
#[test]
fn the_weather_is_bad_enough() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..120 {
        let (mut sky, steps, _) = Sky::sequential_strategy(100).new_tree(&mut runner).unwrap().current();
        let mut scene = Scene::begin().0;
        for step in steps {
            sky.step(&step);
            scene.make(&step, &sky);
        }
        for (name, count) in scene.observer.replica.counters().iter() {
            *seen.entry(name.to_owned()).or_default() += count;
        }
        for (name, count) in scene.told {
            *seen.entry(name).or_default() += count;
        }
    }
    let repairs = ["asks", "delta_gap", "frame_of_departed", "full_at_second_hand"];
    let ends = ["Left Left", "Left Timeout", "Left Disconnected", "Stale", "Active", "Complete"];
    for name in repairs.into_iter().chain(ends) {
        assert!(seen.get(name).is_some_and(|count| *count > 8), "{name} in {seen:?}");
    }
}
