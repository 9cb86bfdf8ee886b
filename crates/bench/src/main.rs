//! Measures one table: `parlor-bench wire`, `parlor-bench scale`. Ends with 1 when something that must be reached was not.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let table = std::env::args().nth(1).unwrap_or_else(|| "wire".into());
    Ok(if parlor_bench::table(&table)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
