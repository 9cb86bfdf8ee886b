//! How soon everybody is current again after a cut: four hosts, of which one has its cable out for ten seconds while all take
//! a step. Parlor, and chitchat with a round every 50 ms.

use std::time::{Duration, Instant};

use parlor_testkit::netns::{Host, Lan};
use tempfile::TempDir;

use super::{Person, Seeing, gather, latest};
use crate::report::Figure;
use crate::samples::Samples;

const HOSTS: usize = 4;
/// Whose cable it is.
const OUT: usize = HOSTS - 1;
const CUTS: u64 = 7;
const CUT: Duration = Duration::from_secs(10);
const CURRENT: &str = "current after a cut of 10 s";

/// All who are on the hosts, of one system.
trait Crowd: Sized {
    /// Everybody on a host of their own, who all see each other.
    fn gather(hosts: &[Host], folder: &TempDir) -> anyhow::Result<Self>;
    fn step(&self, step: u64) -> anyhow::Result<()>;
    /// Waits until all see all at this step, and says when that was. Ask before it can be so.
    fn seeing(&self, step: u64) -> anyhow::Result<impl FnOnce() -> anyhow::Result<Instant>>;
}

/// From when somebody's cable is in again until everybody is current, and from the first packet that passes.
struct Took {
    after_cable: Samples,
    after_packet: Samples,
}

pub(super) fn figures() -> anyhow::Result<Vec<Figure>> {
    let own = measure::<Vec<Person>>("Parlor")?;
    let (after_cable, after_packet) = (own.after_cable, own.after_packet);
    #[cfg_attr(not(feature = "chitchat"), allow(unused_mut, reason = "there is nobody to be measured beside"))]
    let mut figures = vec![
        Figure::alone(&format!("{CURRENT}: median"), after_cable.quantile(0.5), "ms").at_most(2_000.0),
        Figure::alone(&format!("{CURRENT}: worst"), after_cable.quantile(1.0), "ms"),
        Figure::alone(&format!("{CURRENT}, from its first packet: median"), after_packet.quantile(0.5), "ms")
            .at_most(50.0),
    ];
    #[cfg(feature = "chitchat")]
    {
        use crate::chitchat::QUICK;
        let beside = measure::<beside::Nodes>(QUICK)?;
        let (own, peer) = (after_packet.quantile(0.5), beside.after_packet.quantile(0.5));
        let name = format!("{CURRENT}, from its first packet: median, beside chitchat");
        figures.push(Figure::beside(&name, own, QUICK, peer, "ms").ratio_at_most(0.5));
    }
    Ok(figures)
}

fn measure<C: Crowd>(name: &str) -> anyhow::Result<Took> {
    eprintln!("{CUTS} cuts of {} s: {name}", CUT.as_secs());
    let (lan, folder) = (Lan::over_hub(HOSTS, 1)?, tempfile::tempdir()?);
    let crowd = C::gather(lan.hosts(), &folder)?;
    let mut took = Took { after_cable: Samples::default(), after_packet: Samples::default() };
    for round in 1..=CUTS {
        lan.cut(OUT)?;
        let cut = Instant::now();
        crowd.step(round)?;
        std::thread::sleep(CUT.saturating_sub(cut.elapsed()));
        let seeing = crowd.seeing(round)?;
        lan.heal(OUT)?;
        let healed = Instant::now();
        let current = seeing()?;
        let first = lan.hub().and_then(|hub| hub.first_passed(OUT)).unwrap_or(healed);
        took.after_cable.add(current - healed);
        took.after_packet.add(current - first);
        eprintln!("  {:?} after the cable, {:?} after the first packet", current - healed, current - first);
    }
    Ok(took)
}

impl Crowd for Vec<Person> {
    fn gather(hosts: &[Host], folder: &TempDir) -> anyhow::Result<Self> {
        gather(hosts, folder)
    }

    fn step(&self, step: u64) -> anyhow::Result<()> {
        self.iter().try_for_each(|person| person.step(step))
    }

    fn seeing(&self, step: u64) -> anyhow::Result<impl FnOnce() -> anyhow::Result<Instant>> {
        let numbers: Vec<u64> = self.iter().map(|person| person.number).collect();
        let seeing: Vec<Seeing> = self.iter().map(|person| person.sees(&numbers, step)).collect();
        Ok(move || latest(seeing))
    }
}

#[cfg(feature = "chitchat")]
mod beside {
    use anyhow::Context as _;
    use serde_json::json;
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::chitchat::{Node, QUICK_INTERVAL};
    use crate::lan::PATIENCE;

    /// Nodes, each with threads of its own on its host.
    pub struct Nodes(Vec<(Runtime, Node)>);

    impl Crowd for Nodes {
        fn gather(hosts: &[Host], _: &TempDir) -> anyhow::Result<Self> {
            let mut nodes = Nodes(Vec::new());
            for host in hosts {
                let build = || Builder::new_multi_thread().worker_threads(1).enable_all().build();
                let runtime = host.enter(build)??;
                let seeds = nodes.0.first().map(|(_, node)| node.address().to_string()).into_iter().collect();
                let address = host.address();
                let started = runtime.spawn(async move {
                    let own = ("person".to_owned(), json!({ "step": 0 }));
                    Node::start("bench", address, QUICK_INTERVAL, seeds, [own].into_iter()).await
                });
                let node = runtime.block_on(started)??;
                nodes.0.push((runtime, node));
            }
            nodes.seeing(0)?()?;
            Ok(nodes)
        }

        fn step(&self, step: u64) -> anyhow::Result<()> {
            for (runtime, node) in &self.0 {
                runtime.block_on(node.set("person", "step", &json!(step)));
            }
            Ok(())
        }

        fn seeing(&self, step: u64) -> anyhow::Result<impl FnOnce() -> anyhow::Result<Instant>> {
            let (others, wanted) = (self.0.len() - 1, step.to_string());
            let sees = |(runtime, node): &(Runtime, Node)| {
                let wanted = wanted.clone();
                let seeing = runtime.block_on(node.sees("person/step", others, move |value| value == wanted));
                (runtime.handle().clone(), seeing)
            };
            let seeing: Vec<_> = self.0.iter().map(sees).collect();
            Ok(move || {
                let mut last = None;
                for (runtime, seeing) in seeing {
                    let at = async { tokio::time::timeout(PATIENCE, seeing.at()).await };
                    last = last.max(Some(runtime.block_on(at).context("somebody did not see everybody in time")??));
                }
                last.context("nobody looked")
            })
        }
    }
}
