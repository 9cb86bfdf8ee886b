use super::*;

fn parse(line: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once(&"parlor").chain(line))
}

#[test]
fn the_declaration_holds_together() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn serve_takes_addresses_one_by_one_or_in_a_row() {
    let rows = [
        &["serve", "--listen", "/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1", "--no-multicast"][..],
        &["serve", "--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--no-multicast"],
    ];
    for row in rows {
        let Command::Serve(args) = parse(row).expect("good arguments").command else { panic!("not serve") };
        assert_eq!(args.peer.listen.len(), 2);
        assert!(args.peer.no_multicast);
    }
}

#[test]
fn an_address_never_swallows_the_room() {
    let line = ["members", "--dial", "/ip4/127.0.0.1/tcp/1", "blue"];
    let Command::Members(args) = parse(&line).expect("good arguments").command else { panic!("not members") };
    assert_eq!((args.room.room.as_str(), args.peer.dial.len()), ("blue", 1));
}

#[test]
fn wrong_values_say_what_is_allowed() {
    let cases = [
        (&["serve", "--http", "0.0.0.0:80"][..], "127.0.0.1:PORT"),
        (&["serve", "--http", "80"], "127.0.0.1:PORT"),
        (&["presence", "blue", "[1]"], "JSON object"),
        (&["presence", "blue", "{"], "not JSON"),
        (&["presence", "blue", "{}", "--expire", "typing=soon"], "milliseconds"),
        (&["metadata", "blue", "--set", "title"], "KEY=VALUE"),
        (&["members", "blue", "--limit", "0"], "1 to 1000"),
        (&["members", "blue", "--limit", "many"], "1 to 1000"),
        (&["members", "blue", "--wait", "-1"], "0 to 600"),
        (&["join", "blue", "--ttl", "4"], "5 to 3600"),
        (&["members", "blue", "--by", "device"], "session"),
        (&["members"], "<ROOM>"),
        (&["say", "blue"], "<TEXT>"),
        (&["say", "blue", "hello", "--pass", "--key", "k"], "--key"),
        (&["messages", "blue", "--limit", "0"], "1 to 1000"),
        (&["board", "blue", "--set", "[]"], "JSON object"),
        (&["nonsense"], "nonsense"),
    ];
    for (line, words) in cases {
        let error = parse(line).expect_err("wrong arguments");
        assert_eq!(error.exit_code(), 2, "{line:?}");
        assert!(error.to_string().contains(words), "{line:?}: {error}");
    }
}

/// Scripts go by them, so they are said where people look, with each code that there is.
#[test]
fn help_says_the_exit_codes() {
    let mut command = <Cli as clap::CommandFactory>::command();
    let help = command.render_long_help().to_string();
    for code in ["0 done", "1 failed", "2 wrong use"] {
        assert!(help.contains(code), "{code}: {help}");
    }
    let doctor = command.find_subcommand_mut("doctor").expect("a subcommand");
    let help = doctor.render_long_help().to_string();
    assert!(help.contains("0 no problem, 1 a problem was found"), "{help}");
}
