//! Three real peers on three hosts of a LAN, with nothing but real discovery between them.
//!
//! Each host is a network namespace, each peer is the `parlor serve` that people run, and what a peer sees is asked of
//! its own API from inside its host.

mod cables;
mod hello;
mod lives;
mod party;
mod private;
mod rooms;

use parlor_tests::run_on_hosts;

fn main() {
    run_on_hosts(&[
        ("cables::hosts_hear_each_other_until_a_cable_is_cut", cables::hosts_hear_each_other_until_a_cable_is_cut),
        ("cables::nothing_is_left_behind", cables::nothing_is_left_behind),
        ("cables::a_cut_host_keeps_its_view_and_catches_up", cables::a_cut_host_keeps_its_view_and_catches_up),
        ("hello::serves_where_multicast_is_filtered", hello::serves_where_multicast_is_filtered),
        ("hello::can_be_switched_off_and_so_can_mdns", hello::can_be_switched_off_and_so_can_mdns),
        ("hello::is_replaced_by_an_address_where_it_is_blocked", hello::is_replaced_by_an_address_where_it_is_blocked),
        ("hello::is_missed_where_its_port_is_taken", hello::is_missed_where_its_port_is_taken),
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
    ]);
}
