//! Three real peers on three hosts of a LAN, with nothing but real discovery between them.
//!
//! Each host is a network namespace, each peer is the `parlor serve` that people run, and what a peer sees is asked of
//! its own API from inside its host. Without root or `ip` these tests are skipped, which `CI=true` turns into failures.
//! They run one at a time, since they measure how long things take.

mod cables;
mod hello;
mod lives;
mod party;
mod private;
mod rooms;

use libtest_mimic::{Arguments, Failed, Trial};
use parlor_testkit::netns;

fn main() {
    let tests: [(&str, fn()); 15] = [
        ("cables::hosts_hear_each_other_until_a_cable_is_cut", cables::hosts_hear_each_other_until_a_cable_is_cut),
        ("cables::nothing_is_left_behind", cables::nothing_is_left_behind),
        ("cables::a_cut_host_keeps_its_view_and_catches_up", cables::a_cut_host_keeps_its_view_and_catches_up),
        ("hello::serves_where_multicast_is_filtered", hello::serves_where_multicast_is_filtered),
        ("hello::can_be_switched_off_and_so_can_mdns", hello::can_be_switched_off_and_so_can_mdns),
        ("hello::is_replaced_by_an_address_where_it_is_blocked", hello::is_replaced_by_an_address_where_it_is_blocked),
        ("hello::is_no_way_to_harm_a_room", hello::is_no_way_to_harm_a_room),
        ("rooms::everyone_sees_everyone", rooms::everyone_sees_everyone),
        ("rooms::a_cursor_crosses", rooms::a_cursor_crosses),
        ("rooms::metadata_reaches_everyone", rooms::metadata_reaches_everyone),
        ("rooms::a_late_third_joins", rooms::a_late_third_joins),
        (
            "private::an_outsider_learns_neither_its_name_nor_a_word",
            private::an_outsider_learns_neither_its_name_nor_a_word,
        ),
        ("lives::who_leaves_is_gone_at_once", lives::who_leaves_is_gone_at_once),
        ("lives::who_crashes_is_stale_then_gone", lives::who_crashes_is_stale_then_gone),
        ("lives::who_restarts_is_one_member", lives::who_restarts_is_one_member),
    ];
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let reason = netns::available().err().map(|error| error.to_string());
    if let Some(reason) = &reason {
        eprintln!("not run: {reason}");
    }
    let trials = tests.map(|(name, test)| {
        let refused = reason.clone().filter(|_| ci);
        let run = move || {
            if let Some(reason) = refused {
                return Err(Failed::from(reason));
            }
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(reason.is_some() && !ci)
    });
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials.into()).exit();
}
