//! `say` and `messages`: what is said in a room (design A12).

use clap::Args;
use parlor::{HistoryPage, Message};
use serde_json::{Map, Value, json};

use crate::args::{PageArgs, PeerArgs, ReadArgs, RoomArgs};
use crate::calls::{Done, guest, show, with_peer};
use crate::client::Answer;
use crate::output::harmless;
use crate::text::Text;
use crate::values::object;

/// Arguments of `say`.
#[derive(Debug, Args)]
pub struct SayArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// What to say
    #[arg(required_unless_present = "data")]
    pub text: Option<String>,
    /// What sort of message it is
    #[arg(long = "type", value_name = "TYPE", default_value = "chat")]
    pub kind: String,
    /// Other content than a text, such as '{"emoji":"🎉"}'
    #[arg(long, value_name = "JSON", value_parser = object, conflicts_with = "text")]
    pub data: Option<Map<String, Value>>,
    /// Say it to those who are there now, and keep it for nobody
    #[arg(long)]
    pub pass: bool,
    /// The same key is stored once, however often this is called
    #[arg(long, value_name = "KEY", conflicts_with = "pass")]
    pub key: Option<String>,
    /// Which of your members [default: the only one]
    #[arg(long, value_name = "ID")]
    pub member: Option<String>,
    /// Print the API's answer as JSON
    #[arg(long)]
    pub json: bool,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// Arguments of `messages`.
#[derive(Debug, Args)]
pub struct MessagesArgs {
    /// The room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// The page; the first has the newest.
    #[command(flatten)]
    pub page: PageArgs,
    /// The look.
    #[command(flatten)]
    pub read: ReadArgs,
    /// The peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

pub(crate) async fn say(args: SayArgs) -> Done {
    let data = args.data.map_or_else(|| json!({ "text": args.text.unwrap_or_default() }), Value::Object);
    let mut body = Map::from_iter([
        ("type".to_owned(), args.kind.into()),
        ("data".to_owned(), data),
        ("keep".to_owned(), (!args.pass).into()),
    ]);
    body.extend(args.key.map(|key| ("idempotencyKey".to_owned(), key.into())));
    body.extend(args.member.map(|member| ("memberId".to_owned(), member.into())));
    let (path, body) = (["rooms", &args.room.room, "messages"], Value::Object(body));
    let answer = with_peer(&args.peer, guest(&args.room), async |peer| peer.client.post(&path, &body).await).await?;
    show(&answer, args.json, said)
}

pub(crate) async fn messages(args: MessagesArgs) -> Done {
    let query = args.page.query();
    let path = ["rooms", &args.room.room, "messages"];
    let newest = |answer: &Value| answer["messages"].clone();
    let call = async |peer: &crate::peer::Peer| peer.read_settled(&args.read, &path, &query, newest).await;
    let answer = with_peer(&args.peer, guest(&args.room), call).await?;
    show(&answer, args.read.json, log)
}

fn said(answer: &Answer) -> Text {
    Ok(line(&answer.read()?))
}

/// As people read: the oldest first.
fn log(answer: &Answer) -> Text {
    let HistoryPage { messages, next_cursor } = answer.read()?;
    if messages.is_empty() {
        return Ok("Nothing was said here.".into());
    }
    let mut lines: Vec<String> = messages.iter().rev().map(|message| line(message)).collect();
    lines.extend(next_cursor.map(|cursor| format!("Older ones with: --cursor {cursor}")));
    Ok(lines.join("\n"))
}

fn line(message: &Message) -> String {
    harmless(&format!("{}  {}", message.published_at, words(message))).replace('\n', " ")
}

/// Who said what.
pub(crate) fn words(message: &Message) -> String {
    let name = &message.actor.name;
    match message.data.get("text").and_then(Value::as_str) {
        Some(text) if message.kind == "chat" => format!("{name}: {text}"),
        _ => format!("{name}: {} {}", message.kind, message.data),
    }
}
