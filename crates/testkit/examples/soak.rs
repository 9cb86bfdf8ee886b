//! Soaks real peers in bad luck: `cargo xtask soak --minutes N`. Ends with 1 when a message is lost for good, when
//! somebody does not come back, or when memory grows.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use std::path::PathBuf;
    use std::time::Duration;

    use parlor_testkit::soak::{Soak, run};

    let words: Vec<String> = std::env::args().skip(1).collect();
    let options = match words.as_slice() {
        [minutes, hosts, seed, program] => {
            (minutes.parse::<u64>(), hosts.parse::<usize>(), seed.parse::<u64>(), PathBuf::from(program))
        }
        _ => return usage(),
    };
    let (Ok(minutes), Ok(hosts), Ok(seed), program) = options else { return usage() };
    let data = std::env::temp_dir().join(format!("parlor-soak-{}", std::process::id()));
    let time = Duration::from_secs(minutes * 60);
    let soak = Soak { hosts, seed, time, program, data };
    let report = run(&soak, &mut |line| eprintln!("{line}"));
    let _ = std::fs::remove_dir_all(&soak.data);
    match report {
        Ok(report) => {
            println!("\n{report}");
            if report.wrong().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the soak could not go on: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn usage() -> ExitCode {
    eprintln!("usage: soak MINUTES HOSTS SEED PROGRAM");
    ExitCode::from(2)
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("a soak needs the network namespaces of Linux");
    ExitCode::from(2)
}
