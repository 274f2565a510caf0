//! Names of objects and files, as a pattern with placeholders: `{yyyy}/{mm}/{dd}/{call}/{recording}.{ext}`.

/// A pattern for names. Whatever is put into it, the result is a relative path of safe characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

impl Template {
    /// Reads a pattern that may use the placeholders `known` and must use those in `needed`. The error says what would
    /// be right.
    pub fn parse(pattern: &str, known: &[&str], needed: &[&str]) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some((text, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').ok_or("a { without its }")?;
            if !known.contains(&place) {
                return Err(format!("{{{place}}} is not known; use {}", braces(known)));
            }
            parts.extend([Part::Text(text.to_owned()), Part::Place(place.to_owned())]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let text: String = parts.iter().filter_map(Part::text).collect();
        if let Some(odd) = text.chars().find(|c| !safe(*c) && !"/=".contains(*c)) {
            return Err(format!(
                "{odd:?} is not safe in a name everywhere; use letters, digits and . _ - = /"
            ));
        }
        if let Some(missing) = needed
            .iter()
            .find(|place| !parts.contains(&Part::Place((**place).to_owned())))
        {
            return Err(format!(
                "{{{missing}}} must be in it, or two things would have the same name"
            ));
        }
        let template = Template { parts };
        // What is put in never begins with a dot and is never empty, so what holds for x holds for every name.
        let sample = template.filled(|_| "x".to_owned());
        if sample.split('/').any(|step| step.is_empty() || step.starts_with('.')) {
            return Err("a part between two / must not be empty or begin with a dot".to_owned());
        }
        Ok(template)
    }

    /// The name, with what `value` gives for each placeholder; characters that are not safe become `_`.
    pub fn fill(&self, mut value: impl FnMut(&str) -> String) -> String {
        self.filled(|place| clean(&value(place)))
    }

    /// What stands before the first placeholder, up to its last `/`: the folder that all names share, or nothing.
    pub fn folder(&self) -> &str {
        let text = self.parts.first().and_then(Part::text).unwrap_or_default();
        text.rfind('/').map_or("", |slash| &text[..=slash])
    }

    fn filled(&self, mut value: impl FnMut(&str) -> String) -> String {
        let piece = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(place) => value(place),
        };
        self.parts.iter().map(piece).collect()
    }
}

impl Part {
    fn text(&self) -> Option<&str> {
        match self {
            Part::Text(text) => Some(text),
            Part::Place(_) => None,
        }
    }
}

fn safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

fn clean(value: &str) -> String {
    let mut clean: String = value.chars().map(|c| if safe(c) { c } else { '_' }).take(80).collect();
    if clean.is_empty() || clean.starts_with('.') {
        clean.insert(0, '_');
    }
    clean
}

fn braces(places: &[&str]) -> String {
    let all: Vec<String> = places.iter().map(|place| format!("{{{place}}}")).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["yyyy", "call", "who"];

    #[test]
    fn a_name_is_filled_in_and_nothing_can_lead_out_of_the_folder() {
        let template = Template::parse("calls/{yyyy}/{call}-{who}.wav", KNOWN, &["call"]).unwrap();
        assert_eq!(template.folder(), "calls/");
        let name = template.fill(|place| match place {
            "yyyy" => "2026".to_owned(),
            "call" => "../../etc/pässwd".to_owned(),
            _ => String::new(),
        });
        assert_eq!(name, "calls/2026/_.._.._etc_p_sswd-_.wav");
        assert_eq!(Template::parse("{call}", KNOWN, &[]).unwrap().folder(), "");
    }

    #[test]
    fn a_pattern_that_can_go_wrong_is_refused_with_what_would_be_right() {
        let told = |pattern: &str| Template::parse(pattern, KNOWN, &["call"]).unwrap_err();
        assert!(told("{caller}").contains("{caller} is not known; use {yyyy}, {call}, {who}"));
        assert!(told("{yyyy}").contains("{call} must be in it"));
        assert!(told("{call").contains("without its }"));
        assert!(told("a b/{call}").contains("' ' is not safe"));
        for pattern in ["/{call}", "{call}/", "a//{call}", "../{call}", ".x/{call}"] {
            assert!(told(pattern).contains("between two /"), "{pattern}");
        }
    }
}
