//! Measures one table, such as `parlor-bench wire`. Ends with 1 when something that must be reached was not.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (table, rest) = args.split_first().map_or(("wire", [].as_slice()), |(table, rest)| (table.as_str(), rest));
    Ok(if parlor_bench::table(table, rest)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
