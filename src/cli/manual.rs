//! The man page and the shells' completions, made from the command line's own definition while it is tested: they stand in
//! `packaging/manual`, and a test fails when they are not what the definition says. None of this is in the binary.

use clap::{Command, CommandFactory};

/// Every verb by its path, those that only hold others left out.
fn verbs(command: &Command, path: &[String], found: &mut Vec<(Vec<String>, Command)>) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let path = [path, &[sub.get_name().to_owned()]].concat();
        let holds = sub.get_subcommands().next().is_some() && sub.get_positionals().next().is_none();
        if !holds {
            found.push((path.clone(), sub.clone()));
        }
        verbs(sub, &path, found);
    }
}

fn all() -> (Command, Vec<(Vec<String>, Command)>) {
    let mut command = super::Cli::command();
    command.build();
    let mut found = Vec::new();
    verbs(&command, &[], &mut found);
    (command, found)
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Text for roff: a line must not begin with what it would obey.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = escaped.lines().map(|line| match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn option(argument: &clap::Arg) -> (String, String) {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map(|name| format!(" {name}"));
    let takes = argument.get_action().takes_values();
    let value = value.filter(|_| takes).unwrap_or_default();
    let name = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}{value}"),
        (None, Some(long)) => format!("--{long}{value}"),
        (Some(short), None) => format!("-{short}{value}"),
        (None, None) => value.trim().to_owned(),
    };
    (name, argument.get_help().map(ToString::to_string).unwrap_or_default())
}

fn man() -> String {
    let (command, verbs) = all();
    let mut page = format!(
        ".\\\" Made from the command line's definition; see src/cli/manual.rs.\n.TH CALLSPOOL 1 \"\" \"callspool {}\"\n.SH NAME\n\
         callspool \\- {}\n.SH SYNOPSIS\n.B callspool\n.RI [ options ] \" verb\" \" ...\"\n.SH VERBS\n",
        env!("CARGO_PKG_VERSION"),
        roff(&about(&command))
    );
    let common: Vec<String> = command
        .get_arguments()
        .filter(|a| a.is_global_set())
        .map(|a| option(a).0)
        .collect();
    for (path, verb) in &verbs {
        let own: Vec<&clap::Arg> = verb
            .get_arguments()
            .filter(|a| !common.contains(&option(a).0) && a.get_id() != "help" && !a.is_hide_set())
            .collect();
        let typed = own.iter().filter(|a| a.is_positional()).map(|a| {
            let name = a
                .get_value_names()
                .and_then(|names| names.first())
                .map(ToString::to_string)
                .unwrap_or_default();
            if a.is_required_set() { name } else { format!("[{name}]") }
        });
        let line = [path.clone(), typed.collect()].concat().join(" ");
        page.push_str(&format!(".TP\n.B {}\n{}\n", roff(&line), roff(&about(verb))));
        if !own.is_empty() {
            page.push_str(".RS\n");
            for argument in own {
                let (name, help) = option(argument);
                page.push_str(&format!(".TP\n.B {}\n{}\n", roff(&name), roff(&help)));
            }
            page.push_str(".RE\n");
        }
    }
    page.push_str(".SH OPTIONS\n");
    for argument in command.get_arguments().filter(|a| a.is_global_set()) {
        let (name, help) = option(argument);
        page.push_str(&format!(".TP\n.B {}\n{}\n", roff(&name), roff(&help)));
    }
    page.push_str(
        ".SH EXIT STATUS\n0: done. 1: a check failed. 2: usage or configuration. 3: the agent can't be reached. 4: refused.\n\
         .SH FILES\n.TP\n.I /etc/callspool/callspool.toml\nThe configuration.\n.TP\n.I /var/lib/callspool\nCalls, recordings and \
         keys.\n",
    );
    page.push_str(&format!(
        ".SH EXAMPLES\n.nf\n{}\n.fi\n",
        roff(super::EXAMPLES.trim_start_matches("Examples:\n"))
    ));
    page
}

/// What may be typed behind each path: the verbs below it, and its options.
fn words() -> Vec<(String, Vec<(String, String)>)> {
    fn walk(command: &Command, path: &str, found: &mut Vec<(String, Vec<(String, String)>)>) {
        let below: Vec<&Command> = command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help")
            .collect();
        let mut words: Vec<_> = below
            .iter()
            .map(|sub| (sub.get_name().to_owned(), about(sub)))
            .collect();
        words.extend(command.get_arguments().filter_map(|argument| {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            Some((format!("--{}", argument.get_long()?), help))
        }));
        found.push((path.to_owned(), words));
        for sub in below {
            walk(sub, format!("{path} {}", sub.get_name()).trim(), found);
        }
    }
    let mut found = Vec::new();
    walk(&all().0, "", &mut found);
    found
}

fn plain(text: &str) -> String {
    text.replace('\'', "\u{2019}").replace(['[', ']', ':', '\n'], " ")
}

fn bash() -> String {
    let mut text = String::from(
        "# Made from the command line's definition; see src/cli/manual.rs.\n_callspool() {\n  local path='' word\n  for word in \
         \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case $word in -*) ;; *) path=\"$path$word \" ;; esac\n  done\n  local words=''\n  \
         case $path in\n",
    );
    // The longest first: `rights show` is not `rights`.
    for (path, words) in words().iter().rev() {
        let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        let pattern = if path.is_empty() {
            "*".to_owned()
        } else {
            format!("'{path} '*")
        };
        text.push_str(&format!("    {pattern}) words='{}' ;;\n", words.join(" ")));
    }
    text + "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _callspool callspool\n"
}

fn zsh() -> String {
    let mut text = String::from(
        "#compdef callspool\n# Made from the command line's definition; see src/cli/manual.rs.\nlocal path_='' word\nlocal -a \
         choices\nfor word in ${words[2,CURRENT-1]}; do\n  case $word in -*) ;; *) path_=\"$path_$word \" ;; esac\ndone\ncase $path_ \
         in\n",
    );
    for (path, words) in words().iter().rev() {
        let words: Vec<String> = words
            .iter()
            .map(|(word, help)| format!("'{word}:{}'", plain(help)))
            .collect();
        let pattern = if path.is_empty() {
            "*".to_owned()
        } else {
            format!("'{path} '*")
        };
        text.push_str(&format!("  {pattern}) choices=({}) ;;\n", words.join(" ")));
    }
    text + "esac\n_describe callspool choices || _files\n"
}

fn fish() -> String {
    let mut text = String::from("# Made from the command line's definition; see src/cli/manual.rs.\n");
    for (path, words) in words() {
        let seen = path
            .split_whitespace()
            .map(|word| format!("__fish_seen_subcommand_from {word}"));
        let below = words
            .iter()
            .filter(|(word, _)| !word.starts_with("--"))
            .map(|(word, _)| word.as_str());
        let below = below.collect::<Vec<_>>().join(" ");
        let mut when: Vec<String> = seen.collect();
        if !below.is_empty() {
            when.push(format!("not __fish_seen_subcommand_from {below}"));
        }
        for (word, help) in &words {
            let (flag, word) = match word.strip_prefix("--") {
                Some(long) => ("-l", long),
                None => ("-f -a", word.as_str()),
            };
            text.push_str(&format!(
                "complete -c callspool -n '{}' {flag} {word} -d '{}'\n",
                when.join("; and "),
                plain(help)
            ));
        }
    }
    text
}

#[test]
fn the_man_page_and_the_completions_are_those_of_the_command_line() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/manual");
    for (name, made) in [
        ("callspool.1", man()),
        ("callspool.bash", bash()),
        ("callspool.zsh", zsh()),
        ("callspool.fish", fish()),
    ] {
        let file = folder.join(name);
        if std::env::var_os("CALLSPOOL_RENEW").is_some() {
            std::fs::write(&file, &made).unwrap();
        }
        let is = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            is == made,
            "{name} is stale; renew it: CALLSPOOL_RENEW=1 cargo test --lib cli::manual"
        );
        for (path, _) in all().1 {
            let verb = path.last().unwrap();
            assert!(made.replace("\\-", "-").contains(verb.as_str()), "{name} lacks {verb}");
        }
    }
}
