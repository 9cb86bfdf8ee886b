//! Names of people: the friendly one that is proposed until somebody names themselves, and what a name may be.

use parlor_core::limits::NAME_MAX;
use parlor_core::{Error, ErrorCode};

const ADJECTIVES: [&str; 40] = [
    "Able", "Amber", "Brave", "Bright", "Calm", "Cheerful", "Clever", "Cosy", "Curious", "Daring", "Eager", "Fair",
    "Gentle", "Glad", "Golden", "Happy", "Honest", "Humble", "Jolly", "Keen", "Kind", "Lively", "Lucky", "Mellow",
    "Merry", "Mild", "Neat", "Nimble", "Patient", "Placid", "Polite", "Quick", "Quiet", "Silver", "Sunny", "Swift",
    "Tidy", "Warm", "Wise", "Witty",
];

const ANIMALS: [&str; 40] = [
    "Badger", "Beaver", "Bison", "Crane", "Curlew", "Deer", "Dolphin", "Finch", "Fox", "Gecko", "Gull", "Hare",
    "Hedgehog", "Heron", "Ibex", "Jackdaw", "Koala", "Lark", "Lemur", "Llama", "Lynx", "Marten", "Mole", "Moose",
    "Newt", "Otter", "Owl", "Panda", "Pelican", "Plover", "Puffin", "Robin", "Salmon", "Seal", "Stoat", "Swan",
    "Tortoise", "Vole", "Wombat", "Wren",
];

/// A friendly name for a random number: "Quiet Otter".
#[must_use]
pub fn proposed(random: u64) -> String {
    let adjectives = ADJECTIVES.len() as u64;
    let pick = |list: &[&'static str], at: u64| {
        usize::try_from(at % list.len() as u64).ok().and_then(|at| list.get(at).copied()).unwrap_or("Quiet")
    };
    format!("{} {}", pick(&ADJECTIVES, random % adjectives), pick(&ANIMALS, random / adjectives))
}

/// The name without space around it: 1 to 256 bytes without control characters.
pub(crate) fn checked(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::new(ErrorCode::InvalidPresence, "a name needs at least one character").at("name"));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::new(ErrorCode::InvalidPresence, "a name may have no control characters").at("name"));
    }
    if name.len() > NAME_MAX {
        let message = format!("the name has {} bytes; at most {NAME_MAX} are allowed", name.len());
        return Err(Error::new(ErrorCode::PayloadTooLarge, message).limit("bytes", NAME_MAX, name.len(), "name"));
    }
    Ok(name.to_owned())
}

/// The longest beginning of `text` that fits a name.
pub(crate) fn shortened(text: &str) -> &str {
    let mut end = text.len().min(NAME_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposals_reach_every_pair() {
        let all: std::collections::BTreeSet<String> = (0..1600).map(proposed).collect();
        assert_eq!(all.len(), 1600);
        assert!(all.contains("Quiet Otter"));
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(checked("  Quiet Otter ").unwrap(), "Quiet Otter");
        assert_eq!(checked(" \t ").unwrap_err().code, ErrorCode::InvalidPresence);
        assert_eq!(checked("a\u{7}b").unwrap_err().code, ErrorCode::InvalidPresence);
        assert_eq!(checked(&"n".repeat(NAME_MAX + 1)).unwrap_err().code, ErrorCode::PayloadTooLarge);
    }

    #[test]
    fn shortening_keeps_whole_characters() {
        let long = "ä".repeat(NAME_MAX);
        assert_eq!(shortened(&long).len(), NAME_MAX);
        assert_eq!(shortened("short"), "short");
    }
}
