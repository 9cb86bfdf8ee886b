//! Stand-ins for names and values: another text of the same length, another number of the same size, the same one for the
//! same. Nobody can tell from a stand-in what it stands for: which it is follows from a key that is thrown away.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use crate::ids::MemberId;
use crate::raw::Raw;
use crate::value::{Key, known};
use crate::view::Bag;

/// Keys of values that are the protocol's own, beside those that presence uses all the time.
const OWN_KEYS: [&str; 8] = ["z", "removed", "type", "data", "memberId", "via", "host", "void"];
/// Other stand-ins that are tried before one is taken twice.
const TRIES: u32 = 200;

/// All stand-ins of one recording.
pub(super) struct StandIns {
    key: [u8; 32],
    /// Names and values stay.
    keep: bool,
    texts: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    numbers: BTreeMap<String, Number>,
    taken_numbers: BTreeSet<String>,
}

impl StandIns {
    /// From a key that is as good as any; `keep`: everything stands for itself.
    pub fn new(key: [u8; 32], keep: bool) -> Self {
        StandIns {
            key,
            keep,
            texts: BTreeMap::new(),
            taken: BTreeSet::new(),
            numbers: BTreeMap::new(),
            taken_numbers: BTreeSet::new(),
        }
    }

    pub fn keeps(&self) -> bool {
        self.keep
    }

    /// Bytes that say nothing of these.
    pub fn bytes<const N: usize>(&self, of: &[u8], turn: u32) -> [u8; N] {
        let mut out = [0; N];
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&turn.to_le_bytes()).update(of).finalize_xof().fill(&mut out);
        out
    }

    /// A text stands for itself from now on: nobody wrote it.
    pub fn let_stand(&mut self, text: &str) {
        self.texts.insert(text.to_owned(), text.to_owned());
        self.taken.insert(text.to_owned());
    }

    /// A text. Ids that are made of keys stay: they say who is the same, and not who.
    pub fn text(&mut self, text: &str) -> String {
        if self.keep || text.is_empty() || is_user_id(text) {
            return text.to_owned();
        }
        if let Some(found) = self.texts.get(text) {
            return found.clone();
        }
        let mut turn = 0;
        let found = loop {
            let mut found = self.letters(text, turn);
            if turn >= TRIES {
                // All of this length are taken: one longer, and one more, until it is free.
                found.extend(std::iter::repeat_n('x', usize::try_from(turn - TRIES).unwrap_or(0) + 1));
            }
            if found != text && known(&found).is_none() && !self.taken.contains(&found) {
                break found;
            }
            turn += 1;
        };
        self.taken.insert(found.clone());
        self.texts.insert(text.to_owned(), found.clone());
        found
    }

    /// A text that says something when it is one of the few words that presence uses all the time.
    fn word(&mut self, text: &str) -> String {
        if known(text).is_some() { text.to_owned() } else { self.text(text) }
    }

    /// The key of a value.
    pub fn key(&mut self, key: &str) -> String {
        if OWN_KEYS.contains(&key) { key.to_owned() } else { self.word(key) }
    }

    pub fn member(&mut self, member: &MemberId) -> MemberId {
        MemberId::new(&self.text(member.as_str())).unwrap_or_else(|_| member.clone())
    }

    pub fn value(&mut self, value: &Value) -> Value {
        if self.keep {
            return value.clone();
        }
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(number) => Value::Number(self.number(number)),
            Value::String(text) => Value::String(self.word(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(bag) => Value::Object(self.bag(bag)),
        }
    }

    pub fn bag(&mut self, bag: &Bag) -> Bag {
        if self.keep {
            return bag.clone();
        }
        bag.iter().map(|(key, value)| (self.bag_key(key), self.bag_value(key, value))).collect()
    }

    fn bag_key(&mut self, key: &str) -> String {
        self.key(key)
    }

    /// A name is never one of the words that stay.
    fn bag_value(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if matches!(key, "name" | "title" | "text") => Value::String(self.text(text)),
            _ => self.value(value),
        }
    }

    pub fn raw(&mut self, raw: &Raw) -> Raw {
        if self.keep { raw.clone() } else { Raw::of(&self.value(&raw.value())) }
    }

    /// The value of a field, by its key.
    pub fn field(&mut self, key: &str, raw: &Raw) -> Raw {
        if self.keep { raw.clone() } else { Raw::of(&self.bag_value(key, &raw.value())) }
    }

    pub fn wire_key(&mut self, key: &Key) -> Key {
        Key(self.key(&key.0))
    }

    /// A number of the same sign that takes as many bytes.
    fn number(&mut self, number: &Number) -> Number {
        if matches!(number.as_f64(), Some(-1.0 | 0.0 | 1.0)) {
            return number.clone();
        }
        let name = number.to_string();
        if let Some(found) = self.numbers.get(&name) {
            return found.clone();
        }
        let mut turn = 0;
        let found = loop {
            let found = self.another(number, turn);
            let fresh = found != *number && !matches!(found.as_f64(), Some(-1.0 | 0.0 | 1.0));
            if turn >= TRIES || (fresh && !self.taken_numbers.contains(&found.to_string())) {
                break found;
            }
            turn += 1;
        };
        self.taken_numbers.insert(found.to_string());
        self.numbers.insert(name, found.clone());
        found
    }

    fn another(&self, number: &Number, turn: u32) -> Number {
        let drawn = u64::from_le_bytes(self.bytes(number.to_string().as_bytes(), turn));
        if let Some(int) = number.as_i64() {
            let size = int.unsigned_abs();
            // 7 bits a byte, one of them the sign.
            let bits = (64 - size.leading_zeros()).max(1);
            let (low, high) = ((bits / 7) * 7, ((bits / 7) * 7 + 6).min(62));
            let floor = if low == 0 { 0 } else { 1_u64 << (low - 1) };
            let picked = floor + drawn % ((1_u64 << high) - floor).max(1);
            let picked = i64::try_from(picked).unwrap_or(i64::MAX);
            return Number::from(if int < 0 { -picked } else { picked });
        }
        if number.is_u64() {
            return Number::from(drawn | 1 << 63);
        }
        let float = number.as_f64().unwrap_or_default();
        let text = format!("{float:e}");
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.chars().filter(char::is_ascii_digit).count();
        let (mut seen, mut left) = (0, drawn);
        let other: String = mantissa
            .chars()
            .map(|letter| {
                if !letter.is_ascii_digit() {
                    return letter;
                }
                seen += 1;
                let edge = seen == 1 || seen == digits;
                let digit = if edge { 1 + left % 9 } else { left % 10 };
                left = (left / 10) ^ (drawn.rotate_left(7) >> 4);
                char::from(b'0' + u8::try_from(digit).unwrap_or(1))
            })
            .collect();
        let found = format!("{other}e{power}").parse().ok().and_then(Number::from_f64);
        found.unwrap_or_else(|| number.clone())
    }

    /// Letters that take as many bytes, one for one; what JSON writes longer than it is stays.
    fn letters(&self, text: &str, turn: u32) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let mut drawn = hasher.update(&turn.to_le_bytes()).update(text.as_bytes()).finalize_xof();
        let letter = |letter: char| {
            let mut four = [0; 4];
            drawn.fill(&mut four);
            let drawn = u32::from_le_bytes(four);
            let from = |first: u32, count: u32| char::from_u32(first + drawn % count).unwrap_or(letter);
            match letter.len_utf8() {
                _ if letter.is_control() || matches!(letter, '"' | '\\') => letter,
                1 => from(u32::from('a'), 26),
                2 => from(0x430, 32),
                3 => from(0x4e00, 2_000),
                _ => from(0x1f400, 60),
            }
        };
        text.chars().map(letter).collect()
    }
}

/// `u_` and 16 letters of base32: derived from a key.
fn is_user_id(text: &str) -> bool {
    text.strip_prefix("u_").is_some_and(|rest| {
        rest.len() == 16 && rest.bytes().all(|letter| letter.is_ascii_lowercase() || matches!(letter, b'2'..=b'7'))
    })
}
