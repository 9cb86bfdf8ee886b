//! `board`: the notes of a room, and changing them (design A10).

use clap::Args;
use parlor::{Board, Note};
use serde_json::{Map, Value, json};

use crate::args::{PeerArgs, ReadArgs, RoomArgs};
use crate::calls::{Done, guest, show, with_peer};
use crate::client::Answer;
use crate::failure::Failure;
use crate::text::{Text, table};
use crate::values::object;

/// Arguments of `board`.
#[derive(Debug, Args)]
pub struct BoardArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// Make a note with this text; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub add: Vec<String>,
    /// Write fields of a note, such as '{"id":"plan","x":120,"color":"blue"}'; may be given several times
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub set: Vec<Map<String, Value>>,
    /// Remove the note of this id; may be given several times
    #[arg(long, value_name = "ID")]
    pub remove: Vec<String>,
    /// The look.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

pub(crate) async fn board(args: BoardArgs) -> Done {
    let path = ["rooms", &args.room.room, "board"];
    let mut set: Vec<Value> = args.set.into_iter().map(Value::Object).collect();
    for text in args.add {
        set.push(json!({ "id": new_id()?, "text": text }));
    }
    let answer = if set.is_empty() && args.remove.is_empty() {
        let notes = |answer: &Value| answer["notes"].clone();
        with_peer(&args.peer, guest(&args.room), async |peer| peer.read_settled(&args.read, &path, &[], notes).await)
            .await?
    } else {
        let body = json!({ "set": set, "remove": args.remove });
        with_peer(&args.peer, guest(&args.room), async |peer| peer.client.post(&path, &body).await).await?
    };
    show(&answer, args.read.json, notes)
}

/// An id that nobody else makes at the same time.
fn new_id() -> Result<String, Failure> {
    let mut id = [0; 10];
    getrandom::fill(&mut id).map_err(|error| Failure::Failed(format!("the system has no random numbers: {error}")))?;
    Ok(format!("n_{}", data_encoding::BASE32_NOPAD.encode(&id).to_lowercase()))
}

fn notes(answer: &Answer) -> Text {
    let Board { notes, .. } = answer.read()?;
    if notes.is_empty() {
        return Ok("No notes.".into());
    }
    let row = |note: &Note| {
        let place = format!("{:.0}, {:.0}", note.x, note.y);
        vec![note.id.clone(), note.color.clone(), place, note.updated_at.to_string(), note.text.clone()]
    };
    Ok(table(&["NOTE", "COLOR", "PLACE", "CHANGED", "TEXT"], notes.iter().map(|note| row(note))))
}
