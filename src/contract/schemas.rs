//! The JSON schemas in `packaging/mqtt`, made from the types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::*;

/// What the box writes: fields that it always sends are required.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
}

/// What it reads: everything may be missing.
fn read<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<T>()
}

/// An event with what its `data` is.
fn event<T: JsonSchema>() -> Schema {
    let mut around = written::<Event>();
    let mut data = written::<T>();
    let parts = data.remove("$defs");
    data.remove("$schema");
    around
        .pointer_mut("/properties")
        .and_then(|p| p.as_object_mut())
        .unwrap()
        .insert("data".to_owned(), data.into());
    if let Some(parts) = parts {
        around.insert("$defs".to_owned(), parts);
    }
    around
}

#[test]
fn the_schemas_in_packaging_are_those_of_the_types() {
    let schemas = [
        ("status", written::<Presence>()),
        ("birth", written::<Birth>()),
        ("state", written::<State>()),
        ("update", written::<Update>()),
        ("event-call", event::<CallEvent>()),
        ("event-rule", event::<RuleEvent>()),
        ("event-update", event::<UpdateEvent>()),
        ("event-dropped", event::<Dropped>()),
        ("command", read::<Command>()),
        ("command-result", written::<CommandResult>()),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/mqtt");
    let renew = std::env::var_os("CALLSPOOL_RENEW").is_some();
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.retain(|path| path.to_string_lossy().ends_with(".schema.json"));
    if !renew {
        assert_eq!(found.len(), schemas.len(), "{found:?}");
    }
    for (name, schema) in schemas {
        let path = folder.join(format!("{name}.schema.json"));
        let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if renew {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == made,
            "{} differs; run this test with CALLSPOOL_RENEW=1",
            path.display()
        );
    }
}
