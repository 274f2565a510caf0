//! A line of CSV by RFC 4180, fit to be opened with a spreadsheet: what would be taken for a formula is not one.

/// The cells of a row as a line with its end.
pub fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

fn quoted(cell: &str) -> String {
    // Spreadsheets run what begins like this (OWASP, CSV Injection).
    let runs = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']);
    let cell = if runs { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_and_nothing_else() {
        assert_eq!(line(&["a", "b c", ""]), "a,b c,\r\n");
        assert_eq!(line(&["say \"x\", then"]), "\"say \"\"x\"\", then\"\r\n");
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx"] {
            assert!(line(&[formula]).trim_start_matches('"').starts_with('\''), "{formula}");
        }
    }
}
