//! Hellos of somebody on the same LAN (design N7): the peers are on one host of it, the liar on another. It wants root, to
//! make a network that nobody else is in.

use std::process::Command;
use std::time::Duration;

use parlor::Config;
use parlor_testkit::netns::Lan;
use parlor_testkit::pretender::Pretender;
use tokio::runtime::Runtime;

use super::{Rounds, Scene, begun, pair};

/// Between two turns of fifteen packets. The kernel delivers them in the sender's time, and who is on the same computer,
/// as the honest ones are here, waits for a burst of two thousand longer than anybody across a cable would.
const EVERY: Duration = Duration::from_millis(1);
/// Of the attack.
pub(super) const NAME: &str = "a flood of hellos";

/// One more round; how often an honest peer was taken for silent or gone.
pub(super) fn play(rounds: &mut Rounds) -> anyhow::Result<u32> {
    let lan = Lan::new(2)?;
    let (here, there) = (lan.host(0)?, lan.host(1)?);
    Pretender::addresses(there.address()).try_for_each(|address| there.add_address(address))?;
    let liar = async |_: &Scene| {
        let mut command: Command = there.command("chrt");
        command.args(["--idle", "0"]).arg(std::env::current_exe()?).args(["liar", NAME]);
        command.arg(there.address().to_string()).arg(here.address().to_string());
        begun(command).await
    };
    // On the host from its first thread on.
    here.enter(|| {
        Runtime::new()?.block_on(async {
            let peers = Config { listen: vec!["/ip4/0.0.0.0/tcp/0".into()], ..Config::default() };
            let scene = Scene::begin(pair::start_with(peers).await?).await?;
            rounds.play_with(scene, liar).await
        })
    })?
}

/// The other end: says hello until it is killed.
pub(super) fn say(own: &str, victim: &str) -> anyhow::Result<()> {
    let mut pretender = Pretender::at(own.parse()?, &[victim.parse()?])?;
    println!("begun");
    loop {
        pretender.turn();
        std::thread::sleep(EVERY);
    }
}
