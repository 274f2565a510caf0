//! The code that lets somebody in before there is a password: of this one box, from the kernel's randomness, never
//! derived from anything (ETSI EN 303 645, 5.1-2). It lies in a file (0600) that an image may print on the sticker, is
//! shown on the console, and goes when somebody has chosen a password with it.

use std::path::{Path, PathBuf};

use crate::{accounts, files, random};

/// Where the code lies until it is used.
pub fn code_file(state_dir: &Path) -> PathBuf {
    state_dir.join("setup-code")
}

/// Gives the box's code, made at the first start: 20 characters of 31, about 99 bits.
///
/// # Errors
/// If the file can't be made or read.
pub fn keep_code(state_dir: &Path) -> Result<String, files::Error> {
    let path = code_file(state_dir);
    match std::fs::read_to_string(&path) {
        Ok(code) if code.trim().len() >= 20 => Ok(code.trim().to_owned()),
        _ => {
            let code = random::password();
            files::write_whole(&path, format!("{code}\n").as_bytes())?;
            Ok(code)
        }
    }
}

/// Whether `tried` is the box's code, however it is spaced. Compared by digests, whose time tells nothing.
pub fn is_code(state_dir: &Path, tried: &str) -> bool {
    let Ok(code) = std::fs::read_to_string(code_file(state_dir)) else {
        return false;
    };
    !code.trim().is_empty() && accounts::code_hash(tried) == accounts::code_hash(&code)
}

/// Takes the code away, because it was used or the box is configured by its file.
pub fn forget_code(state_dir: &Path) {
    let path = code_file(state_dir);
    if path.exists()
        && let Err(error) = files::remove(&path)
    {
        log::warn!("the file of the setup code can't be removed: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_boxes_have_a_hundred_codes_and_each_knows_its_own_until_it_is_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("callspool-codes-{}", random::token::<6>()));
        let mut codes = std::collections::BTreeSet::new();
        for n in 0..100 {
            let own = folder.join(n.to_string());
            files::make_folder(&own).unwrap();
            codes.insert(keep_code(&own).unwrap());
        }
        assert_eq!(codes.len(), 100);
        let (one, other) = (folder.join("1"), folder.join("2"));
        let code = keep_code(&one).unwrap();
        let spaced = code.replace('-', " ").to_uppercase();
        assert!(is_code(&one, &code) && is_code(&one, &spaced) && !is_code(&other, &code) && !is_code(&one, ""));
        let mode = std::fs::metadata(code_file(&one)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        forget_code(&one);
        assert!(!is_code(&one, &code) && !is_code(&one, ""));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
