//! The subcommands that answer once: each makes one call of the API and prints what came back.

use serde_json::{Map, Value, json};

use crate::args::{
    CreateArgs, DiagnosticsArgs, DialArgs, ForgetArgs, Grouping, LeaveArgs, MembersArgs, MetadataArgs, NewIdentityArgs,
    PeerArgs, PeersArgs, PresenceArgs, ProfileArgs, RoomArgs, RoomsArgs, StatusArgs, TicketArgs,
};
use crate::client::{Answer, Guest, addressable};
use crate::failure::Failure;
use crate::output::{harmless_json, print};
use crate::peer::Peer;
use crate::progress::Progress;
use crate::text;

pub(crate) type Done = Result<(), Failure>;

/// With a peer for the length of one call; whatever comes of it, the peer is closed in order.
pub(crate) async fn with_peer(
    args: &PeerArgs,
    guest: Option<Guest>,
    call: impl AsyncFnOnce(&Peer) -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    let progress = Progress::begin("looking for the peer of this profile");
    let mut peer = Peer::of(args, guest).await?;
    let own = peer.is_own();
    progress.says("waiting for the answer");
    peer.progress = progress;
    let result = call(&peer).await;
    peer.progress.says("ending");
    peer.close().await;
    match result {
        Err(Failure::NotJoined(message)) if own => {
            let why = "no peer of this profile is running: join with `parlor join`, and call this while it runs";
            Err(Failure::NotJoined(format!("{message}\n{why}")))
        }
        result => result,
    }
}

pub(crate) fn show(answer: &Answer, json: bool, render: fn(&Answer) -> Result<String, Failure>) -> Done {
    if json { print(&harmless_json(&answer.0)) } else { print(&render(answer)?) }
}

pub(crate) fn guest(args: &RoomArgs) -> Option<Guest> {
    args.guest.clone().map(|id| Guest { id, name: args.guest_name.clone() })
}

pub(crate) async fn rooms(args: RoomsArgs) -> Done {
    let count = |answer: &Value| answer["rooms"].as_array().map_or(0, Vec::len).into();
    let answer =
        with_peer(&args.peer, None, async |peer| peer.read_settled(&args.read, &["rooms"], &[], count).await).await?;
    show(&answer, args.read.json, text::rooms)
}

pub(crate) async fn create(args: CreateArgs) -> Done {
    addressable(&args.room)?;
    let body = json!({"room": args.room, "private": args.private});
    let answer = with_peer(&args.peer, None, async |peer| peer.client.post(&["rooms"], &body).await).await?;
    show(&answer, args.json, text::created)
}

pub(crate) async fn ticket(args: TicketArgs) -> Done {
    if let Some(ticket) = args.read {
        let body = json!({"ticket": ticket});
        let answer = with_peer(&args.peer, None, async |peer| peer.client.post(&["tickets"], &body).await).await?;
        return show(&answer, args.json, text::ticket_info);
    }
    let room = args.room.unwrap_or_default();
    addressable(&room)?;
    let path = ["rooms", &room, "ticket"];
    let answer = with_peer(&args.peer, None, async |peer| peer.client.post(&path, &json!({})).await).await?;
    show(&answer, args.json, if args.qr { text::ticket_as_qr } else { text::ticket })
}

pub(crate) async fn forget(args: ForgetArgs) -> Done {
    let answer = with_peer(&args.peer, None, async |peer| peer.client.delete(&["rooms", &args.room]).await).await?;
    show(&answer, args.json, text::forgotten)
}

pub(crate) async fn presence(args: PresenceArgs) -> Done {
    let mut body = Map::from_iter([("presence".to_owned(), Value::Object(args.presence.unwrap_or_default()))]);
    body.extend(args.member.map(|member| ("memberId".to_owned(), member.into())));
    body.extend((!args.unset.is_empty()).then(|| ("unset".to_owned(), args.unset.into())));
    body.extend(
        (!args.expire.is_empty()).then(|| {
            ("expire".to_owned(), Map::from_iter(args.expire.into_iter().map(|(k, ms)| (k, ms.into()))).into())
        }),
    );
    body.extend(args.replace.then(|| ("mode".to_owned(), "replace".into())));
    let (path, body) = (["rooms", &args.room.room, "presence"], Value::Object(body));
    let answer = with_peer(&args.peer, guest(&args.room), async |peer| peer.client.post(&path, &body).await).await?;
    show(&answer, args.json, text::record)
}

pub(crate) async fn leave(args: LeaveArgs) -> Done {
    let body = args.member.map_or(json!({}), |member| json!({"memberId": member}));
    let path = ["rooms", &args.room.room, "leave"];
    let answer = with_peer(&args.peer, guest(&args.room), async |peer| peer.client.post(&path, &body).await).await?;
    show(&answer, args.json, text::left)
}

pub(crate) async fn members(args: MembersArgs) -> Done {
    let by = match args.by {
        Grouping::Member => "member",
        Grouping::Session => "session",
    };
    let mut query = args.page.query();
    query.push(("by", by.to_owned()));
    query.extend(args.evidence.then(|| ("evidence", "true".to_owned())));
    let path = ["rooms", &args.room.room, "members"];
    let total = |answer: &Value| answer["total"].clone();
    let call = async |peer: &Peer| peer.read_settled(&args.read, &path, &query, total).await;
    let answer = with_peer(&args.peer, guest(&args.room), call).await?;
    show(&answer, args.read.json, text::members)
}

pub(crate) async fn metadata(args: MetadataArgs) -> Done {
    let path = ["rooms", &args.room.room, "metadata"];
    let answer = if args.set.is_empty() && args.unset.is_empty() {
        let keys = |answer: &Value| answer["updatedAt"].clone();
        with_peer(&args.peer, guest(&args.room), async |peer| peer.read_settled(&args.read, &path, &[], keys).await)
            .await?
    } else {
        let mut body = json!({"metadata": Map::from_iter(args.set), "unset": args.unset});
        if let Some(version) = args.if_version {
            body["ifVersion"] = version.into();
        }
        with_peer(&args.peer, guest(&args.room), async |peer| peer.client.post(&path, &body).await).await?
    };
    show(&answer, args.read.json, text::metadata)
}

pub(crate) async fn peers(args: PeersArgs) -> Done {
    let count = |answer: &Value| answer["peers"].as_array().map_or(0, Vec::len).into();
    let answer =
        with_peer(&args.peer, None, async |peer| peer.read_settled(&args.read, &["peers"], &[], count).await).await?;
    show(&answer, args.read.json, text::peers)
}

pub(crate) async fn dial(args: DialArgs) -> Done {
    let body = json!({"addr": args.addr});
    let answer = with_peer(&args.peer, None, async |peer| {
        peer.progress.says(&format!("connecting to {}", args.addr));
        peer.client.post(&["peers"], &body).await
    });
    show(&answer.await?, args.json, text::dialled)
}

pub(crate) async fn status(args: StatusArgs) -> Done {
    let answer = with_peer(&args.peer, None, async |peer| peer.client.get(&["profile"], &[]).await).await?;
    show(&answer, args.json, text::status)
}

pub(crate) async fn diagnostics(args: DiagnosticsArgs) -> Done {
    let answer = with_peer(&args.peer, None, async |peer| peer.client.get(&["diagnostics"], &[]).await).await?;
    show(&answer, args.json, text::diagnostics)
}

pub(crate) async fn profile(args: ProfileArgs) -> Done {
    let given = [("name", args.name), ("color", args.color), ("theme", args.theme)];
    let change = Map::from_iter(given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
    let answer = with_peer(&args.peer, None, async |peer| {
        if change.is_empty() {
            peer.client.get(&["profile"], &[]).await
        } else {
            peer.client.post(&["profile"], &change.into()).await
        }
    });
    show(&answer.await?, args.json, text::status)
}

pub(crate) async fn new_identity(args: NewIdentityArgs) -> Done {
    let path = ["profile", "identity"];
    let answer = with_peer(&args.peer, None, async |peer| peer.client.post(&path, &json!({})).await).await?;
    show(&answer, args.json, text::new_identity)
}
