//! Which of two versions is the newer one.

use std::cmp::Ordering;

/// Whether `a` is newer than `b`, as Semantic Versioning 2.0.0 orders them (§11): numbers by their size, and a version with
/// something after `-` before the same one without. What follows a `+` does not count.
pub fn newer(a: &str, b: &str) -> bool {
    order(a, b) == Ordering::Greater
}

fn order(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    pieces(a.0, b.0).then_with(|| match (a.1, b.1) {
        ("", "") => Ordering::Equal,
        ("", _) => Ordering::Greater,
        (_, "") => Ordering::Less,
        (a, b) => pieces(a, b),
    })
}

fn parts(version: &str) -> (&str, &str) {
    let version = version.split('+').next().unwrap_or_default();
    version.split_once('-').unwrap_or((version, ""))
}

fn pieces(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (one, other) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => (one, other),
        };
        let by = match (one.parse::<u64>(), other.parse::<u64>()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        if by != Ordering::Equal {
            return by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semantic_versioning_orders_them() {
        let rising = [
            "0.9.0",
            "0.10.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
        ];
        for (n, a) in rising.iter().enumerate() {
            for (m, b) in rising.iter().enumerate() {
                assert_eq!(newer(a, b), n > m, "{a} {b}");
            }
        }
        assert!(!newer("1.0.0+5", "1.0.0+4") && !newer("1.0.0", "1.0.0"));
    }
}
