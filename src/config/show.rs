//! The reference file: every setting with what it is for.

/// The reference: each setting with what it is for and its default, as a TOML file that can be copied and filled in.
///
/// It is made from the same calls that resolve a configuration, so the two can't drift.
pub fn reference() -> String {
    let mut out = String::from(
        "# callspool's configuration reference: every setting, what it is for, and its default.\n\
         # Spans are typed like \"30s\", \"5m\", \"2h\", \"30d\"; sizes like \"512 MiB\".\n\
         # Secrets stand in files of their own, readable by callspool alone (mode 600).\n",
    );
    let mut table = String::new();
    let entries = super::resolve::example().entries;
    for entry in &entries {
        let (head, leaf) = entry.key.rsplit_once('.').unwrap_or(("", &entry.key));
        if head != table {
            table = head.to_owned();
            let line = match head.split_once('.') {
                // A list that may be empty is shown whole behind marks; a head alone would be an entry without content.
                Some((list, _)) => {
                    let of_list = |other: &super::Entry| other.key.starts_with(&format!("{head}."));
                    let typed = entries.iter().any(|other| of_list(other) && other.origin != "default");
                    format!("\n{}[[{list}]]\n", if typed { "" } else { "# " })
                }
                None => format!("\n[{head}]\n"),
            };
            out.push_str(&line);
        }
        let mark = if is_typed(entry) { "" } else { "# " };
        out.push_str(&format!("\n# {}\n{mark}{leaf} = {}\n", entry.help, entry.value));
    }
    out
}

fn is_typed(entry: &super::Entry) -> bool {
    entry.origin != "default"
}
