//! As much of JSON Schema (2020-12) as the contract's schemas use. A keyword that it does not know fails the test: a schema
//! must not pass because nobody looked.

use std::path::Path;

use serde_json::Value;

/// The schema of this name in `packaging/mqtt`.
pub fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("packaging/mqtt/{name}.schema.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What is wrong with `value`, with the place; nothing if all is well.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else {
        assert_eq!(schema, &Value::Bool(true), "{at}");
        return;
    };
    for (keyword, rule) in rules {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "$defs" | "format" => {}
            "$ref" => {
                let part = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(part).unwrap(), value, at, found);
            }
            "type" => {
                let named = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    other => panic!("type {other}"),
                };
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !types.iter().any(|name| named(name.as_str().unwrap())) {
                    found.push(format!("{at} is no {rule}: {value}"));
                }
            }
            "properties" => {
                for (name, of) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(root, of, value, &format!("{at}.{name}"), found);
                    }
                }
            }
            "required" => {
                let missing = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|name| value.get(name.as_str().unwrap()).is_none());
                found.extend(missing.map(|name| format!("{at} has no {name}")));
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}[{n}]"), found);
                }
            }
            "enum" if !rule.as_array().unwrap().contains(value) => {
                found.push(format!("{at} is none of {rule}: {value}"))
            }
            "const" if rule != value => found.push(format!("{at} is not {rule}: {value}")),
            "enum" | "const" => {}
            "minimum" => {
                if value.as_f64().is_some_and(|figure| figure < rule.as_f64().unwrap()) {
                    found.push(format!("{at} is below {rule}: {value}"));
                }
            }
            "oneOf" | "anyOf" => {
                let fits = rule.as_array().unwrap().iter().filter(|of| {
                    let mut faults = Vec::new();
                    check(root, of, value, at, &mut faults);
                    faults.is_empty()
                });
                let count = fits.count();
                if count == 0 || (keyword == "oneOf" && count > 1) {
                    found.push(format!("{at} fits {count} of {keyword}: {value}"));
                }
            }
            other => panic!("{at}: the keyword {other} is not known here"),
        }
    }
}
