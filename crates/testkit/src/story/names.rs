//! Names for hosts and their people, so that a story is read and not deciphered.

const NAMES: [&str; 26] = [
    "ann", "bob", "cleo", "dan", "eve", "finn", "gia", "hugo", "iris", "jon", "kim", "leo", "mia", "ned", "ola", "pia",
    "quin", "rosa", "sam", "tess", "uma", "vic", "wes", "xena", "yan", "zoe",
];

/// The name of a host: `ann`, `bob`, … `zoe`, `ann2`, …
#[must_use]
pub fn host(index: usize) -> String {
    let name = NAMES[index % NAMES.len()];
    match index / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}{}", round + 1),
    }
}

/// Names of hosts in a row: `ann, bob and cleo`.
#[must_use]
pub fn hosts(indices: &[usize]) -> String {
    let names: Vec<String> = indices.iter().map(|index| host(*index)).collect();
    list(&names)
}

/// Things in a row: `a, b and c`.
#[must_use]
pub fn list(things: &[String]) -> String {
    match things {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
