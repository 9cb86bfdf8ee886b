//! Running tests that want network namespaces.

use libtest_mimic::{Arguments, Failed, Trial, run};
use parlor_testkit::netns;

/// Runs them one at a time, since they measure how long things take, and ends the process. Where no namespace can be made
/// they are skipped, which `CI=true` turns into failures.
pub fn run_on_hosts(tests: &[(&str, fn())]) -> ! {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let reason = netns::available().err().map(|error| error.to_string());
    if let Some(reason) = &reason {
        eprintln!("not run: {reason}");
    }
    let trial = |&(name, test): &(&str, fn())| {
        let refused = reason.clone().filter(|_| ci);
        let run = move || match refused {
            Some(reason) => Err(Failed::from(reason)),
            None => {
                test();
                Ok(())
            }
        };
        Trial::test(name, run).with_ignored_flag(reason.is_some() && !ci)
    };
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    run(&arguments, tests.iter().map(trial).collect()).exit()
}
