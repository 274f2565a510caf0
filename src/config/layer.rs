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
