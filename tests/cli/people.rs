//! People and their rights, from the terminal.

use crate::world::*;

/// Runs a verb with something piped in.
fn piped(setup: &Setup, verb: &[&str], typed: &str) -> Output {
    use std::io::Write;
    let mut child = Command::new(rig::binary())
        .args(verb)
        .arg("--config")
        .arg(setup.file())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn people_are_let_in_granted_and_explained_from_the_terminal_and_all_of_it_is_written_down() {
    let (pbx, crm) = (pbx(quiet()), crm());
    let setup = Setup::new("people", &pbx, &pbx.url())
        .set(QUICK)
        .target("crm", &crm, &crm.hook_url());
    let call = pbx.place_call(over(true));
    let mut agent = running(&setup);
    let ask = |verb: &[&str]| callspool(&setup, verb);
    until("the rights are read and the call is here", || {
        let shown = ask(&["rights", "show", "--json"]);
        code(&shown) == 0
            && json(&shown)["rights"]["version"].as_i64() > Some(0)
            && code(&ask(&["why", &call.main_call_history_id])) == 0
    });

    // Logins: a password is piped, made, or chosen by a code; it is never an argument and never shown again.
    assert_eq!(code(&piped(&setup, &["user", "add", "101"], "short\n")), 4);
    assert_eq!(code(&piped(&setup, &["user", "add", "101"], "")), 4);
    assert_eq!(
        code(&piped(&setup, &["user", "add", "9999"], "four words apart really\n")),
        4
    );
    let added = piped(&setup, &["user", "add", "101"], "four words apart really\n");
    assert!(
        code(&added) == 0 && out(&added).contains("101 (") && !out(&added).contains("four words"),
        "{}",
        err(&added)
    );
    assert!(out(&ask(&["user", "add", "102", "--generate"])).contains("password: "));
    let made = json(&ask(&["user", "code", "103", "--valid", "2h", "--json"]));
    assert_eq!(made["code"].as_str().unwrap().len(), 23);
    assert_eq!(code(&ask(&["user", "code", "103", "--valid", "soon"])), 2);
    let list = out(&ask(&["user", "list"]));
    assert!(
        list.contains("has a password") && list.contains("has a code until") && list.lines().count() == 3,
        "{list}"
    );
    assert!(!out(&ask(&["user", "list", "--json"])).contains("argon2"));
    assert_eq!(code(&ask(&["user", "remove", "102"])), 0);
    assert_eq!(code(&ask(&["user", "remove", "102"])), 4);

    // Grants: with a reason, to whom there is, of what there is.
    let department = json(&ask(&["rights", "show", "--json"]))["who_hears"]["departments"][1]["name"].clone();
    let department = department.as_str().unwrap();
    let grant = |more: &[&str]| {
        let mut verb = vec!["rights", "grant", "101", "recording.listen"];
        verb.extend(more);
        ask(&verb)
    };
    assert_eq!(code(&grant(&[])), 2, "no reason");
    assert_eq!(code(&grant(&["--why", "review", "--department", "Nowhere"])), 4);
    assert_eq!(code(&grant(&["--why", "review", "--until", "2020-01-01"])), 4);
    assert_eq!(
        code(&ask(&["rights", "grant", "101", "recording.eat", "--why", "x"])),
        2
    );
    let given = grant(&["--why", "quality review", "--department", department, "--until", "30d"]);
    assert!(
        code(&given) == 0 && out(&given).starts_with("grant 1: 101 may recording.listen (department)"),
        "{}",
        err(&given)
    );
    let listed = out(&ask(&["rights", "list"]));
    assert!(
        listed.contains("terminal: quality review") && listed.contains("until "),
        "{listed}"
    );
    let explained = ask(&["rights", "explain", "--as", "101", "--action", "recording.listen"]);
    assert!(
        out(&explained).contains("grant 1") && out(&explained).contains(department),
        "{}",
        out(&explained)
    );
    let about = ask(&[
        "rights",
        "explain",
        "--as",
        "9999",
        "--action",
        "recording.listen",
        "--call",
        &call.main_call_history_id,
    ]);
    assert!(
        code(&about) == 0 && out(&about).contains("no: unknown-person; it would have needed recording.listen"),
        "{}",
        out(&about)
    );
    let decided = json(&ask(&[
        "rights",
        "explain",
        "--as",
        "100",
        "--action",
        "call.view",
        "--call",
        &call.main_call_history_id,
        "--json",
    ]));
    assert_eq!(
        decided["answers"][0]["explanation"]["decision"]["allowed"], true,
        "100 owns the system: {decided}"
    );
    assert_eq!(
        code(&ask(&[
            "rights",
            "explain",
            "--as",
            "101",
            "--action",
            "call.view",
            "--call",
            "4711"
        ])),
        1
    );
    let matrix = out(&ask(&["rights", "show"]));
    assert!(
        matrix.contains("hear everything") || matrix.contains("hears"),
        "{matrix}"
    );
    assert_eq!(code(&ask(&["rights", "revoke", "1"])), 0);
    assert_eq!(code(&ask(&["rights", "revoke", "1"])), 4);
    assert!(out(&ask(&["rights", "list", "--ended"])).contains("by terminal"));

    // The terminal traces calls; numbers from outside and names are not its own.
    let why = out(&ask(&["why", &call.main_call_history_id, "--json"]));
    let outside = json(&ask(&["calls", "--json"]));
    assert!(
        outside[0]["from"]["name"].is_null() && outside[0]["to"]["name"].is_null(),
        "{outside}"
    );
    assert!(
        outside[0]["from"]["number"].as_str().unwrap().starts_with("•••"),
        "{outside}"
    );
    assert!(!why.contains("+4"), "{why}");

    // All of it is written down, and can be taken away.
    let rows = json(&ask(&["audit", "--json"]));
    let about: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|row| row["about"].as_str().unwrap())
        .collect();
    for said in [
        "set the password of 101",
        "gave 103 a one-time code",
        "removed the account of 102",
        "grant 1: recording.listen department to 101",
        "ended grant 1",
    ] {
        assert!(about.contains(&said), "{said} in {about:?}");
    }
    assert!(!rows.to_string().contains("four words"));
    assert!(out(&ask(&["audit", "--csv"])).starts_with("id,at,"));
    assert_eq!(out(&ask(&["audit", "--lines", "-n", "2"])).lines().count(), 2);
    assert_eq!(
        out(&ask(&["audit", "--since", "1h", "--who", "terminal"]))
            .lines()
            .count(),
        about.len()
    );
    assert_eq!(code(&ask(&["audit", "--since", "yesterday"])), 2);
    let copy = setup.folder.0.join("copy.db");
    assert_eq!(code(&ask(&["backup", &copy.to_string_lossy()])), 0);
    assert!(out(&ask(&["audit"])).contains("copied the store to"));
    assert!(agent.stop());
    // Reading needs no agent; changing does.
    assert_eq!(code(&ask(&["rights", "list"])), 0);
    assert_eq!(code(&ask(&["user", "code", "103"])), 3);
}
