//! The menu bar, where the system has one: always on macOS, elsewhere only when `--menu-bar` asks for it, since a window there
//! is found its way around by the palette. What stands in it is what the page offers at that moment, in its language, so it
//! never differs from the palette and the keys; what every app of the system has in its menu is added here. [`plan`] decides
//! that without a window.
//!
//! Whatever is chosen goes back to the page by its id. This module knows no rooms.

use std::sync::{Mutex, MutexGuard, PoisonError};

use parlor::{Arguments, Error, ErrorCode};
use serde::Deserialize;
use tauri::menu::{
    CheckMenuItemBuilder, IsMenuItem, Menu, MenuBuilder, MenuEvent, MenuItemBuilder, PredefinedMenuItem, SubmenuBuilder,
};
use tauri::{AppHandle, Emitter as _, Manager as _, Wry};

use crate::window;

/// A bar with more is no help to anybody.
const GROUPS_MAX: usize = 8;
const ITEMS_MAX: usize = 48;
const LETTERS_MAX: usize = 96;

/// The id of the item that closes the window, where the system has none of its own for it.
const QUIT: &str = "native-quit";

/// What the page offers.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Offered {
    /// What concerns the app as a whole, then the rest in the order of the bar.
    groups: Vec<Group>,
    /// What the system's own items are called.
    words: Words,
}

impl Arguments for Offered {
    fn code_of(_: &str) -> ErrorCode {
        ErrorCode::InvalidJson
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Group {
    title: String,
    items: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Item {
    id: String,
    words: String,
    /// As the page writes keys that also work while somebody writes: `$mod+K`.
    #[serde(default)]
    keys: Option<String>,
    #[serde(default)]
    chosen: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Words {
    about: String,
    hide: String,
    hide_others: String,
    show_all: String,
    quit: String,
    edit: String,
    undo: String,
    redo: String,
    cut: String,
    copy: String,
    paste: String,
    select_all: String,
    window: String,
    minimize: String,
    full_screen: String,
    close: String,
}

/// Whose menus are imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    /// The app's own menu comes first, and editing does not work without a menu for it.
    Mac,
    /// The menu is in the window, and there is nothing in it but what the app does.
    Other,
}

const HERE: System = if cfg!(target_os = "macos") { System::Mac } else { System::Other };

/// An item that the system does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Native {
    About,
    Hide,
    HideOthers,
    ShowAll,
    Quit,
    Undo,
    Redo,
    Cut,
    Copy,
    Paste,
    SelectAll,
    Minimize,
    FullScreen,
    Close,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Item { id: String, words: String, keys: Option<String>, chosen: bool },
    Native(Native, String),
    Line,
}

/// One menu of the bar.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bar {
    title: String,
    entries: Vec<Entry>,
}

/// The menus of the bar, from left to right.
fn plan(offered: &Offered, system: System) -> Vec<Bar> {
    let mut bars: Vec<Bar> = offered.groups.iter().take(GROUPS_MAX).map(bar).collect();
    let Some(own) = bars.first_mut().map(|bar| &mut bar.entries) else { return bars };
    let words = &offered.words;
    let native = |kind, text: &str| Entry::Native(kind, written(text));
    match system {
        System::Other => {
            let quit = Entry::Item { id: QUIT.to_owned(), words: written(&words.quit), keys: None, chosen: false };
            own.extend([Entry::Line, quit]);
        }
        System::Mac => {
            let offered = std::mem::replace(own, vec![native(Native::About, &words.about), Entry::Line]);
            own.extend(offered);
            own.extend([
                Entry::Line,
                native(Native::Hide, &words.hide),
                native(Native::HideOthers, &words.hide_others),
                native(Native::ShowAll, &words.show_all),
                Entry::Line,
                native(Native::Quit, &words.quit),
            ]);
            let edit = vec![
                native(Native::Undo, &words.undo),
                native(Native::Redo, &words.redo),
                Entry::Line,
                native(Native::Cut, &words.cut),
                native(Native::Copy, &words.copy),
                native(Native::Paste, &words.paste),
                native(Native::SelectAll, &words.select_all),
            ];
            bars.insert(1, Bar { title: written(&words.edit), entries: edit });
            let window = vec![
                native(Native::Minimize, &words.minimize),
                native(Native::FullScreen, &words.full_screen),
                native(Native::Close, &words.close),
            ];
            bars.push(Bar { title: written(&words.window), entries: window });
        }
    }
    bars
}

fn bar(group: &Group) -> Bar {
    let entries = group.items.iter().filter(|item| !item.id.is_empty()).take(ITEMS_MAX).map(|item| Entry::Item {
        id: item.id.clone(),
        words: written(&item.words),
        keys: item.keys.as_deref().and_then(accelerator),
        chosen: item.chosen,
    });
    Bar { title: written(&group.title), entries: entries.collect() }
}

/// As a menu writes it: an ampersand would underline the letter after it, and words of people may be long.
fn written(words: &str) -> String {
    let mut short: String = words.chars().filter(|letter| !letter.is_control()).take(LETTERS_MAX).collect();
    if words.chars().count() > LETTERS_MAX {
        short.push('…');
    }
    short.replace('&', "&&")
}

/// Keys as a menu takes them. Only those with the system's own modifier: a bare letter in a menu could not be typed any more.
fn accelerator(keys: &str) -> Option<String> {
    let key = keys.strip_prefix("$mod+")?;
    let letter = key.len() == 1 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (letter || key == "Comma").then(|| format!("CmdOrCtrl+{key}"))
}

/// Whether this window has a bar, and what was put into it last. Managed by the app.
pub struct MenuBar {
    shown: bool,
    last: Mutex<Option<Offered>>,
}

impl MenuBar {
    /// A bar where the system has one, and where it is `asked` for.
    pub fn new(asked: bool) -> Self {
        Self { shown: asked || HERE == System::Mac, last: Mutex::default() }
    }

    /// Whether there is one.
    pub fn shown(&self) -> bool {
        self.shown
    }

    fn forget(&self) {
        *self.last() = None;
    }

    fn last(&self) -> MutexGuard<'_, Option<Offered>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when it is not what was offered last; it is from then on.
    fn is_new(&self, offered: &Offered) -> bool {
        let mut last = self.last();
        let new = last.as_ref() != Some(offered);
        if new {
            *last = Some(offered.clone());
        }
        new
    }
}

/// Shows what the page offers. Does nothing where there is no bar.
///
/// # Errors
/// `NETWORK_UNAVAILABLE` when the system does not take the menu.
pub fn show(app: &AppHandle, offered: &Offered) -> Result<(), Error> {
    let bar = app.state::<MenuBar>();
    if !bar.shown() || !bar.is_new(offered) {
        return Ok(());
    }
    let menu = build(app, &plan(offered, HERE)).and_then(|menu| app.set_menu(menu));
    menu.map(|_| ()).map_err(|error| {
        bar.forget();
        Error::new(ErrorCode::NetworkUnavailable, format!("no menu bar: {error}"))
    })
}

/// Somebody chose an item: the page does it, and fills the bar again, since the system has turned the mark of the item over.
pub fn chosen(app: &AppHandle, event: &MenuEvent) {
    app.state::<MenuBar>().forget();
    let id = event.id().as_ref();
    let done = if id == QUIT {
        app.get_webview_window(window::MAIN).map_or(Ok(()), |window| window.close())
    } else {
        app.emit_to(window::MAIN, "menu-chosen", id)
    };
    if let Err(error) = done {
        tracing::warn!(reason = %error, "what was chosen in the menu could not be done");
    }
}

fn build(app: &AppHandle, bars: &[Bar]) -> tauri::Result<Menu<Wry>> {
    let mut menu = MenuBuilder::new(app);
    for bar in bars {
        let items = bar.entries.iter().map(|entry| item(app, entry)).collect::<tauri::Result<Vec<_>>>()?;
        let mut submenu = SubmenuBuilder::new(app, &bar.title);
        for item in &items {
            submenu = submenu.item(&**item);
        }
        menu = menu.item(&submenu.build()?);
    }
    menu.build()
}

fn item(app: &AppHandle, entry: &Entry) -> tauri::Result<Box<dyn IsMenuItem<Wry>>> {
    Ok(match entry {
        Entry::Line => Box::new(PredefinedMenuItem::separator(app)?),
        Entry::Native(kind, words) => Box::new(native(app, *kind, words)?),
        Entry::Item { id, words, keys, chosen: true } => {
            let item = CheckMenuItemBuilder::with_id(id.as_str(), words).checked(true);
            Box::new(keys.iter().fold(item, |item, keys| item.accelerator(keys)).build(app)?)
        }
        Entry::Item { id, words, keys, chosen: false } => {
            let item = MenuItemBuilder::with_id(id.as_str(), words);
            Box::new(keys.iter().fold(item, |item, keys| item.accelerator(keys)).build(app)?)
        }
    })
}

fn native(app: &AppHandle, kind: Native, words: &str) -> tauri::Result<PredefinedMenuItem<Wry>> {
    let words = Some(words);
    match kind {
        Native::About => PredefinedMenuItem::about(app, words, None),
        Native::Hide => PredefinedMenuItem::hide(app, words),
        Native::HideOthers => PredefinedMenuItem::hide_others(app, words),
        Native::ShowAll => PredefinedMenuItem::show_all(app, words),
        Native::Quit => PredefinedMenuItem::quit(app, words),
        Native::Undo => PredefinedMenuItem::undo(app, words),
        Native::Redo => PredefinedMenuItem::redo(app, words),
        Native::Cut => PredefinedMenuItem::cut(app, words),
        Native::Copy => PredefinedMenuItem::copy(app, words),
        Native::Paste => PredefinedMenuItem::paste(app, words),
        Native::SelectAll => PredefinedMenuItem::select_all(app, words),
        Native::Minimize => PredefinedMenuItem::minimize(app, words),
        Native::FullScreen => PredefinedMenuItem::fullscreen(app, words),
        Native::Close => PredefinedMenuItem::close_window(app, words),
    }
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;
