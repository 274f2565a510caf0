//! How a walk is run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// Debian's name for it, and what others call it.
const CHROMIUMS: [&str; 3] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];

/// Where `tests/run` puts playwright-core and axe-core, and where pictures go.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("browser")
}

/// A browser and what drives it.
pub struct Walk {
    chromium: &'static str,
    modules: PathBuf,
}

impl Walk {
    /// `None`, after a line that says why, where the machine has no browser.
    pub fn ready() -> Option<Walk> {
        let chromium = CHROMIUMS.into_iter().find(|path| Path::new(path).exists());
        let given = std::env::var_os("CALLSPOOL_NODE_MODULES").map(PathBuf::from);
        let modules = given.unwrap_or_else(|| folder().join("node_modules"));
        let driven = modules.join("playwright-core").is_dir() && modules.join("axe-core").is_dir();
        let Some(chromium) = chromium.filter(|_| driven) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "no chromium, or no playwright-core and axe-core"
            );
            eprintln!(
                "skipped: no chromium, or no playwright-core and axe-core in {}; tests/run installs them",
                modules.display()
            );
            return None;
        };
        Some(Walk { chromium, modules })
    }

    /// Walks `tests/browser/NAME.js` with what it is told, and gives its report. Nothing serious may have been found:
    /// by axe-core, in the browser's console, by a request to another host, or by a page that is wider than the phone.
    pub fn walk(&self, name: &str, pictures: &str, mut told: Value) -> Value {
        let known = json!({
            "chromium": self.chromium,
            "modules": self.modules,
            "pictures": folder().join("pictures").join(pictures),
        });
        told.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/browser")
            .join(format!("{name}.js"));
        let ran = Command::new("node").arg(file).arg(told.to_string()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        let report: Value = serde_json::from_str(said.trim())
            .unwrap_or_else(|_| panic!("{name} said {said}{}", String::from_utf8_lossy(&ran.stderr)));
        for what in ["trouble", "foreign", "wide"] {
            assert_eq!(report[what], json!([]), "{what} in {name} ({pictures}): {report:#}");
        }
        let serious: Vec<&Value> = report["pages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|page| page["serious"] != json!([]))
            .collect();
        assert!(serious.is_empty(), "axe-core in {name} ({pictures}): {serious:#?}");
        report
    }
}
