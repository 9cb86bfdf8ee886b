//! The crates of the lock file, held against `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::workspace::Workspace;

/// A crate, as `cargo metadata` names it.
#[derive(Clone, Debug, Deserialize)]
pub struct Crate {
    name: String,
    version: String,
    license: Option<String>,
    /// Where it is from; none for those of this repository.
    source: Option<String>,
}

/// All crates that any platform or feature may need.
pub fn read(workspace: &Workspace) -> Result<Vec<Crate>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Crate>,
    }
    let mut cargo = workspace.cargo();
    let output = cargo
        .args(["metadata", "--format-version=1", "--locked", "--all-features"])
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    Ok(metadata.packages)
}

/// `deny.toml`. A key that is not known here would be a rule that nobody keeps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Licences {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    multiple_versions: Allow,
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: Option<String>,
    #[serde(default)]
    deny_multiple_versions: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    unknown_registry: Deny,
    unknown_git: Deny,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Allow {
    Allow,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deny {
    Deny,
}

impl Rules {
    /// Reads it, and fails on any rule that is not kept here.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("cannot read {}", file.display()))
    }

    /// Crates of a licence that is not allowed, and exceptions that nothing needs any more.
    pub fn licences(&self, crates: &[Crate]) -> Vec<String> {
        let allowed = licensees(&self.licenses.allow);
        let mut problems = Vec::new();
        let mut used = BTreeSet::new();
        for one in crates {
            let Some(licence) = &one.license else {
                problems.push(format!("{} {} names no licence", one.name, one.version));
                continue;
            };
            if is_allowed(licence, &allowed) {
                continue;
            }
            let exception = self.licenses.exceptions.iter().find(|exception| exception.name == one.name);
            let more = exception.map(|exception| licensees(&exception.allow)).unwrap_or_default();
            if is_allowed(licence, &[allowed.clone(), more].concat()) {
                used.insert(&one.name);
            } else {
                problems.push(format!("{} {} is under {licence}", one.name, one.version));
            }
        }
        let idle = self.licenses.exceptions.iter().filter(|exception| !used.contains(&exception.name));
        problems.extend(idle.map(|exception| format!("nothing needs the exception for {}", exception.name)));
        problems
    }

    /// Crates that are banned, and those that stand twice and may not.
    pub fn bans(&self, crates: &[Crate]) -> Vec<String> {
        let Allow::Allow = self.bans.multiple_versions;
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        crates.iter().for_each(|one| versions.entry(&one.name).or_default().push(&one.version));
        let mut problems = Vec::new();
        for ban in &self.bans.deny {
            let found = versions.get(ban.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            if ban.deny_multiple_versions {
                if found.len() > 1 {
                    problems.push(format!("{} stands in {} versions: {}", ban.name, found.len(), found.join(", ")));
                }
            } else if !found.is_empty() {
                problems.push(format!("{} is banned: {}", ban.name, ban.reason.as_deref().unwrap_or("no reason")));
            }
        }
        problems
    }

    /// Crates that are neither of this repository nor from the registry that all others are from.
    pub fn sources(&self, crates: &[Crate]) -> Vec<String> {
        let Sources { unknown_registry: Deny::Deny, unknown_git: Deny::Deny } = self.sources;
        let registries: Vec<&str> = crates.iter().filter_map(|one| one.source.as_deref()).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        registries.iter().for_each(|source| *counts.entry(source).or_default() += 1);
        let usual =
            counts.iter().filter(|(source, _)| source.starts_with("registry+")).max_by_key(|(_, count)| **count);
        let usual = usual.map(|(source, _)| *source);
        let others = crates.iter().filter(|one| one.source.is_some() && one.source.as_deref() != usual);
        others
            .map(|one| format!("{} {} is from {}", one.name, one.version, one.source.as_deref().unwrap_or("here")))
            .collect()
    }
}

/// Whether what an expression asks for can be had from these licences.
pub fn is_allowed(expression: &str, licences: &[Licensee]) -> bool {
    Expression::parse_mode(expression, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(|one| licences.iter().any(|licence| licence.satisfies(one))))
}

/// Licences by their names. A name that is none allows nothing.
pub fn licensees(names: &[impl AsRef<str>]) -> Vec<Licensee> {
    names.iter().filter_map(|name| Licensee::parse(name.as_ref()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0 WITH LLVM-exception"]
        exceptions = [{ crate = "special", allow = ["MPL-2.0"] }]
        [bans]
        multiple-versions = "allow"
        deny = [{ crate = "bad", reason = "it is bad" }, { crate = "one", deny-multiple-versions = true }]
        [sources]
        unknown-registry = "deny"
        unknown-git = "deny"
    "#;

    fn one(name: &str, version: &str, license: Option<&str>, source: Option<&str>) -> Crate {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Crate { name: name.into(), version: version.into(), license: text(license), source: text(source) }
    }

    fn rules() -> Rules {
        toml::from_str(RULES).expect("rules")
    }

    #[test]
    fn licences_are_what_the_rules_allow() {
        let special = one("special", "1.0.0", Some("MPL-2.0"), None);
        for (licence, allowed) in [
            ("MIT", true),
            ("Apache-2.0 OR MIT", true),
            ("GPL-3.0-only/MIT", true),
            ("(GPL-3.0-only OR MIT) AND MIT", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("MIT AND GPL-3.0-only", false),
            ("MPL-2.0", false),
            ("LicenseRef-Ours", false),
            ("not a licence", false),
            ("", false),
        ] {
            let crates = [one("a", "1.0.0", Some(licence), None), special.clone()];
            assert_eq!(rules().licences(&crates).is_empty(), allowed, "{licence}");
        }
        let nameless = [one("a", "1.0.0", None, None), special];
        assert_eq!(rules().licences(&nameless), ["a 1.0.0 names no licence"]);
        assert_eq!(rules().licences(&[]), ["nothing needs the exception for special"]);
    }

    #[test]
    fn banned_crates_and_forbidden_doubles_are_named() {
        let crates = |pairs: &[(&str, &str)]| -> Vec<Crate> {
            pairs.iter().map(|(name, version)| one(name, version, None, None)).collect()
        };
        assert!(rules().bans(&crates(&[("one", "1.0.0"), ("two", "1.0.0"), ("two", "2.0.0")])).is_empty());
        assert_eq!(rules().bans(&crates(&[("bad", "1.0.0")])), ["bad is banned: it is bad"]);
        let twice = rules().bans(&crates(&[("one", "1.0.0"), ("one", "2.0.0")]));
        assert_eq!(twice, ["one stands in 2 versions: 1.0.0, 2.0.0"]);
    }

    #[test]
    fn whatever_is_not_from_the_registry_of_all_is_named() {
        let from = |source| one("a", "1.0.0", None, source);
        let usual = || vec![from(Some("registry+one")), from(Some("registry+one")), from(None)];
        assert!(rules().sources(&usual()).is_empty());
        for source in ["registry+two", "git+one", "sparse+one"] {
            let mut crates = usual();
            crates.push(from(Some(source)));
            assert_eq!(rules().sources(&crates), [format!("a 1.0.0 is from {source}")]);
        }
        assert_eq!(rules().sources(&[from(Some("git+one"))]).len(), 1);
    }

    #[test]
    fn a_rule_that_is_not_kept_is_an_error() {
        for wrong in ["[graph]\nall-features = true\n", "[bans.workspace-dependencies]\nunused = \"deny\"\n"] {
            assert!(toml::from_str::<Rules>(&format!("{RULES}{wrong}")).is_err(), "{wrong}");
        }
        let looser = RULES.replace("unknown-git = \"deny\"", "unknown-git = \"allow\"");
        assert!(toml::from_str::<Rules>(&looser).is_err());
    }
}
