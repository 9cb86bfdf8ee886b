//! What a person chose: name, colour, theme. Keys that this version does not know are kept, so that a newer one finds
//! them again.

use serde::{Deserialize, Serialize};

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// `settings.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) color: String,
    #[serde(default)]
    pub(crate) theme: Theme,
    /// Whether the person chose the name, rather than being given a proposal.
    #[serde(default)]
    pub(crate) named: bool,
    #[serde(flatten)]
    pub(crate) unknown: serde_json::Map<String, serde_json::Value>,
}

impl Settings {
    /// Those of somebody who has not chosen yet.
    pub(crate) fn proposed(random: u64) -> Self {
        Self {
            name: crate::names::proposed(random),
            color: crate::palette::colour_for(random >> 32).to_owned(),
            theme: Theme::System,
            named: false,
            unknown: serde_json::Map::new(),
        }
    }

    /// Whether the values obey the rules that `set_profile` keeps; a file may have been edited by hand.
    pub(crate) fn is_sound(&self) -> bool {
        crate::names::checked(&self.name).as_deref() == Ok(&self.name) && crate::palette::checked(&self.color).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_survive_and_missing_ones_have_defaults() {
        let text = r##"{"name":"Quiet Otter","color":"#286fe3","cursorSize":3}"##;
        let settings: Settings = serde_json::from_str(text).unwrap();
        assert!(settings.is_sound() && !settings.named);
        let again: serde_json::Value = serde_json::to_value(&settings).unwrap();
        assert_eq!(again["cursorSize"], 3);
    }

    #[test]
    fn values_out_of_bounds_are_not_sound() {
        assert!(Settings::proposed(77).is_sound());
        assert!(!Settings { name: String::new(), ..Settings::proposed(1) }.is_sound());
        assert!(!Settings { color: "red".into(), ..Settings::proposed(1) }.is_sound());
    }
}
