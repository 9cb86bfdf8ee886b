//! `access`: who may do what in a private room, and changing it (design N8).

use std::collections::BTreeMap;

use clap::Args;
use parlor::{Access, AccessChange, Person};
use serde_json::json;

use crate::args::PeerArgs;
use crate::calls::{Done, show, with_peer};
use crate::client::{Answer, addressable};
use crate::output::harmless;
use crate::text::{Text, table};

/// Arguments of `access`.
#[derive(Debug, Args)]
pub struct AccessArgs {
    /// The room's name, 1 to 128 characters
    pub room: String,
    /// Make somebody a host, by user id; only who made the room may
    #[arg(long, value_name = "USER")]
    pub host: Vec<String>,
    /// Make somebody a host no more, and change the key; only who made the room may
    #[arg(long, value_name = "USER")]
    pub unhost: Vec<String>,
    /// Let what somebody wrote count only where nobody else wrote anything; hosts may
    #[arg(long, value_name = "USER")]
    pub void: Vec<String>,
    /// Let what somebody wrote count again; hosts may
    #[arg(long, value_name = "USER")]
    pub unvoid: Vec<String>,
    /// Put somebody out: the key is changed, and they do not get the new one; hosts may
    #[arg(long, value_name = "USER")]
    pub exclude: Vec<String>,
    /// Change the key, so that tickets given before let nobody in any more; hosts may
    #[arg(long)]
    pub rekey: bool,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

impl AccessArgs {
    fn change(&self) -> AccessChange {
        let both = |yes: &[String], no: &[String]| -> BTreeMap<String, bool> {
            let yes = yes.iter().map(|user| (user.clone(), true));
            yes.chain(no.iter().map(|user| (user.clone(), false))).collect()
        };
        AccessChange {
            hosts: both(&self.host, &self.unhost),
            void: both(&self.void, &self.unvoid),
            exclude: self.exclude.clone(),
            rekey: self.rekey,
        }
    }
}

pub(crate) async fn access(args: AccessArgs) -> Done {
    addressable(&args.room)?;
    let change = args.change();
    let path = ["rooms", &args.room, "access"];
    let answer = match change == AccessChange::default() {
        true => with_peer(&args.peer, None, async |peer| peer.client.get(&path, &[]).await).await?,
        false => {
            let body = json!(change);
            with_peer(&args.peer, None, async |peer| peer.client.post(&path, &body).await).await?
        }
    };
    show(&answer, args.json, people)
}

fn people(answer: &Answer) -> Text {
    let Some(access) = answer.read::<Option<Access>>()? else {
        return Ok("The room is open: everybody may do everything.".to_owned());
    };
    let Access { creator, locked, epoch, people, .. } = access;
    let rows = people.into_iter().map(|Person { user_id, name, host, voided, inside }| {
        let role = match (host, user_id == creator) {
            (_, true) => "creator",
            (true, _) => "host",
            _ => "",
        };
        let state = match (inside, voided) {
            (false, _) => "out",
            (_, true) => "void",
            _ => "in",
        };
        vec![user_id.to_string(), name, role.to_owned(), state.to_owned()]
    });
    let table = table(&["USER", "NAME", "ROLE", "STATE"], rows);
    let lock = if locked { "locked" } else { "not locked" };
    let key = match epoch {
        0 => "its key was never changed".to_owned(),
        1 => "its key was changed once".to_owned(),
        times => format!("its key was changed {times} times"),
    };
    Ok(format!("{table}\n{}", harmless(&format!("The room is {lock}; {key}."))))
}
