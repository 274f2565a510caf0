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
    for entry in super::resolve::example().entries {
        let (head, leaf) = entry.key.rsplit_once('.').unwrap_or(("", &entry.key));
        if head != table {
            table = head.to_owned();
            let line = match head.split_once('.') {
                Some((list, _)) => format!("\n[[{list}]]\n"),
                None => format!("\n[{head}]\n"),
            };
            out.push_str(&line);
        }
        let mark = if entry.origin == "default" { "# " } else { "" };
        out.push_str(&format!("\n# {}\n{mark}{leaf} = {}\n", entry.help, entry.value));
    }
    out
}
