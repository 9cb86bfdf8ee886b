//! `record` and `replay`: what a room was given, saved and played again.

use std::path::Path;

use parlor::{Error, Lineup, RECORDING_MAX, Recording, ReplayChange, ReplayQuery, ReplayStep, Replayed, save_new_file};
use serde_json::{Value, json};

use crate::args::{RecordArgs, ReplayArgs};
use crate::failure::Failure;
use crate::output::{harmless, harmless_json, note, print};
use crate::peer::Peer;
use crate::progress::Progress;
use crate::text::count;

/// Saves a recording.
pub(crate) async fn record(args: RecordArgs) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::Usage(format!("{}: {error}", args.file.display()));
    let progress = Progress::begin("asking the peer what it was given");
    let peer = Peer::of(&args.peer, None).await?;
    let saved = peer.client.recording(&args.room, args.with_values).await;
    peer.close().await;
    drop(progress);
    let saved = saved?;
    save_new_file(&args.file, &saved).map_err(unwritable)?;
    if args.json {
        let file = args.file.display().to_string();
        let saved = json!({"room": args.room, "file": file, "bytes": saved.len(), "redacted": !args.with_values});
        return print(&harmless_json(&saved.to_string()));
    }
    let with = if args.with_values { "names and values are in it" } else { "names and values are stand-ins" };
    note(&format!("{}: {} bytes, {with}", args.file.display(), saved.len()));
    Ok(())
}

/// Plays one, or holds two against each other. No peer is needed for it.
pub(crate) fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let recording = read(&args.file)?;
    if let Some(other) = &args.other {
        return lined_up(args, &recording, &read(other)?);
    }
    if let Some(name) = &args.as_test {
        return print(recording.as_test(name).map_err(refused)?.trim_end());
    }
    let moment = args.at.or(args.until);
    let until = recording.step_of(moment);
    let mut from = 1;
    loop {
        let limit = until.saturating_sub(from - 1).min(10_000);
        let query = ReplayQuery { at: moment, from: Some(from), limit: Some(limit) };
        let played = recording.replayed(&query).map_err(refused)?;
        if args.json {
            // All that is asked for is one object, as the API gives it.
            print(&serde_json::to_string(&played).unwrap_or_default())?;
        } else if args.at.is_none() {
            if from == 1 {
                head(&played)?;
            }
            played.steps.iter().try_for_each(line)?;
        } else {
            head(&played)?;
        }
        match played.next_from.filter(|next| *next <= until && args.at.is_none()) {
            Some(next) => from = next,
            None if args.json => return verdict(&played),
            None => return end(&played),
        }
    }
}

fn read(path: &Path) -> Result<Recording, Failure> {
    let unreadable = |error: std::io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > RECORDING_MAX as u64 {
        return Err(Failure::Usage(format!("{} has {length} bytes; recordings have 64 MiB at most", path.display())));
    }
    Recording::read(&std::fs::read(path).map_err(unreadable)?).map_err(refused)
}

fn refused(error: Error) -> Failure {
    Failure::Failed(format!("{error} ({})", error.code.as_str()))
}

fn head(played: &Replayed) -> Result<(), Failure> {
    let Replayed { room, session_id, program, total, started_at, ended_at, redacted, whole, .. } = played;
    let values = if *redacted { "names and values are stand-ins" } else { "names and values are as they were" };
    let from = if *whole { "from the opening of the room" } else { "from the middle of a visit" };
    let short = session_id.get(..8).unwrap_or_default();
    print(&harmless(&format!("{room}, as session {short} of Parlor {program} had it, {from}; {values}")))?;
    print(&format!("{started_at} to {ended_at}, {}", count(u32::try_from(*total).unwrap_or(u32::MAX), "step")))
}

/// One step in a line, and what readers were told in lines of their own.
fn line(step: &ReplayStep) -> Result<(), Failure> {
    let verdict = step.verdict.map(|verdict| format!(", {verdict:?}").to_lowercase()).unwrap_or_default();
    let jump = step.jump_ms.map(|ms| format!(", the clock jumped by {ms} ms")).unwrap_or_default();
    let hash = step.hash.as_ref().map(|hash| format!("  [{hash}]")).unwrap_or_default();
    print(&harmless(&format!("{:>6} {:>9} ms  {}{verdict}{jump}{hash}", step.step, step.ms, step.text)))?;
    step.events.iter().try_for_each(|event| print(&harmless(&format!("{:>20}  > {event}", ""))))
}

/// What was held, what the last step made of it, and whether that is what was recorded.
fn end(played: &Replayed) -> Result<(), Failure> {
    let state = &played.state;
    state.changes.iter().try_for_each(|change| print(&harmless(&format!("{:>20}  * {}", "", changed(change)))))?;
    print(&format!("after step {}, {} ms, {}: state {}", state.step, state.ms, state.at, state.hash))?;
    for member in &state.members {
        let record = &member.record;
        let here = format!("{:?}", member.state).to_lowercase();
        let presence = serde_json::to_string(&record.presence).unwrap_or_default();
        print(&harmless(&format!("  member {} ({}), {here}: {presence}", record.member_id, member.actor.name)))?;
    }
    for cell in &state.inventory.cells {
        let register = serde_json::to_string(&cell.register).unwrap_or_default();
        let value = cell.value.as_ref().map_or_else(|| "deleted".to_owned(), ToString::to_string);
        print(&harmless(&format!("  cell {register}: {value}")))?;
    }
    verdict(played)
}

/// A change in a line.
fn changed(change: &ReplayChange) -> String {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    match change {
        ReplayChange::Record { member_id, here: true, .. } => format!("the record of {member_id} came"),
        ReplayChange::Record { member_id, here: false, .. } => format!("the record of {member_id} went"),
        ReplayChange::Silence { member_id, silent: true, .. } => format!("{member_id} fell silent"),
        ReplayChange::Silence { member_id, silent: false, .. } => format!("{member_id} is heard again"),
        ReplayChange::Presence { member_id, key, before, after, .. } => {
            format!("{key} of {member_id}: {} → {}", value(before), value(after))
        }
        ReplayChange::Cell { register, before, after, read, .. } => {
            let register = serde_json::to_string(register).unwrap_or_default();
            let aside = if *read { "" } else { ", kept aside" };
            format!("{register}: {} → {}{aside}", value(before), value(after))
        }
        ReplayChange::Complete { complete: true } => "everybody can be heard again".to_owned(),
        ReplayChange::Complete { complete: false } => "the own network is out".to_owned(),
    }
}

fn verdict(played: &Replayed) -> Result<(), Failure> {
    if let Some(other) = &played.disagreement {
        let at = format!("another state than the recorded one after step {}", other.step);
        note(&format!("This program comes to {at}: {} instead of {}.", other.reached, other.recorded));
    }
    if let Some(broken) = &played.broken {
        note(&harmless(&format!("A rule is broken: {broken}.")));
    }
    if played.disagreement.is_none() && played.broken.is_none() {
        note("Every state that was recorded was reached, and no rule is broken.");
        return Ok(());
    }
    Err(Failure::Failed("the recording shows a fault, or this program does other than the one that recorded it".into()))
}

fn lined_up(args: &ReplayArgs, one: &Recording, other: &Recording) -> Result<(), Failure> {
    let lineup = Lineup::of(one, other).map_err(refused)?;
    if args.json {
        return print(&serde_json::to_string(&lineup).unwrap_or_default());
    }
    if lineup.common == 0 {
        return Err(Failure::Failed("the two have no frame in common: they are not of one incident".into()));
    }
    let frames = count(u32::try_from(lineup.common).unwrap_or(u32::MAX), "frame");
    print(&format!("{frames} in both, by which their times are lined up"))?;
    let Some(found) = &lineup.disagreement else { return print("They agree on all that lasted.") };
    print(&harmless(&format!("They disagree first on {}:", found.what)))?;
    for ((name, held), since) in ["the first", "the second"].into_iter().zip(found.held).zip(&found.since) {
        let has = if held { "holds it" } else { "does not hold it" };
        let since = since.as_ref().map_or_else(
            || "it never came to it".to_owned(),
            |step| format!("since step {} ({} ms): {}", step.step, step.ms, step.text),
        );
        print(&harmless(&format!("  {name} {has}, {since}")))?;
    }
    Ok(())
}
