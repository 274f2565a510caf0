//! Where newer releases come from: a small signed list at an address, and the releases that it names. Nothing is asked
//! unless the configuration names the address.

use std::io::Read;
use std::time::Duration;

use embedded_svc::io::Write;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::keys::Keys;
use super::release::{self, Manifest};
use super::writer::Writer;
use super::{newer, release::INDEX};
use crate::http::{Answer, Belief, Client};

/// How long an answer, and each piece of it, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// A list may be this long.
const MOST_INDEX: u64 = 256 << 10;
/// A release lies seldom where its address says: so many redirects are followed.
const MOST_REDIRECTS: usize = 4;
/// So often a download that breaks off is taken up again within one attempt.
const MOST_BREAKS: u32 = 5;

/// A release that can be had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offer {
    /// What it says about itself.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Where it is; may be as seen from the list.
    pub url: String,
}

/// The list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Index {
    /// When it was made, RFC 3339: an older list than the last one is no news.
    made: String,
    releases: Vec<Offer>,
}

/// Reads the list at `url`: the newest release of `channel` for this processor, and when the list was made.
///
/// # Errors
/// It can't be reached, read or believed.
pub fn look(url: &str, belief: &Belief, keys: &Keys, channel: &str) -> Result<(Option<Offer>, String), Error> {
    let client = client(belief)?;
    let answer = get(&client, url, &[])?;
    let mut bytes = Vec::new();
    let read = answer.into_reader().take(MOST_INDEX).read_to_end(&mut bytes);
    read.map_err(|error| unreachable(url, &error.to_string()))?;
    let (text, _) = release::signed(INDEX, &bytes, keys)?;
    let index: Index = serde_json::from_str(text)
        .map_err(|error| Error::new("not-a-release", format!("the list of releases can't be read: {error}")))?;
    let mut best: Option<Offer> = None;
    for mut offer in index.releases {
        let fits = offer.manifest.arch == std::env::consts::ARCH && offer.manifest.channel == channel;
        let better = best
            .as_ref()
            .is_none_or(|best| newer(&offer.manifest.version, &best.manifest.version));
        if fits && better {
            offer.url = from(url, &offer.url);
            best = Some(offer);
        }
    }
    Ok((best, index.made))
}

/// Fetches the release at `url` into `writer`; what is there from an earlier attempt is left out where the server can.
///
/// # Errors
/// It can't be reached, breaks off too often, or is refused by `writer`.
pub fn fetch(
    url: &str,
    belief: &Belief,
    writer: &mut Writer,
    told: &mut dyn FnMut(u64, u64),
) -> Result<(), Error> {
    let client = client(belief)?;
    let mut breaks = 0;
    loop {
        let at = writer.progress().map(|(there, _)| there);
        match attempt(&client, url, writer, told) {
            Ok(()) => return Ok(()),
            Err(error) if error.code != "network" => return Err(error),
            Err(error) => {
                // Only what moves on is worth more of everybody's time.
                breaks = if writer.progress().map(|(there, _)| there) > at {
                    1
                } else {
                    breaks + 1
                };
                if breaks > MOST_BREAKS {
                    return Err(error);
                }
                log::info!("update: {error}; it is taken up again");
                std::thread::sleep(Duration::from_millis(200 << breaks));
            }
        }
    }
}

fn attempt(client: &Client, url: &str, writer: &mut Writer, told: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
    let answer = match writer.progress() {
        None => get(client, url, &[])?,
        Some((there, whole)) if there == whole => return Ok(()),
        Some((there, _)) => {
            let answer = get(client, url, &[("range", &format!("bytes={there}-"))])?;
            // Whoever knows no ranges sends all of it.
            writer.leave_out_to(if answer.status() == 206 { there } else { 0 });
            if answer.status() != 206 {
                let head = writer.head_length();
                return pour(answer, url, writer, head, told);
            }
            answer
        }
    };
    pour(answer, url, writer, 0, told)
}

/// Reads it into `writer` without its first `skip` bytes. Once the head was read and much of the program is there already,
/// it is asked for anew from there on.
fn pour(
    answer: Answer,
    url: &str,
    writer: &mut Writer,
    mut skip: u64,
    told: &mut dyn FnMut(u64, u64),
) -> Result<(), Error> {
    let mut reader = answer.into_reader();
    let mut chunk = vec![0; 32 << 10];
    loop {
        crate::pulse::beat();
        let new = writer.progress().is_none();
        let got = reader
            .read(&mut chunk)
            .map_err(|error| unreachable(url, &error.to_string()))?;
        let left_out = usize::try_from(skip).unwrap_or(usize::MAX).min(got);
        skip -= left_out as u64;
        if got > left_out {
            writer.write(&chunk[left_out..got])?;
        }
        let Some((there, whole)) = writer.progress() else {
            if got == 0 {
                return Ok(());
            }
            continue;
        };
        told(there, whole);
        if there == whole {
            return Ok(());
        }
        if got == 0 {
            return Err(unreachable(
                url,
                &format!("it broke off after {there} of {whole} bytes"),
            ));
        }
        if new && there > chunk.len() as u64 * 4 {
            return Err(unreachable(url, "what is here already is left out"));
        }
    }
}

fn client(belief: &Belief) -> Result<Client, Error> {
    Client::new(belief, PATIENCE).map_err(|error| Error::new("network", format!("update.trust: {error}")))
}

fn get(client: &Client, url: &str, headers: &[(&str, &str)]) -> Result<Answer, Error> {
    let mut at = url.to_owned();
    for _ in 0..=MOST_REDIRECTS {
        let answer = client
            .get(&at, headers)
            .map_err(|error| unreachable(&at, &error.to_string()))?;
        match answer.status() {
            200 | 206 => return Ok(answer),
            301 | 302 | 303 | 307 | 308 => match answer.header("location") {
                Some(next) => at = from(&at, next),
                None => return Err(unreachable(&at, "it points elsewhere without saying where")),
            },
            status => return Err(unreachable(&at, &format!("it answers {status}"))),
        }
    }
    Err(unreachable(url, "it points elsewhere for ever"))
}

/// An address as seen from another one.
fn from(base: &str, url: &str) -> String {
    if url.contains("://") {
        return url.to_owned();
    }
    let host = base.find("://").map_or(0, |at| at + 3);
    let path = base[host..].find('/').map_or(base.len(), |at| host + at);
    match url.strip_prefix('/') {
        Some(absolute) => format!("{}/{absolute}", &base[..path]),
        None => format!(
            "{}/{url}",
            base[..]
                .rfind('/')
                .filter(|at| *at >= path)
                .map_or(base, |at| &base[..at])
        ),
    }
}

fn unreachable(url: &str, why: &str) -> Error {
    // What stands behind a ? may be a secret.
    let url = url.split('?').next().unwrap_or_default();
    Error::new("network", format!("{url}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_seen_from_the_list() {
        let base = "https://releases.example.com/callspool/index";
        assert_eq!(
            from(base, "1.4.0-arm"),
            "https://releases.example.com/callspool/1.4.0-arm"
        );
        assert_eq!(from(base, "/x/y"), "https://releases.example.com/x/y");
        assert_eq!(from(base, "http://mirror/y"), "http://mirror/y");
        assert_eq!(
            from("https://releases.example.com", "y"),
            "https://releases.example.com/y"
        );
    }
}
