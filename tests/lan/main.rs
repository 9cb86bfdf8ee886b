//! Real peers on the hosts of a LAN, with nothing but real discovery between them: on a fine day over a bridge, and over a
//! hub that makes the weather.
//!
//! Each host is a network namespace, each peer is the `parlor serve` that people run, and what a peer sees is asked of
//! its own API from inside its host.

mod apart;
mod cables;
mod doctor;
mod hello;
mod hub;
mod lab;
mod lives;
mod party;
mod private;
mod relays;
mod rooms;
mod soak;
mod weather;

use parlor_tests::run_on_hosts;

fn main() {
    run_on_hosts(&[
        ("cables::hosts_hear_each_other_until_a_cable_is_cut", cables::hosts_hear_each_other_until_a_cable_is_cut),
        ("cables::nothing_is_left_behind", cables::nothing_is_left_behind),
        ("cables::a_cut_host_keeps_its_view_and_catches_up", cables::a_cut_host_keeps_its_view_and_catches_up),
        (
            "cables::who_ends_while_one_is_cut_off_is_gone_there_too",
            cables::who_ends_while_one_is_cut_off_is_gone_there_too,
        ),
        ("doctor::finds_nothing_where_all_is_well", doctor::finds_nothing_where_all_is_well),
        ("doctor::tells_filtered_multicast", doctor::tells_filtered_multicast),
        ("doctor::tells_its_own_firewall", doctor::tells_its_own_firewall),
        ("doctor::tells_the_firewall_of_another", doctor::tells_the_firewall_of_another),
        ("doctor::guesses_that_guests_are_kept_apart", doctor::guesses_that_guests_are_kept_apart),
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
        (
            "lives::the_only_other_falls_silent_and_is_gone_by_the_clock",
            lives::the_only_other_falls_silent_and_is_gone_by_the_clock,
        ),
        ("lives::who_restarts_is_one_member", lives::who_restarts_is_one_member),
        ("hub::does_to_frames_what_it_is_told", hub::does_to_frames_what_it_is_told),
        ("hub::takes_the_carrier_away_with_the_cable", hub::takes_the_carrier_away_with_the_cable),
        ("weather::five_in_a_hundred_are_lost", weather::five_in_a_hundred_are_lost),
        ("weather::thirty_in_a_hundred_are_lost", weather::thirty_in_a_hundred_are_lost),
        ("weather::everything_takes_a_tenth_of_a_second", weather::everything_takes_a_tenth_of_a_second),
        ("weather::one_direction_is_bad", weather::one_direction_is_bad),
        ("weather::one_direction_is_dead", weather::one_direction_is_dead),
        ("weather::frames_come_twice_and_out_of_order", weather::frames_come_twice_and_out_of_order),
        ("weather::a_link_flaps", weather::a_link_flaps),
        ("apart::two_and_three", apart::two_and_three),
        ("apart::an_address_changes", apart::an_address_changes),
        ("apart::nothing_for_many_passes", apart::nothing_for_many_passes),
        ("apart::a_computer_sleeps", apart::a_computer_sleeps),
        ("apart::a_cable_is_out_for_a_moment", apart::a_cable_is_out_for_a_moment),
        ("lives::who_leaves_and_returns_at_once_is_one_row", lives::who_leaves_and_returns_at_once_is_one_row),
        (
            "lab::a_cable_that_is_pulled_there_is_an_outage_of_ones_own",
            lab::a_cable_that_is_pulled_there_is_an_outage_of_ones_own,
        ),
        ("relays::two_networks_meet_at_one", relays::two_networks_meet_at_one),
        ("relays::one_that_crashes_is_back_with_everybody", relays::one_that_crashes_is_back_with_everybody),
        ("relays::give_way_to_a_direct_way", relays::give_way_to_a_direct_way),
        ("relays::learn_nothing_of_a_private_room", relays::learn_nothing_of_a_private_room),
        ("relays::are_used_by_nobody_who_declines", relays::are_used_by_nobody_who_declines),
        ("soak::a_moment_of_it_loses_nothing", soak::a_moment_of_it_loses_nothing),
        ("lives::the_first_leaves_and_a_fourth_arrives", lives::the_first_leaves_and_a_fourth_arrives),
    ]);
}
