//! What each step of a story does to real peers.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Cluster;
use super::failure::Failure;
use super::layers::can_act;
use crate::story::{Change, Someone, Step, Who};

impl Cluster {
    /// Does a step now, and returns when it is done: the call was answered, the pair is apart, the program started and
    /// connected. What others then learn of it takes its time. An expectation is waited for.
    ///
    /// # Errors
    /// [`Failure::Unsupported`] for a word that real peers in one process have not; [`Failure::NoHost`]; a peer that does
    /// not start; an expectation that is not met; the first rule that is broken.
    pub async fn act(&mut self, step: &Step) -> Result<(), Failure> {
        can_act(step)?;
        if let Step::Expect { what, within_ms } = step {
            return self.expect_within(*within_ms, what.clone()).await;
        }
        self.notes.say(format_args!("-- {step}"));
        match step {
            Step::Start { host } => self.boot(*host).await?,
            Step::Join(entry) => {
                if let Some(process) = self.computer(entry.someone.host)?.process.as_ref() {
                    process.callers.join(entry).await;
                }
            }
            Step::Presence { by, member, change } => {
                if let Some(process) = self.computer(by.host)?.process.as_ref() {
                    process.callers.presence(by.who, member.as_deref(), change).await;
                }
            }
            Step::Moving { by, field, every_ms, ms } => self.move_about(*by, field, *every_ms, *ms)?,
            Step::Metadata { host, key, delete } => {
                if let Some(process) = self.computer(*host)?.process.as_ref() {
                    process.callers.metadata(key, *delete).await;
                }
            }
            Step::Leave { by, member } => {
                if let Some(process) = self.computer(by.host)?.process.as_ref() {
                    process.callers.leave(by.who, member.as_deref()).await;
                }
            }
            Step::Crash { host, .. } => {
                self.computer(*host)?;
                self.computers[*host].crash(&self.notes).await;
            }
            Step::Quit { host } => {
                self.computer(*host)?;
                self.computers[*host].quit(&self.notes);
            }
            Step::Partition { parts } => {
                self.wires.part(parts);
                self.rewire().await?;
            }
            Step::Cut { a, b } => {
                self.wires.cut(*a, *b);
                self.rewire().await?;
            }
            Step::Mend { a, b } => {
                self.wires.mend(*a, *b);
                self.rewire().await?;
            }
            Step::MendAll => {
                self.wires.mend_all();
                self.rewire().await?;
            }
            Step::Heal => self.heal().await?,
            // A latency is as it is; the others were refused above.
            _ => {}
        }
        self.notes.intact()
    }

    async fn boot(&mut self, host: usize) -> Result<(), Failure> {
        let computer = self.computer(host)?;
        if computer.process.is_some() {
            return Ok(());
        }
        let person = computer.person.clone();
        let twin = self.computers.iter().filter(|other| other.index != host && other.person == person);
        let identity = twin.map(|twin| twin.identity()).find(|identity| identity.exists());
        self.computers[host].start(identity.as_deref(), &self.notes).await?;
        if let Some(process) = &self.computers[host].process {
            for who in [Who::Person, Who::Guest] {
                self.users.insert(Someone { host, who }, process.callers.user(who));
            }
        }
        self.rewire().await
    }

    fn move_about(&mut self, by: Someone, field: &str, every_ms: u64, ms: u64) -> Result<(), Failure> {
        self.computer(by.host)?;
        let Some(process) = self.computers[by.host].process.as_mut() else { return Ok(()) };
        let (callers, change) = (process.callers.clone(), Change::Set(vec![field.to_owned()]));
        let moves = async move {
            let mut every = tokio::time::interval(Duration::from_millis(every_ms.max(1)));
            every.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                every.tick().await;
                callers.presence(by.who, None, &change).await;
            }
        };
        process.keep(tokio::spawn(async move {
            // It ends when its time is over.
            let _ = tokio::time::timeout(Duration::from_millis(ms), moves).await;
        }));
        Ok(())
    }

    /// Everything is mended. Where not everybody reaches everybody all run too, so that nobody is missing between two
    /// others.
    async fn heal(&mut self) -> Result<(), Failure> {
        self.wires.mend_all();
        self.rewire().await?;
        if !self.wires.is_mesh() {
            for host in 0..self.computers.len() {
                self.boot(host).await?;
            }
        }
        Ok(())
    }
}
