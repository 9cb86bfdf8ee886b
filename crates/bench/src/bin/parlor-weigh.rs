//! Counts what a replica takes of the heap, with an allocator that counts: `parlor-weigh members 256`, `parlor-weigh month`,
//! and what others take: `parlor-weigh held automerge 32`. Prints JSON.
#![forbid(unsafe_code)]

use anyhow::{Context, bail};
use parlor_bench::weigh;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let scales = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_current;
    let json = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["members", count] => {
            let count: usize = count.parse().context("how many members?")?;
            serde_json::to_string(&weigh::member(count, &scales)?)?
        }
        #[cfg(feature = "peers")]
        ["held", name, count] => {
            let count: usize = count.parse().context("how many members?")?;
            serde_json::to_string(&parlor_bench::held(name, count, &scales)?)?
        }
        ["month"] => serde_json::to_string(&weigh::month(&scales)?)?,
        _ => bail!("usage: parlor-weigh members COUNT | month | held SYSTEM COUNT"),
    };
    println!("{json}");
    Ok(())
}
