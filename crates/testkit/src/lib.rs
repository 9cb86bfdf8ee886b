//! Tools to test peers with, for Parlor and for whoever builds something like it.
//!
//! - [`netns`] makes a network of Linux network namespaces: hosts on a bridge, each with its own address and its own
//!   multicast, links that can be cut and healed, and nothing left behind. It knows nothing of Parlor.
//! - [`hub`] joins them instead of the bridge, and loses, delays, doubles, reorders and divides as a test tells it.
//! - [`story`] is the language in which tests say what happens, to simulated peers and to real ones.
//! - [`sim`] plays whole rooms in no time, with every fault a network has, and checks each rule at each event.
//! - `cluster` (with the feature of that name, which builds libp2p) plays the same stories with real peers over loopback,
//!   all in one process.
//! - [`forge`] writes frames that no honest program writes, and `liar` (with the feature of that name) is a peer of bare
//!   libp2p that says them to real peers.
//! - [`headless`] runs `parlor serve` on such a host and talks to its API from inside; `resident` (with the feature `cluster`)
//!   is a peer of the test's own process that lives there.
//! - [`soak`] lets such peers live through an hour of bad luck over a hub, and says what they lost.
//! - [`wait`] waits for a condition with a deadline, which is the only way to wait in a test.
//!
//! # Which one to take
//!
//! | | simulator | cluster | namespaces |
//! |---|---|---|---|
//! | what runs | replicas | peers: driver, libp2p, profile on disk | the program that people run |
//! | time | made up: an hour is milliseconds | real | real |
//! | faults | all there are, to the frame | crash, quit, cut pairs, partitions | crash, quit, `kill -9`, cables, and all that the [`hub`] does to frames |
//! | who finds whom | as the story says | as the story says | real discovery, multicast and all |
//! | a failure | comes again from its seed | may not come again | may not come again |
//! | needs | nothing | loopback | Linux and root |
//! | a test takes | milliseconds | seconds | ten seconds and more |
//!
//! A rule of replication is for the simulator: it plays thousands of stories while a cluster plays one. What the simulator
//! makes up is for the cluster: dialling, connections that break, gossip, signatures, the profile, the public API. What a
//! cluster does not do either is for the namespaces: discovery, interfaces, cables, processes. A story that the first two
//! both can play is best given to both.
//!
//! What they must never do is touch the network of the machine itself.
//!
//! # A first test
//!
//! In `Cargo.toml`, beside whatever else a test needs:
//!
//! ```toml
//! [dev-dependencies]
//! parlor-testkit = { path = "…/crates/testkit" }      # features = ["cluster"] for real peers as well
//! ```
//!
//! The types of what is tested come along as [`parlor_core`].
//!
//! A [`Story`](story::Story) is told with one call a sentence. Hosts are numbers from 0 on, times are milliseconds since the
//! story began, and nobody writes values down: each write gets a number of its own.
//!
//! ```
//! use parlor_testkit::sim;
//! use parlor_testkit::story::{FrameKind, Story, set};
//!
//! let story = Story::new("a lost change is told again")
//!     .hosts(3)                              // ann, bob and cleo, who all reach each other
//!     .latency(3..=40)
//!     .all_start()                           // three programs, one shortly after the other
//!     .at(2_000)
//!     .all_join()
//!     .expect_known_within(500, 0)           // ann is in everybody's list
//!     .at(8_000)
//!     .lose(FrameKind::Delta, 5)
//!     .presence(0, set("cursor"))            // nobody hears this ...
//!     .then_after(200)
//!     .presence(0, set("tool"))              // ... but this tells it too
//!     .expect_seen_within(100, 0, "cursor")
//!     .then_after(1_000)
//!     .expect_agreement();
//!
//! match sim::check(&story) {
//!     Ok(outcome) => println!("{} frames, {} events", outcome.frames, outcome.events),
//!     Err(failure) => panic!("{failure}"),
//! }
//! ```
//!
//! [`story`] has all words, [`story::Expect`] all that can be expected. [`sim::check`] plays the story while every rule of
//! [`sim::rules`] is watched, so a story that expects nothing is a test as well.
//!
//! # Read what happened
//!
//! A [`World`](sim::World) is a story while it plays. It can be stopped at any moment and asked for anything; and it tells
//! what happened, as many facts as it was told to keep.
//!
//! ```
//! use parlor_testkit::sim::{World, tell};
//! use parlor_testkit::story::Story;
//!
//! let story = Story::new("two meet").hosts(2).all_start().at(1_000).join(0).until(2_000);
//! let mut world = World::new(&story, 500);
//! world.play(1_500);
//! let (bob, replica) = world.running().nth(1).unwrap();
//! assert_eq!((bob, replica.metadata().metadata.len()), (1, 0));
//! world.play_out();
//! assert_eq!(world.violation, None);
//!
//! // Without heartbeats; `world.lines()` has those too.
//! let lines = tell::story(&world.trace, &world.sessions);
//! assert!(lines.contains(&"    1.000  ▸ ann joins".to_owned()));
//! assert!(lines.iter().any(|line| line.contains("bob sees: ann joined, cursor is 1")));
//! ```
//!
//! # A rule of your own
//!
//! An [`Oracle`](sim::Oracle) is asked at every event, every frame and every second, and says how its rule is broken. It
//! knows what an observer was told and knew before ([`sim::Told`]), and what really happened ([`sim::truth`]).
//!
//! ```
//! use parlor_testkit::parlor_core::Event;
//! use parlor_testkit::sim::{Oracle, Told, World, check_with};
//! use parlor_testkit::story::Story;
//!
//! /// Nobody is greyed out while its program runs.
//! struct NobodyGreys;
//!
//! impl Oracle for NobodyGreys {
//!     fn rule(&self) -> &str {
//!         "nobody is greyed out while its program runs"
//!     }
//!
//!     fn told(&mut self, world: &World, told: &Told<'_>) -> Result<(), String> {
//!         let Event::Stale { member } = told.event else { return Ok(()) };
//!         let of = world.hosts.iter().find(|host| host.person.actor.user_id == member.actor.user_id);
//!         match of.is_some_and(|host| host.runs()) {
//!             true => Err(format!("{} is greyed out at {}", member.actor.name, world.sessions.name(told.observer))),
//!             false => Ok(()),
//!         }
//!     }
//! }
//!
//! let calm = Story::new("calm").hosts(3).all_start().at(2_000).all_join().until(30_000);
//! check_with(&calm, |world| world.add(NobodyGreys)).unwrap();
//!
//! // On a network that falls apart it does not hold, and the failure says at whom.
//! let apart = calm.at(10_000).partition(&[&[0, 1], &[2]]);
//! let failure = check_with(&apart, |world| world.add(NobodyGreys)).unwrap_err();
//! assert_eq!(failure.violation.rule, "nobody is greyed out while its program runs");
//! ```
//!
//! # Many seeds, and one that fails
//!
//! [`Story::random`](story::Story::random) draws a story from a seed: up to six hosts, any topology, and every fault that a
//! network and a computer have. [`Sweep`](sim::Sweep) plays the stories of many seeds on all processors. The first that
//! breaks a rule is **shortened**: steps, hosts, faults and time are taken away as long as the same rule is still broken.
//!
//! ```
//! use parlor_testkit::sim::{Happening, Oracle, Sweep, World};
//! use parlor_testkit::story::{Step, Story};
//!
//! /// A rule that does not hold: nobody writes a title after somebody's cable was out.
//! #[derive(Default)]
//! struct NoTitleAfterCable(bool);
//!
//! impl Oracle for NoTitleAfterCable {
//!     fn rule(&self) -> &str {
//!         "no title after a cable"
//!     }
//!
//!     fn happened(&mut self, _: &World, what: &Happening<'_>) -> Result<(), String> {
//!         match what {
//!             Happening::Step(Step::Unplug { .. }) => self.0 = true,
//!             Happening::Step(Step::Metadata { key, .. }) if self.0 && key == "title" => return Err("there is".into()),
//!             _ => {}
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let sum = Sweep::of(0..50, &Story::random).prepared(&|world| world.add(NoTitleAfterCable::default())).play();
//! let failure = sum.failure.unwrap();
//! assert!(failure.found.steps.len() > 30 && failure.story.steps.len() == 2);
//!
//! // What is printed: the rule, the shortest story in words, what happened in it, and the story as Rust.
//! let text = failure.to_string();
//! assert!(text.starts_with("“no title after a cable” is broken at "));
//! assert!(text.contains("'s cable is out for ") && text.contains("Story::new("));
//! // And how the story that was found is played again.
//! assert!(text.contains(&format!("Seed {}. Again", failure.found.seed)));
//! ```
//!
//! The same seed gives the same trace, fact by fact, so the number is all that a report needs. `sim::check(&Story::random(N))`
//! plays seed N again, finds the same, and shortens it the same; in this workspace `cargo xtask sim --seeds 1 --from N` does,
//! with `--story` it tells the story instead, and with `--trace` all that happens. The Rust that is printed stands as a test
//! of its own: a fault that was found by chance is then looked for on purpose.
//!
//! # The same story with real peers
//!
//! With the feature `cluster`, `cluster::play` plays a story with real peers over loopback. Not all of it can be had in real
//! time; `cluster::can_play` says what, and who can.
//!
#![cfg_attr(feature = "cluster", doc = "```no_run")]
#![cfg_attr(not(feature = "cluster"), doc = "```text")]
//! use parlor_testkit::story::{Story, set};
//! use parlor_testkit::{cluster, sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), cluster::Failure> {
//! let story = Story::new("one is killed")
//!     .hosts(3)
//!     .all_start().at(500).all_join()
//!     .at(3_000).expect_agreement()
//!     .presence(0, set("cursor")).expect_seen_within(500, 0, "cursor")
//!     .crash(0).expect_gone_within(6_000, 0);
//!
//! assert!(sim::play(&story).violation.is_none()); // milliseconds
//! println!("{}", cluster::play(&story).await?); // seconds
//! # Ok(())
//! # }
//! ```
//!
//! # The program itself, on a network of its own
//!
#![cfg_attr(target_os = "linux", doc = "```no_run")]
#![cfg_attr(not(target_os = "linux"), doc = "```text")]
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use parlor_testkit::headless::Headless;
//! use parlor_testkit::netns::Lan;
//! use parlor_testkit::wait;
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let lan = Lan::new(2)?; // needs root
//! let program = Path::new("target/debug/parlor");
//! let start = |host: usize| Headless::start(&lan.hosts()[host], program, Path::new(&format!("/tmp/peer {host}")), &[]);
//! let (first, second) = (start(0)?, start(1)?);
//! first.join("room", &json!({ "status": "online" }))?;
//!
//! // They find each other by themselves, so it is waited for.
//! let (_, took) = wait::until(Duration::from_secs(5), "the first is in the second's list", || {
//!     second.members("room").ok().filter(|members| members.len() == 1)
//! });
//! println!("after {took:?}");
//! lan.cut(0)?;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "cluster")]
pub mod cluster;
pub mod forge;
#[cfg(target_os = "linux")]
pub mod headless;
#[cfg(target_os = "linux")]
pub mod hub;
#[cfg(feature = "liar")]
pub mod liar;
#[cfg(target_os = "linux")]
pub mod netns;
#[cfg(target_os = "linux")]
pub mod pretender;
#[cfg(all(target_os = "linux", feature = "cluster"))]
pub mod resident;
pub mod sim;
#[cfg(target_os = "linux")]
pub mod soak;
pub mod story;
pub mod wait;

/// What is tested: an oracle that names an event or a member finds the types here.
pub use parlor_core;
