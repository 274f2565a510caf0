//! What the page wrote, over what the file says.
//!
//! The page's settings are a TOML document of dotted keys, one a line. Targets, which the file lists, are named in it:
//! `target.crm.url = "…"` is the address of the target "crm", whether the file has one of that name or not.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Stands in the place of a line for what the page wrote.
pub(super) const PAGE: usize = 0;

/// Puts the page's table over the file's, and notes in `lines` which settings are the page's.
pub(super) fn put_over<'a>(file: &mut DeTable<'a>, page: DeTable<'a>, lines: &mut BTreeMap<String, usize>) {
    for (name, value) in page {
        let span = value.span();
        match (name.get_ref().as_ref(), value.into_inner()) {
            ("target", DeValue::Table(named)) => put_targets(file, named, lines),
            (_, value) => put(file, "", name, Spanned::new(span, value), lines),
        }
    }
}

type Name<'a> = Spanned<DeString<'a>>;

fn put<'a>(
    table: &mut DeTable<'a>,
    prefix: &str,
    name: Name<'a>,
    value: Spanned<DeValue<'a>>,
    lines: &mut BTreeMap<String, usize>,
) {
    let key = format!("{prefix}{}", name.get_ref());
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(inner) => {
            lines.entry(key.clone()).or_insert(PAGE);
            if !matches!(
                table.get(name.get_ref().as_ref()).map(Spanned::get_ref),
                Some(DeValue::Table(_))
            ) {
                table.insert(name.clone(), Spanned::new(span, DeValue::Table(DeTable::new())));
            }
            let below = table.get_mut(name.get_ref().as_ref()).map(Spanned::get_mut);
            if let Some(DeValue::Table(below)) = below {
                for (name, value) in inner {
                    put(below, &format!("{key}."), name, value, lines);
                }
            }
        }
        value => {
            // A list of tables that is replaced takes the lines of what was in it along.
            let within = format!("{key}.");
            lines.retain(|known, _| !known.starts_with(&within));
            lines.insert(key, PAGE);
            table.insert(name, Spanned::new(span, value));
        }
    }
}

fn put_targets<'a>(file: &mut DeTable<'a>, named: DeTable<'a>, lines: &mut BTreeMap<String, usize>) {
    let list = file
        .entry(Spanned::new(0..0, DeString::from("target")))
        .or_insert_with(|| Spanned::new(0..0, DeValue::Array(toml::de::DeArray::new())));
    let DeValue::Array(list) = list.get_mut() else { return };
    for (name, settings) in named {
        let span = settings.span();
        let DeValue::Table(settings) = settings.into_inner() else {
            continue;
        };
        let is = |item: &Spanned<DeValue>| match item.get_ref() {
            DeValue::Table(target) => {
                matches!(target.get("name").map(Spanned::get_ref), Some(DeValue::String(own)) if own == name.get_ref())
            }
            _ => false,
        };
        let at = match list.iter().position(is) {
            Some(at) => at,
            None => {
                let mut new = DeTable::new();
                let called = Spanned::new(name.span(), DeValue::String(name.get_ref().clone()));
                new.insert(Spanned::new(name.span(), DeString::from("name")), called);
                list.push(Spanned::new(span, DeValue::Table(new)));
                lines.insert(format!("target.{}", list.len() - 1), PAGE);
                lines.insert(format!("target.{}.name", list.len() - 1), PAGE);
                list.len() - 1
            }
        };
        let Some(DeValue::Table(target)) = list.get_mut(at).map(Spanned::get_mut) else {
            continue;
        };
        for (leaf, value) in settings {
            put(target, &format!("target.{at}."), leaf, value, lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, Problem, parse_over};

    const FILE: &str = "[pbx]\nurl = \"https://pbx\"\nclient_id = \"a\"\nsecret_file = \"b\"\npoll = \"7s\"\n\
        [[target]]\nname = \"crm\"\nurl = \"https://crm\"\nsecret_file = \"c\"\n";

    fn over(page: &str) -> Result<Config, Vec<Problem>> {
        parse_over(FILE, page, Path::new("/etc/c.toml"))
    }

    #[test]
    fn the_page_stands_over_the_file_setting_by_setting_and_targets_by_their_names() {
        let page = "pbx.sweep = \"9s\"\npbx.url = \"https://other\"\ntarget.crm.url = \"https://crm2\"\n\
            target.nas.kind = \"folder\"\ntarget.nas.path = \"/mnt/nas\"\nweb.names = [\"x\"]\n";
        let config = over(page).unwrap();
        assert_eq!(
            (config.pbx.url.as_str(), config.pbx.poll.as_secs()),
            ("https://other", 7)
        );
        let names: Vec<&str> = config.targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, ["crm", "nas"]);
        assert_eq!(config.targets[0].kind.address().as_deref(), Some("https://crm2"));
        let origins = [
            "pbx.url",
            "pbx.poll",
            "target.0.url",
            "target.0.secret_file",
            "target.1.path",
            "web.names",
            "spool.keep",
        ];
        let origins = origins.map(|key| config.origin(key).unwrap());
        assert_eq!(
            origins,
            [
                "page",
                "/etc/c.toml:5",
                "page",
                "/etc/c.toml:9",
                "page",
                "page",
                "default"
            ]
        );
        assert_eq!(over("").unwrap().origin("pbx.url"), Some("/etc/c.toml:2"));
    }

    #[test]
    fn a_mistake_of_the_page_is_told_as_the_pages() {
        let told = |page: &str| over(page).unwrap_err()[0].to_string();
        assert!(told("pbx.poll = \"soon\"\n").starts_with("page: pbx.poll: \"soon\" is no span of time"));
        assert!(told("log = \"info\"\npbx.poll = 5\n").starts_with("page: pbx.poll: invalid type"));
        assert!(told("pbx.pol = 5\n").starts_with("page: pbx.pol: unknown field"));
        assert!(told("state_dir = \"/x\"\n").starts_with("page: state_dir: stands in the file alone"));
        assert!(told("target.nas.kind = \"folder\"\n").starts_with("page: target.1.path: must be given"));
        let file = parse_over("[pbx]\nurl = 5\n", "log = \"info\"\n", Path::new("/etc/c.toml"));
        assert!(
            file.unwrap_err()[0]
                .to_string()
                .starts_with("/etc/c.toml:2: invalid type")
        );
    }

    #[test]
    fn a_box_that_knows_nobody_waits_to_be_set_up_and_one_that_knows_a_target_alone_is_wrong() {
        let blank = parse_over("name = \"x\"\n", "", Path::new("/c.toml")).unwrap();
        assert!(!blank.has_pbx() && blank.secret_files().is_empty());
        assert!(parse_over("[[target]]\nname = \"t\"\n", "", Path::new("/c.toml")).is_err());
        assert!(parse_over("[pbx]\npoll = \"1s\"\n", "", Path::new("/c.toml")).is_err());
    }
}
