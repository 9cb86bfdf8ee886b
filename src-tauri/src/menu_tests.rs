//! The bar of either system, from what a page offers. macOS is imitated here and was not tried.

use super::*;
use serde_json::json;

fn offered(groups: serde_json::Value) -> Offered {
    let names =
        "about hide hideOthers showAll quit edit undo redo cut copy paste selectAll window minimize fullScreen close";
    let words: serde_json::Map<_, _> = names.split(' ').map(|name| (name.to_owned(), json!(name))).collect();
    serde_json::from_value(json!({ "groups": groups, "words": words })).unwrap()
}

fn page() -> Offered {
    offered(json!([
        { "title": "Parlor", "items": [{ "id": "palette", "words": "Find", "keys": "$mod+K" }] },
        { "title": "People", "items": [{ "id": "people", "words": "Show people", "keys": "M", "chosen": true }] },
    ]))
}

fn titles(bars: &[Bar]) -> Vec<&str> {
    bars.iter().map(|bar| bar.title.as_str()).collect()
}

fn natives(bar: &Bar) -> Vec<Native> {
    bar.entries.iter().filter_map(|entry| if let Entry::Native(kind, _) = entry { Some(*kind) } else { None }).collect()
}

#[test]
fn the_bar_of_a_window_has_what_the_page_offers_and_a_way_out() {
    let bars = plan(&page(), System::Other);
    assert_eq!(titles(&bars), ["Parlor", "People"]);
    assert!(bars.iter().all(|bar| natives(bar).is_empty()), "none of them works there");
    let item = |id: &str, words: &str, keys: Option<&str>, chosen| Entry::Item {
        id: id.to_owned(),
        words: words.to_owned(),
        keys: keys.map(str::to_owned),
        chosen,
    };
    assert_eq!(
        bars[0].entries,
        [item("palette", "Find", Some("CmdOrCtrl+K"), false), Entry::Line, item(QUIT, "quit", None, false)]
    );
    assert_eq!(bars[1].entries, [item("people", "Show people", None, true)], "and M can still be typed");
}

#[test]
fn the_bar_of_a_mac_edits_hides_and_quits() {
    use Native::{
        About, Close, Copy, Cut, FullScreen, Hide, HideOthers, Minimize, Paste, Quit, Redo, SelectAll, ShowAll, Undo,
    };
    let bars = plan(&page(), System::Mac);
    assert_eq!(titles(&bars), ["Parlor", "edit", "People", "window"]);
    assert_eq!(natives(&bars[0]), [About, Hide, HideOthers, ShowAll, Quit]);
    assert_eq!(natives(&bars[1]), [Undo, Redo, Cut, Copy, Paste, SelectAll]);
    assert_eq!(natives(&bars[3]), [Minimize, FullScreen, Close]);
    assert!(bars[0].entries.iter().any(|entry| matches!(entry, Entry::Item { id, .. } if id == "palette")));
}

#[test]
fn words_of_people_stay_words() {
    assert_eq!(written("Salt & Pepper"), "Salt && Pepper");
    assert_eq!(written("a\nb\u{7}c"), "abc");
    assert_eq!(written(&"&".repeat(500)).chars().count(), 2 * LETTERS_MAX + 1);
    assert_eq!(written("„Ada“"), "„Ada“");
}

#[test]
fn only_keys_that_nobody_types_are_keys_of_a_menu() {
    assert_eq!(accelerator("$mod+K").as_deref(), Some("CmdOrCtrl+K"));
    assert_eq!(accelerator("$mod+Comma").as_deref(), Some("CmdOrCtrl+Comma"));
    for keys in ["M", "?", "/", "Escape", "Shift+C", "Alt+Digit1", "$mod+", "$mod+ä", "$mod+Shift+Z", "$mod+K+K", ""] {
        assert_eq!(accelerator(keys), None, "{keys}");
    }
}

#[test]
fn a_page_that_offers_too_much_or_nothing_has_a_bar_all_the_same() {
    let items: Vec<_> = (0..500).map(|n| json!({ "id": format!("i{n}"), "words": "x" })).collect();
    let groups: Vec<_> = (0..50).map(|_| json!({ "title": "many", "items": items })).collect();
    let bars = plan(&offered(json!(groups)), System::Other);
    assert_eq!(bars.len(), GROUPS_MAX);
    assert!(bars.iter().all(|bar| bar.entries.len() <= ITEMS_MAX + 2));
    assert!(plan(&offered(json!([])), System::Mac).is_empty());
    let nameless = offered(json!([{ "title": "a", "items": [{ "id": "", "words": "x" }] }]));
    assert_eq!(plan(&nameless, System::Other)[0].entries.len(), 2, "the line and the way out");
}

#[test]
fn what_is_shown_already_is_not_shown_again() {
    let bar = MenuBar::new(true);
    assert!(bar.shown() && bar.is_new(&page()) && !bar.is_new(&page()));
    assert!(bar.is_new(&offered(json!([]))));
    bar.forget();
    assert!(bar.is_new(&offered(json!([]))), "what was refused is tried again");
    assert_eq!(MenuBar::new(false).shown(), cfg!(target_os = "macos"));
}
