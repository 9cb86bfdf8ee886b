//! One peer that lies among peers that do not (design N10, R3): whatever it sends, the honest ones see each other, their
//! records are their own, what was refused is counted by name, and a flood ends at the first of them that it reaches.
//!
//! Each attack of [`parlor_testkit::liar::ATTACKS`] is a test of its own; what has to be set up more carefully stands in
//! [`scenes`]. How long an honest cursor takes meanwhile, and how much memory, `cargo xtask bench hostile` measures: here
//! nothing is timed.

mod honest;
mod relays;
mod scenes;

use std::future::Future;
use std::time::Duration;

use honest::{Honest, eventually, still_well, two};
use libtest_mimic::{Arguments, Trial};
use parlor_testkit::liar::{ATTACKS, Attack, Liar, Mark};

/// More than there are processors, because a wave mostly waits for the next.
const SIDE_BY_SIDE: usize = 3;
/// No attack of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let attacks = ATTACKS.iter().map(|attack| trial(attack.name, move || attacked(attack)));
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    libtest_mimic::run(&arguments, attacks.chain(scenes::all()).chain(relays::all()).collect()).exit();
}

/// A test with a runtime of its own, so that what one leaves behind is not there for the next.
pub fn trial<F: Future<Output = ()>>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name.replace(' ', "_"), move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(test());
        Ok(())
    })
}

/// An attack under way.
pub struct Assault {
    /// Who lies.
    pub liar: Liar,
    attack: &'static Attack,
    mark: Mark,
    round: u32,
}

impl Assault {
    /// By a liar beside `here`, against `there`.
    pub async fn begin(attack: &'static Attack, here: &Honest, there: &Honest) -> Self {
        Assault { liar: here.liar().await, attack, mark: there.mark().await, round: 0 }
    }

    /// Queues the next wave. Who is cut off knocks instead.
    fn say(&mut self) {
        match self.liar.is_cut_off() {
            true => self.liar.dial(),
            false => self.attack.wave(&mut self.liar, &self.mark, self.round),
        }
        self.round += 1;
    }

    /// One wave, and the time until the next.
    pub async fn wave(&mut self) {
        self.say();
        self.liar.pass(self.attack.every).await;
    }

    /// Goes on until something else is done.
    pub async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        loop {
            self.say();
            let pause = tokio::time::sleep(self.attack.every);
            tokio::select! {
                done = self.liar.during(&mut other) => return done,
                () = pause => {}
            }
        }
    }
}

/// Two honest peers and a liar beside one of them: what it says is refused by name, at the one that it is linked to, and
/// the two are right all the while and afterwards.
async fn attacked(attack: &'static Attack) {
    let (here, there) = two().await;
    let mut assault = Assault::begin(attack, &here, &there).await;
    let through = async {
        let mut missing = attack.counted.to_vec();
        while assault.round < attack.waves || !missing.is_empty() {
            for _ in 0..10 {
                assault.wave().await;
            }
            let counted = here.live.counters().await;
            missing.retain(|name| !counted.contains_key(*name));
        }
    };
    if tokio::time::timeout(PATIENCE, through).await.is_err() {
        panic!("not all of {:?} are counted: {:?}", attack.counted, here.live.counters().await);
    }
    assault.during(still_well(&[&here, &there])).await;
    // However many it says that there are.
    for peer in [&here, &there] {
        let rows = peer.members().await.len();
        assert!(rows <= 256, "{rows} members");
    }
    drop(assault);
    still_well(&[&here, &there]).await;
    // What it left behind goes with it.
    for peer in [&here, &there] {
        eventually("the honest are by themselves again", async || peer.members().await.len() == 2).await;
    }
    still_well(&[&here, &there]).await;
}
