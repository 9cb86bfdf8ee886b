//! Declares the commands of `commands.txt`, so that a window may call only what its capability names, and sees to it that
//! the page is there to be embedded.

use std::path::Path;
use std::process::exit;

const PAGE: &str = "../ui/dist";

fn main() {
    println!("cargo:rerun-if-changed=commands.txt");
    // The macro that embeds the page notices changed files, but not new ones.
    println!("cargo:rerun-if-changed={PAGE}");
    if !Path::new(PAGE).join("index.html").exists() {
        eprintln!("ui/dist is not built yet: run `npm ci && npm run build` in ui, or `cargo xtask run`");
        exit(1);
    }
    let commands: Vec<&'static str> = include_str!("commands.txt").lines().collect();
    let manifest = tauri_build::AppManifest::new().commands(commands.leak());
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("{error:#}");
        exit(1);
    }
}
