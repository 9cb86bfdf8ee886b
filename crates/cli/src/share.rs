//! `share`: letting browsers into one room (design A10), and ending that.

use clap::Args;
use parlor::{Share, ShareGuest};
use serde_json::{Map, Value};

use crate::args::PeerArgs;
use crate::calls::{Done, show};
use crate::client::{Answer, addressable};
use crate::failure::Failure;
use crate::output::{harmless, note};
use crate::peer::Peer;
use crate::signals::Stop;
use crate::text::{Text, squares};
use crate::values::whole;

/// Arguments of `share`.
#[derive(Debug, Args)]
pub struct ShareArgs {
    /// The room's name, 1 to 128 characters
    pub room: String,
    /// End it: all browsers are out of the room at once
    #[arg(long, conflicts_with_all = ["show", "address", "port", "minutes", "tls", "qr"])]
    pub stop: bool,
    /// Put this guest out, by name or id; the link is another from then on
    #[arg(long, value_name = "GUEST", conflicts_with_all = ["stop", "show", "address", "port", "minutes", "tls"])]
    pub put_out: Option<String>,
    /// Only say how it is shared
    #[arg(long, conflicts_with_all = ["address", "port", "minutes", "tls"])]
    pub show: bool,
    /// Listen at this address of this computer only [default: all that a ticket would name]
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Listen at this port; 0 takes any free one [default: 4767 or the next free of nine]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Encrypt what goes to browsers; they warn of a certificate that nobody vouches for, and show its fingerprint
    #[arg(long)]
    pub tls: bool,
    /// End it by itself after so many minutes, 1 to 1440 [default: 480]
    #[arg(long, value_name = "MINUTES", value_parser = whole::<1, 1440>)]
    pub minutes: Option<u32>,
    /// Show the link as a code to scan too
    #[arg(long, conflicts_with = "json")]
    pub qr: bool,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

impl ShareArgs {
    async fn change(&self, peer: &Peer) -> Result<Value, Failure> {
        let mut change = Map::from_iter([("on".to_owned(), (!self.stop).into())]);
        change.extend(self.address.clone().map(|address| ("address".to_owned(), address.into())));
        change.extend(self.port.map(|port| ("port".to_owned(), port.into())));
        change.extend(self.minutes.map(|minutes| ("minutes".to_owned(), minutes.into())));
        change.extend(self.tls.then(|| ("tls".to_owned(), true.into())));
        if let Some(guest) = &self.put_out {
            let share = peer.client.get(&["rooms", self.room.as_str(), "share"], &[]).await?.read::<Option<Share>>()?;
            let guests = share.map(|share| share.guests).unwrap_or_default();
            change.insert("putOut".to_owned(), meant(guest, &guests)?.into());
        }
        Ok(change.into())
    }
}

/// The id of the guest that is called so, by id or else by the name of one alone.
fn meant(guest: &str, all: &[ShareGuest]) -> Result<String, Failure> {
    let mut named = all.iter().filter(|one| one.name == guest);
    match (named.next(), named.next()) {
        _ if all.iter().any(|one| one.user_id.as_str() == guest) => Ok(guest.to_owned()),
        (Some(one), None) => Ok(one.user_id.to_string()),
        (Some(_), Some(_)) => {
            Err(Failure::Usage(format!("several guests are called {guest:?}; give an id of `share --show --json`")))
        }
        (None, _) => Ok(guest.to_owned()),
    }
}

/// Uses the running peer, which goes on sharing. A peer that is started for this shares until Ctrl-C.
pub(crate) async fn share(args: ShareArgs) -> Done {
    addressable(&args.room)?;
    let mut stop = Stop::new()?;
    let peer = Peer::of(&args.peer, None).await?;
    let result = share_by(&args, &peer, &mut stop).await;
    peer.close().await;
    result
}

async fn share_by(args: &ShareArgs, peer: &Peer, stop: &mut Stop) -> Result<(), Failure> {
    let path = ["rooms", args.room.as_str(), "share"];
    let answer = match args.show {
        true => peer.client.get(&path, &[]).await?,
        false => peer.client.post(&path, &args.change(peer).await?).await?,
    };
    show(&answer, args.json, if args.qr { told_with_code } else { told })?;
    if peer.is_own() && !args.show && !args.stop && args.put_out.is_none() {
        note("Ctrl-C ends it.");
        stop.asked().await;
    }
    Ok(())
}

fn told(answer: &Answer) -> Text {
    let Some(share) = answer.read::<Option<Share>>()? else {
        return Ok("The room is not shared to browsers.".to_owned());
    };
    let mut lines = vec![format!("Browsers on this network come in by: {}", share.link)];
    lines.extend(share.links.iter().skip(1).map(|link| format!("                                or by: {link}")));
    lines.push("Whoever has the link can come in.".to_owned());
    lines.push(match &share.fingerprint {
        None => "What goes to browsers is not encrypted on the network.".to_owned(),
        Some(print) => format!("Browsers warn once. The certificate is the right one if its SHA-256 is\n{print}"),
    });
    let names: Vec<&str> = share.guests.iter().map(|guest| guest.name.as_str()).collect();
    if !names.is_empty() {
        lines.push(format!("In the room by a browser: {}", names.join(", ")));
    }
    if !share.refused.is_empty() {
        let refused: Vec<String> = share.refused.iter().map(|(code, count)| format!("{code} {count}")).collect();
        lines.push(format!("Refused: {}", refused.join(", ")));
    }
    lines.push(format!("It ends by itself at {}.", share.expires_at));
    Ok(harmless(&lines.join("\n")))
}

fn told_with_code(answer: &Answer) -> Text {
    let words = told(answer)?;
    let code = answer.read::<Option<Share>>()?.map(|share| squares(&share.qr)).filter(|code| !code.is_empty());
    Ok(code.map_or(words.clone(), |code| format!("{code}\n{words}")))
}
