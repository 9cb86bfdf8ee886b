//! The packages of an npm lock file: each of an allowed licence, and pinned by its content.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::crates::{is_allowed, licensees};

/// Licences that ask for no more than their own text.
const ALLOWED: [&str; 7] = ["MIT", "Apache-2.0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Zlib"];
/// Those whose own files stay under another licence: a font, and tools that are in nothing that is shipped.
const EXCEPTIONS: [(&str, &str); 3] =
    [("@fontsource-variable/inter", "OFL-1.1"), ("axe-core", "MPL-2.0"), ("lightningcss", "MPL-2.0")];

/// Those whose manifest is so old that npm does not note what it says, and under what their text is.
const BY_TEXT: [(&str, &str); 1] = [("xmlhttprequest-ssl", "MIT")];

/// A package of a lock file.
#[derive(Debug, Default, Deserialize)]
pub struct Package {
    license: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    link: bool,
}

/// Packages by where they lie below the folder of the lock.
pub type Packages = BTreeMap<String, Package>;

/// The packages that are not of this repository.
pub fn read(file: &Path) -> Result<Packages> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Lock {
        lockfile_version: u32,
        packages: Packages,
    }
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lock: Lock = serde_json::from_slice(&text).with_context(|| format!("cannot read {}", file.display()))?;
    if lock.lockfile_version != 3 {
        bail!("{} is of version {}, not 3", file.display(), lock.lockfile_version);
    }
    let mut packages = lock.packages;
    // Folders of this repository, and the links to them.
    packages.retain(|place, package| place.contains("node_modules/") && !is_ours(package));
    Ok(packages)
}

fn is_ours(package: &Package) -> bool {
    package.link && package.resolved.as_deref().is_some_and(|place| !place.contains(':') && !place.contains(".."))
}

/// What is wrong with them.
pub fn problems(packages: &Packages) -> Vec<String> {
    let mut problems = Vec::new();
    for (place, package) in packages {
        let name = place.rsplit("node_modules/").next().unwrap_or(place);
        let mut allowed = ALLOWED.to_vec();
        // A package may come in parts for each platform, named after it.
        let is_of = |whole: &str| name == whole || name.strip_prefix(whole).is_some_and(|part| part.starts_with('-'));
        allowed.extend(EXCEPTIONS.iter().filter(|(whole, _)| is_of(whole)).map(|(_, licence)| licence));
        let by_text = BY_TEXT.iter().find(|(old, _)| *old == name).map(|(_, licence)| *licence);
        match package.license.as_deref().or(by_text) {
            Some(licence) if is_allowed(licence, &licensees(&allowed)) => {}
            Some(licence) => problems.push(format!("{name} is under {licence}")),
            None => problems.push(format!("{name} names no licence")),
        }
        if !package.integrity.as_deref().is_some_and(|hash| hash.starts_with("sha512-")) {
            problems.push(format!("{name} is not pinned by a hash of its content"));
        }
        // Which registry is asked is a matter of the machine; a package that names a place of its own is from elsewhere.
        if let Some(from) = &package.resolved {
            problems.push(format!("{name} is from {from}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(entry: &str) -> Result<Vec<String>> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("package-lock.json");
        let ours = r#""": {"name": "ours"}, "client": {"name": "client"}, "node_modules/client": {"resolved": "client", "link": true}"#;
        std::fs::write(&file, format!(r#"{{"lockfileVersion": 3, "packages": {{{ours}, {entry}}}}}"#))?;
        Ok(problems(&read(&file)?))
    }

    #[test]
    fn each_is_licensed_pinned_and_from_no_place_of_its_own() {
        let pin = r#""integrity": "sha512-abc""#;
        for (entry, expected) in [
            (format!(r#""node_modules/a": {{"license": "MIT", {pin}}}"#), &[][..]),
            (format!(r#""node_modules/xmlhttprequest-ssl": {{{pin}}}"#), &[][..]),
            (
                format!(r#""node_modules/xmlhttprequest-ssl": {{"license": "GPL-3.0", {pin}}}"#),
                &["xmlhttprequest-ssl is under GPL-3.0"],
            ),
            (format!(r#""node_modules/a": {{"license": "Apache-2.0 OR MIT", {pin}}}"#), &[]),
            (format!(r#""node_modules/axe-core": {{"license": "MPL-2.0", {pin}}}"#), &[]),
            (format!(r#""node_modules/lightningcss-linux-x64-gnu": {{"license": "MPL-2.0", {pin}}}"#), &[]),
            (
                format!(r#""node_modules/lightningcssx": {{"license": "MPL-2.0", {pin}}}"#),
                &["lightningcssx is under MPL-2.0"],
            ),
            (
                format!(r#""node_modules/a/node_modules/@b/c": {{"license": "GPL-3.0", {pin}}}"#),
                &["@b/c is under GPL-3.0"],
            ),
            (format!(r#""node_modules/a": {{{pin}}}"#), &["a names no licence"]),
            (r#""node_modules/a": {"license": "MIT"}"#.into(), &["a is not pinned by a hash of its content"]),
            (
                r#""node_modules/a": {"license": "MIT", "integrity": "sha1-abc"}"#.into(),
                &["a is not pinned by a hash of its content"],
            ),
            (
                format!(r#""node_modules/a": {{"license": "MIT", {pin}, "resolved": "git+ssh://host/a"}}"#),
                &["a is from git+ssh://host/a"],
            ),
            (
                format!(r#""node_modules/a": {{"license": "MIT", {pin}, "resolved": "../a", "link": true}}"#),
                &["a is from ../a"],
            ),
        ] {
            assert_eq!(lock(&entry).expect("a lock"), expected, "{entry}");
        }
    }

    #[test]
    fn a_lock_of_another_kind_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("package-lock.json");
        std::fs::write(&file, r#"{"lockfileVersion": 1, "packages": {}}"#).expect("a file");
        assert!(read(&file).is_err());
    }
}
