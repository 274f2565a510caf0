//! Lists with search parameters ("API search parameters").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::crms::{Ask, Reply, Why};

/// One item of `where`.
#[derive(Default)]
struct Item {
    kind: String,
    attribute: String,
    value: String,
}

/// The records of `all` that the request asks for.
pub(super) fn told(ask: &Ask, all: impl Iterator<Item = Value>) -> Result<Reply, Why> {
    let items = items(ask)?;
    let most: usize = ask.query("maxSize").parse().unwrap_or(20);
    if most > 200 {
        return Err(Why::invalid("maxSize exceeds the limit"));
    }
    let offset: usize = ask.query("offset").parse().unwrap_or(0);
    let mut found = Vec::new();
    for record in all {
        let mut fits = true;
        for item in &items {
            fits &= fit(item, &record)?;
        }
        if fits {
            found.push(record);
        }
    }
    let total = found.len();
    let list: Vec<Value> = found.into_iter().skip(offset).take(most).collect();
    Ok(Reply::new(200, json!({ "total": total, "list": list })))
}

fn items(ask: &Ask) -> Result<Vec<Item>, Why> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    for (name, value) in &ask.query {
        let known = ["offset", "maxSize", "select", "orderBy", "order", "primaryFilter"];
        if known.contains(&name.as_str()) {
            continue;
        }
        let stranger = || Why::undocumented(format!("{name} is no documented parameter"));
        let inner = name
            .strip_prefix("where[")
            .and_then(|rest| rest.strip_suffix(']'))
            .ok_or_else(stranger)?;
        let (number, part) = inner.split_once("][").ok_or_else(stranger)?;
        let item = items.entry(number.to_owned()).or_default();
        match part {
            "type" => item.kind.clone_from(value),
            "attribute" => item.attribute.clone_from(value),
            "value" => item.value.clone_from(value),
            _ => return Err(stranger()),
        }
    }
    Ok(items.into_values().collect())
}

fn fit(item: &Item, record: &Value) -> Result<bool, Why> {
    if item.attribute == "phoneNumberNumeric" || item.attribute == "phoneNumber" {
        let phones = record
            .get("phones")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let digits = |phone: &Value| -> String {
            phone
                .as_str()
                .unwrap_or_default()
                .chars()
                .filter(char::is_ascii_digit)
                .collect()
        };
        return match item.kind.as_str() {
            "endsWith" => Ok(phones.iter().any(|phone| digits(phone).ends_with(&item.value))),
            "equals" => Ok(phones.iter().any(|phone| phone.as_str() == Some(item.value.as_str()))),
            other => Err(Why::undocumented(format!("where type {other}"))),
        };
    }
    let value = record
        .get(&item.attribute)
        .ok_or_else(|| Why::undocumented(format!("attribute {}", item.attribute)))?;
    let text = value.as_str().unwrap_or_default();
    match item.kind.as_str() {
        "equals" => Ok(text == item.value),
        "contains" => Ok(text.contains(&item.value)),
        "isTrue" => Ok(value == &Value::Bool(true)),
        other => Err(Why::undocumented(format!("where type {other}"))),
    }
}
