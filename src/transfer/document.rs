//! A configuration as one document: the file's text, and if asked for the secrets that it names, sealed by a passphrase.
//!
//! Reading one believes nothing: a newer version is refused, every part has its size, the configuration must be right, and
//! a secret is written only where this configuration's own folder is: no `..`, no link, nothing anywhere else.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::seal::{Sealed, Secrets, open, seal};
use crate::config::{self, Config};
use crate::files;
use crate::when;

/// The version of the document. A newer one is refused.
const VERSION: u32 = 1;
/// The most bytes of a document, of a configuration, of a secret.
const MOST: usize = 1 << 20;
const MOST_CONFIG: usize = 256 << 10;
const MOST_SECRET: usize = 16 << 10;

#[derive(Serialize, Deserialize)]
struct Document {
    callspool_export: u32,
    #[serde(default)]
    made: String,
    #[serde(default)]
    made_by: String,
    configuration: String,
    /// What the page wrote over the file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    page: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secrets: Option<Sealed>,
}

/// What was exported.
pub struct Export {
    /// The document.
    pub text: String,
    /// How many secrets are in it.
    pub secrets: usize,
}

/// Puts the configuration of `config` into a document; with a passphrase its secrets too.
///
/// # Errors
/// If the file or a secret can't be read, or the passphrase is too short.
pub fn export(config: &Config, passphrase: Option<&str>, now_ms: i64) -> Result<Export, String> {
    let configuration = fs::read_to_string(&config.path)
        .map_err(|error| format!("{} can't be read: {error}", config.path.display()))?;
    let mut secrets = Secrets::new();
    if passphrase.is_some() {
        for (key, file) in config.secret_files() {
            let secret = config::read_secret(file).map_err(|why| format!("{key}: {why}"))?;
            secrets.insert(key, secret);
        }
    }
    let document = Document {
        callspool_export: VERSION,
        made: when::rfc3339(now_ms),
        made_by: format!("callspool {}", env!("CARGO_PKG_VERSION")),
        configuration,
        page: config.page.clone(),
        secrets: passphrase.map(|passphrase| seal(&secrets, passphrase)).transpose()?,
    };
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    Ok(Export {
        text: text + "\n",
        secrets: secrets.len(),
    })
}

/// A configuration that may be put in force.
#[derive(Debug)]
pub struct Import {
    /// The text of its file.
    pub configuration: String,
    /// What the page of the other box wrote over its file; it is shown and not put in force.
    pub page: String,
    /// The files of its secrets with what is to stand in them.
    pub secrets: Vec<(PathBuf, String)>,
    /// Files that it names, that are not there, and that are not written here: not in the document, or at another place.
    pub missing: Vec<(String, PathBuf)>,
}

/// Reads a document, or the plain text of a configuration, that is to be put at `path`. Nothing is written.
///
/// # Errors
/// Why it can't be put in force, in words for whoever tries.
pub fn read_import(bytes: &[u8], path: &Path, passphrase: Option<&str>) -> Result<Import, String> {
    if bytes.len() > MOST {
        return Err("it is longer than 1 MiB, and no configuration is".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let (configuration, page, sealed) = match text.trim_start().starts_with('{') {
        false => (text.to_owned(), String::new(), None),
        true => {
            let document: Document =
                serde_json::from_str(text).map_err(|error| format!("it is no export of callspool: {error}"))?;
            if document.callspool_export > VERSION {
                return Err(format!(
                    "it is of a newer callspool (export version {}, this one knows {VERSION}); update this one first",
                    document.callspool_export
                ));
            }
            (document.configuration, document.page, document.secrets)
        }
    };
    if configuration.len() > MOST_CONFIG {
        return Err("its configuration is longer than 256 KiB".to_owned());
    }
    // A box that was set up on its page has little in its file: both together must be right.
    let config = config::parse_over(&configuration, &page, path).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    let secrets = match (sealed, passphrase) {
        (None, _) => Secrets::new(),
        (Some(_), None) => return Err("its secrets are sealed; give --passphrase-file".to_owned()),
        (Some(sealed), Some(passphrase)) => open(&sealed, passphrase)?,
    };
    let mut import = Import {
        configuration,
        page,
        secrets: Vec::new(),
        missing: Vec::new(),
    };
    for (key, file) in config.secret_files() {
        match secrets.get(&key) {
            Some(secret) if secret.len() > MOST_SECRET => return Err(format!("the secret of {key} is too long")),
            Some(secret) if check_place(file, path).is_ok() => {
                import.secrets.push((file.to_owned(), secret.clone()))
            }
            // One that lies elsewhere is put there by hand: an import writes nowhere but in its own folder.
            _ if !file.exists() => import.missing.push((key, file.to_owned())),
            _ => {}
        }
    }
    Ok(import)
}

/// Whether a secret may be written at `file`: beside the configuration or below its folder, and through no link.
fn check_place(file: &Path, config: &Path) -> Result<(), String> {
    let folder = config.parent().unwrap_or(Path::new("."));
    let outside = || {
        format!(
            "its file {} is not in the folder of the configuration, and an import writes nowhere else; put it there by hand",
            file.display()
        )
    };
    let below = file.strip_prefix(folder).map_err(|_| outside())?;
    if below.as_os_str().is_empty() || !below.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(outside());
    }
    let mut at = folder.to_owned();
    for part in below.components() {
        at.push(part);
        if at.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink()) {
            return Err(format!("{} is a link, and an import writes through none", at.display()));
        }
    }
    Ok(())
}

impl Import {
    /// Writes the secrets, then the configuration; what was there is set aside beside it. Gives where.
    ///
    /// # Errors
    /// If something can't be written; the configuration comes last, so that none is in force without its secrets.
    pub fn apply(&self, path: &Path) -> Result<Option<PathBuf>, files::Error> {
        for (file, secret) in &self.secrets {
            if let Some(folder) = file.parent() {
                files::make_folder(folder)?;
            }
            files::write_whole(file, format!("{secret}\n").as_bytes())?;
        }
        let mut aside = None;
        if let Ok(before) = fs::read(path) {
            let to = path.with_extension("toml.before-import");
            files::write_whole(&to, &before)?;
            aside = Some(to);
        }
        files::write_whole(path, self.configuration.as_bytes())?;
        Ok(aside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str =
        "[pbx]\nurl = \"https://pbx.example.com\"\nclient_id = \"c\"\nsecret_file = \"pbx.secret\"\n";

    fn folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("callspool-transfer-{}", crate::random::token::<6>()));
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn here(folder: &Path) -> Config {
        let path = folder.join("callspool.toml");
        fs::write(&path, CONFIG).unwrap();
        files::write_whole(&folder.join("pbx.secret"), b"the key of the PBX\n").unwrap();
        config::parse(CONFIG, &path).unwrap()
    }

    #[test]
    fn a_configuration_and_its_sealed_secrets_arrive_on_another_box() {
        let (one, other) = (folder(), folder());
        let config = here(&one);
        let made = export(&config, Some("four words apart really"), 0).unwrap();
        assert_eq!(made.secrets, 1);
        assert!(!made.text.contains("the key of the PBX"));
        assert!(!export(&config, None, 0).unwrap().text.contains("sealed"));
        assert!(export(&config, Some("short"), 0).is_err());

        let path = other.join("callspool.toml");
        fs::write(&path, "name = \"before\"\n").unwrap();
        let read = |passphrase| read_import(made.text.as_bytes(), &path, passphrase);
        assert!(read(None).unwrap_err().contains("sealed"));
        assert!(read(Some("four words apart, others")).unwrap_err().contains("another"));
        let import = read(Some("four words apart really")).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "name = \"before\"\n",
            "reading writes nothing"
        );
        let aside = import.apply(&path).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), CONFIG);
        assert_eq!(
            fs::read_to_string(other.join("pbx.secret")).unwrap(),
            "the key of the PBX\n"
        );
        assert_eq!(fs::read_to_string(aside).unwrap(), "name = \"before\"\n");
        for folder in [one, other] {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn an_import_writes_nowhere_but_in_its_own_folder_and_through_no_link() {
        let folder = folder();
        let path = folder.join("callspool.toml");
        for (name, fine) in [
            ("pbx.secret", true),
            ("secrets/pbx", true),
            ("../pbx.secret", false),
            ("secrets/../../x", false),
            ("/etc/cron.d/x", false),
            ("", false),
        ] {
            let file = folder.join(name);
            assert_eq!(check_place(&file, &path).is_ok(), fine, "{name}");
        }
        std::os::unix::fs::symlink("/etc", folder.join("linked")).unwrap();
        std::os::unix::fs::symlink("/etc/shadow", folder.join("direct")).unwrap();
        assert!(check_place(&folder.join("linked/x"), &path).is_err());
        assert!(check_place(&folder.join("direct"), &path).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_newer_bigger_or_wrong_is_refused_with_a_sentence() {
        let path = Path::new("/nowhere/callspool.toml");
        let read = |text: &str| read_import(text.as_bytes(), path, None).unwrap_err();
        assert!(read("{\"callspool_export\": 2, \"configuration\": \"\"}").contains("newer"));
        assert!(read(&format!("# {}", "x".repeat(MOST))).contains("1 MiB"));
        assert!(read(&format!("# {}", "x".repeat(MOST_CONFIG))).contains("256 KiB"));
        assert!(read("{}").contains("no export"));
        assert!(read("[pbx]\nurl = 3\n").contains("pbx.url") || !read("[pbx]\nurl = 3\n").is_empty());
        let bomb = "{\"callspool_export\":1,\"configuration\":CONFIG,\"secrets\":{\"memory_kib\":4000000,\"passes\":1,\"salt\":\"\",\"nonce\":\"\",\"sealed\":\"\"}}"
            .replace("CONFIG", &serde_json::to_string(CONFIG).unwrap());
        let refused = read_import(bomb.as_bytes(), path, Some("four words apart really")).unwrap_err();
        assert!(refused.contains("memory"), "{refused}");
    }
}
