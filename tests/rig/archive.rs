//! What an archive (a bucket, a folder) must hold when a box has delivered everything.

use std::collections::BTreeMap;

use callspool::when;
use callspool_sim::pbx;
use serde_json::Value;

use super::Setup;
use super::look::sha256;

/// How many deliveries of the box are in each state.
pub fn states(setup: &Setup) -> BTreeMap<String, i64> {
    let path = setup.state_dir().join("callspool.db");
    let Ok(open) = callspool::store::Store::open_read_only(&path) else {
        return BTreeMap::new();
    };
    let counted = open.read(|connection| {
        let mut asked = connection.prepare("SELECT state, count(*) FROM delivery GROUP BY state")?;
        let rows = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    });
    counted.unwrap_or_default()
}

/// Whether the box has everything of the PBX and every delivery is confirmed.
pub fn is_settled(setup: &Setup, pbx: &pbx::Handle) -> bool {
    let truth = pbx.truth();
    let made: usize = truth.iter().map(|call| call.recordings.len()).sum();
    let path = setup.state_dir().join("callspool.db");
    let Ok(open) = callspool::store::Store::open_read_only(&path) else {
        return false;
    };
    let settled = open.read(|connection| {
        let sql = "SELECT (SELECT count(*) FROM delivery WHERE state <> 'delivered')
                        + (SELECT count(*) FROM call WHERE handed_revision < revision)
                        + (SELECT count(*) FROM recording WHERE state = 'waiting' OR (state = 'held' AND handed = 0)),
                          (SELECT count(*) FROM call), (SELECT count(*) FROM recording)";
        Ok(connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    });
    settled.unwrap_or((1, 0, 0)) == (0i64, truth.len() as i64, made as i64)
}

/// The archive has exactly each call and each recording of the PBX, under the names that the default pattern gives, with
/// the right bytes, a JSON beside each recording that tells the same, and nothing else. `names` are all that is there,
/// `read` gives the content.
pub fn assert_exact(pbx: &pbx::Handle, names: &[String], read: impl Fn(&str) -> Vec<u8>) {
    let mut left: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != ".callspool")
        .collect();
    let mut take = |name: &str| match left.iter().position(|one| *one == name) {
        Some(at) => {
            left.swap_remove(at);
        }
        None => panic!("{name} is not there"),
    };
    let day = |ms: i64| when::rfc3339(ms)[..10].replace('-', "/");
    let mut updates = Vec::new();
    for call in pbx.truth() {
        let key = &call.main_call_history_id;
        // A leg that came late may have moved the beginning, and is then told of in the next revision.
        let own: Vec<&String> = names
            .iter()
            .filter(|name| name.contains(&format!("/{key}/call-")))
            .collect();
        assert!(!own.is_empty(), "call {key} is not there");
        let newest = own.iter().max().unwrap();
        let told: Value = serde_json::from_slice(&read(newest)).unwrap();
        assert_eq!(told["data"]["call"], **key);
        assert_eq!(told["data"]["started"], when::rfc3339(call.start_ms));
        updates.extend(own.into_iter().cloned());
        for recording in &call.recordings {
            let leaf = format!("/{key}/{}.wav", recording.id);
            let found: Vec<&String> = names.iter().filter(|name| name.ends_with(&leaf)).collect();
            assert_eq!(found.len(), 1, "recording {}", recording.id);
            let stem = found[0].trim_end_matches(".wav");
            // Its own day, or its call's where the PBX had not told more when it was handed over.
            assert!(
                [recording.start_ms, call.start_ms]
                    .iter()
                    .any(|ms| stem.starts_with(&day(*ms))),
                "{stem}"
            );
            let audio = read(&format!("{stem}.wav"));
            assert!(audio == pbx.audio(recording.id).unwrap(), "recording {}", recording.id);
            let beside: Value = serde_json::from_slice(&read(&format!("{stem}.json"))).unwrap();
            assert_eq!(beside["data"]["sha256"], sha256(&audio));
            take(&format!("{stem}.wav"));
            take(&format!("{stem}.json"));
        }
    }
    updates.iter().for_each(|name| take(name));
    assert_eq!(left, Vec::<&str>::new(), "nobody ordered these");
}
