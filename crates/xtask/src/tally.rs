//! Counting tests, and reading the counts that test runners write.

use std::ops::AddAssign;

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Did what they should.
    pub passed: u64,
    /// Did not.
    pub failed: u64,
    /// Were not run.
    pub skipped: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Tally {
    /// One check that went so.
    pub fn check(ok: bool) -> Self {
        Self { passed: u64::from(ok), failed: u64::from(!ok), skipped: 0 }
    }

    /// One that could not be run.
    pub fn skip() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    /// A runner's counts together with how it ended: one that broke without naming a failed test, or that found no
    /// test at all, is one failure.
    pub fn with_exit(mut self, ok: bool) -> Self {
        if (!ok && self.failed == 0) || (ok && self == Self::default()) {
            self.failed += 1;
        }
        self
    }

    /// The last line of `cargo xtask test`.
    pub fn line(&self) -> String {
        let skipped = if self.skipped > 0 { format!(", {} skipped", self.skipped) } else { String::new() };
        format!("{} passed, {} failed{skipped}", self.passed, self.failed)
    }

    /// Sums the lines `test result: ok. 3 passed; 0 failed; 1 ignored; …` of cargo.
    pub fn of_cargo(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
            let count = |word: &str| {
                let part = line.split([';', '.']).find_map(|part| part.trim().strip_suffix(word))?;
                part.trim().parse().ok()
            };
            sum += Self {
                passed: count("passed").unwrap_or(0),
                failed: count("failed").unwrap_or(0),
                skipped: count("ignored").unwrap_or(0),
            };
        }
        sum
    }

    /// Reads the closing comments of TAP as Node writes them: `# pass 3`.
    pub fn of_tap(output: &str) -> Self {
        let count = |word: &str| -> u64 {
            let mut lines = output.lines().rev();
            lines.find_map(|line| line.strip_prefix("# ")?.strip_prefix(word)?.trim().parse().ok()).unwrap_or(0)
        };
        Self {
            passed: count("pass "),
            failed: count("fail ") + count("cancelled "),
            skipped: count("skipped ") + count("todo "),
        }
    }

    /// Reads the JSON report of vitest.
    pub fn of_vitest(report: &str) -> Self {
        let report: serde_json::Value = serde_json::from_str(report).unwrap_or_default();
        let count = |key: &str| report.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
        // A file that does not load is a failed suite without tests.
        let broken = report
            .get("testResults")
            .and_then(serde_json::Value::as_array)
            .map_or(0, |files| files.iter().filter(|file| is_broken(file)).count() as u64);
        Self {
            passed: count("numPassedTests"),
            failed: count("numFailedTests") + broken,
            skipped: count("numPendingTests") + count("numTodoTests"),
        }
    }
}

fn is_broken(file: &serde_json::Value) -> bool {
    let failed = file.get("status").and_then(serde_json::Value::as_str) == Some("failed");
    failed && file.get("assertionResults").and_then(serde_json::Value::as_array).is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn sums_what_cargo_says() {
        let output = "running 3 tests\ntest a ... ok\n\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 \
                      filtered out; finished in 0.10s\n\n   Doc-tests parlor\ntest result: FAILED. 10 passed; 2 failed; 0 \
                      ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(Tally::of_cargo(output), Tally { passed: 13, failed: 2, skipped: 1 });
        assert_eq!(Tally::of_cargo("error: could not compile"), Tally::default());
    }

    #[test]
    fn sums_what_node_says() {
        let output =
            "ok 1 - a\n# a note\n# tests 4\n# suites 0\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n";
        assert_eq!(Tally::of_tap(output), Tally { passed: 2, failed: 1, skipped: 1 });
    }

    #[test]
    fn sums_what_vitest_says() {
        let report = r#"{"numPassedTests": 5, "numFailedTests": 1, "numPendingTests": 2, "numTodoTests": 0, "testResults": [
            {"status": "passed", "assertionResults": [{}]}, {"status": "failed", "assertionResults": []}]}"#;
        assert_eq!(Tally::of_vitest(report), Tally { passed: 5, failed: 2, skipped: 2 });
        assert_eq!(Tally::of_vitest("not json"), Tally::default());
    }

    #[test]
    fn a_runner_that_breaks_or_finds_nothing_has_failed() {
        assert_eq!(Tally::default().with_exit(true).failed, 1);
        assert_eq!(Tally::check(true).with_exit(false).failed, 1);
        assert_eq!(Tally::check(false).with_exit(false).failed, 1);
        assert_eq!(Tally::check(true).with_exit(true), Tally::check(true));
    }

    #[test]
    fn the_last_line_names_skips_only_when_there_are_some() {
        assert_eq!(Tally { passed: 3, failed: 0, skipped: 0 }.line(), "3 passed, 0 failed");
        assert_eq!(Tally { passed: 3, failed: 1, skipped: 2 }.line(), "3 passed, 1 failed, 2 skipped");
    }
}
