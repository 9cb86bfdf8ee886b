//! gossipsub by hand: messages in anybody's name, signed by whoever it is, and the bytes of an RPC.

use libp2p::PeerId;
use libp2p::gossipsub::RawMessage;
use libp2p::identity::Keypair;

/// A message as it goes on the wire.
#[derive(Clone, Debug)]
pub struct Signed {
    from: Vec<u8>,
    data: Vec<u8>,
    number: Vec<u8>,
    topic: String,
    signature: Vec<u8>,
    key: Option<Vec<u8>>,
}

impl Signed {
    /// A message in the name of `from`, signed with this key, whosever it is.
    #[must_use]
    pub fn new(from: &PeerId, key: &Keypair, number: u64, topic: &str, data: Vec<u8>) -> Self {
        let mut message = Signed {
            from: from.to_bytes(),
            data,
            number: number.to_be_bytes().to_vec(),
            topic: topic.to_owned(),
            signature: Vec::new(),
            key: None,
        };
        let signed = [b"libp2p-pubsub:".as_slice(), &message.body()].concat();
        message.signature = key.sign(&signed).unwrap_or_default();
        message
    }

    /// One that was heard, as it was heard: its signature is good.
    #[must_use]
    pub fn heard(raw: &RawMessage) -> Self {
        Signed {
            from: raw.source.map_or_else(Vec::new, |source| source.to_bytes()),
            data: raw.data.clone(),
            number: raw.sequence_number.unwrap_or_default().to_be_bytes().to_vec(),
            topic: raw.topic.as_str().to_owned(),
            signature: raw.signature.clone().unwrap_or_default(),
            key: raw.key.clone(),
        }
    }

    /// What is signed: everything but the signature and the key.
    fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len() + 256);
        put(1, &self.from, &mut out);
        put(2, &self.data, &mut out);
        put(3, &self.number, &mut out);
        put(4, self.topic.as_bytes(), &mut out);
        out
    }

    fn whole(&self) -> Vec<u8> {
        let mut out = self.body();
        put(5, &self.signature, &mut out);
        self.key.iter().for_each(|key| put(6, key, &mut out));
        out
    }
}

/// These messages in one RPC, with its length before it.
#[must_use]
pub fn rpc<'a>(messages: impl IntoIterator<Item = &'a Signed>) -> Vec<u8> {
    let mut body = Vec::new();
    messages.into_iter().for_each(|message| put(2, &message.whole(), &mut body));
    with_length(&body)
}

/// That this peer is subscribed to a topic, or is no longer.
#[must_use]
pub fn subscription(topic: &str, on: bool) -> Vec<u8> {
    let mut option = vec![0x08, u8::from(on)];
    put(2, topic.as_bytes(), &mut option);
    let mut body = Vec::new();
    put(1, &option, &mut body);
    with_length(&body)
}

/// That it joins the mesh of a topic, so many times.
#[must_use]
pub fn grafts(topic: &str, count: usize) -> Vec<u8> {
    let mut graft = Vec::new();
    put(1, topic.as_bytes(), &mut graft);
    let mut control = Vec::new();
    (0..count).for_each(|_| put(3, &graft, &mut control));
    let mut body = Vec::new();
    put(3, &control, &mut body);
    with_length(&body)
}

/// A body of any bytes, with its length before it.
#[must_use]
pub fn with_length(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 4);
    put_number(body.len() as u64, &mut out);
    out.extend_from_slice(body);
    out
}

fn put(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
