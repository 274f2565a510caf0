//! Recordings: the list, and the bytes.

use std::io::Read;

use serde::Deserialize;

use super::history::score;
use super::loose::{Flag, Int, Text};
use super::{Error, Fetched, Kind, ListedRecording, Transcript, V20};
use crate::http;
use crate::when;

/// The fields of `Pbx.Recording` (XAPI 20.0.10) that are used.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    id: Int,
    start_time: Text,
    end_time: Text,
    from_dn: Text,
    from_dn_type: Int,
    to_dn: Text,
    from_did_number: Text,
    to_did_number: Text,
    recording_url: Text,
    is_archived: Flag,
    is_transcribed: Flag,
    transcription: Text,
    summary: Text,
    sentiment_score: Int,
}

/// `IsTranscribed` came with 20.0.7. Before, the mark that there is a transcript is its sentiment: the words
/// themselves would make every reading of the list many times as long.
const SELECT: &str = "$select=Id,StartTime,EndTime,FromDn,FromDnType,ToDn,FromDidNumber,ToDidNumber,RecordingUrl,IsArchived,IsTranscribed,SentimentScore";

pub(super) fn list(pbx: &V20, from_ms: i64, to_ms: i64) -> Result<Vec<ListedRecording>, Error> {
    let (from, to) = (when::rfc3339(from_ms), when::rfc3339(to_ms));
    let path =
        format!("Recordings?$filter=StartTime ge {from} and StartTime le {to}&$orderby=StartTime desc&{SELECT}");
    let mut all = Vec::new();
    pbx.pages::<Row>(&path, "the list of recordings", &mut |rows| {
        all.extend(rows.into_iter().filter_map(listed));
        Ok(())
    })?;
    Ok(all)
}

/// There is no `/Recordings(id)` on any build: a filter is the way to one.
pub(super) fn one(pbx: &V20, pbx_id: i64) -> Result<Option<ListedRecording>, Error> {
    let path = format!("Recordings?$filter=Id eq {pbx_id}&$top=1&{SELECT}");
    let page: super::client::Page<Row> = pbx.json(&path, "the list of recordings")?;
    Ok(page
        .value
        .into_iter()
        .filter_map(listed)
        .find(|found| found.pbx_id == pbx_id))
}

fn listed(row: Row) -> Option<ListedRecording> {
    let time = |text: &Text| text.0.as_deref().and_then(when::parse_rfc3339);
    // `RecordingUrl` is `<extension>/[name]_…wav`: the folder is the recorded extension.
    let folder = row
        .recording_url
        .0
        .as_deref()
        .and_then(|url| url.split_once('/'))
        .map(|(folder, _)| folder);
    let folder = folder.filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()));
    let inside = if row.from_dn_type.0 == Some(0) {
        &row.from_dn
    } else {
        &row.to_dn
    };
    // DIDs come as bare digits, on the side that is outside.
    let did = row.from_did_number.0.clone().filter(|_| row.from_dn_type.0 == Some(1));
    Some(ListedRecording {
        pbx_id: row.id.0?,
        started_ms: time(&row.start_time),
        ended_ms: time(&row.end_time),
        extension: folder.map(str::to_owned).or_else(|| inside.0.clone()),
        from_dn: row.from_dn.0,
        to_dn: row.to_dn.0,
        did: did.or(row.to_did_number.0).filter(|did| !did.is_empty()),
        archived: row.is_archived.0.unwrap_or(false),
        transcribed: row.is_transcribed.0.or(score(row.sentiment_score.0).map(|_| true)),
        call: None,
    })
}

/// What there is of transcript, summary and sentiment.
pub(super) fn transcript(pbx: &V20, pbx_id: i64) -> Result<Option<Transcript>, Error> {
    let path = format!("Recordings?$filter=Id eq {pbx_id}&$top=1&$select=Id,Transcription,Summary,SentimentScore");
    let page: super::client::Page<Row> = pbx.json(&path, "a transcript")?;
    let row = page.value.into_iter().find(|row| row.id.0 == Some(pbx_id));
    Ok(row
        .map(|row| Transcript {
            text: row.transcription.0,
            summary: row.summary.0,
            sentiment: score(row.sentiment_score.0),
        })
        .filter(|found| *found != Transcript::default()))
}

pub(super) fn fetch(
    pbx: &V20,
    pbx_id: i64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<Fetched, Error> {
    let path = format!("Recordings/Pbx.DownloadRecording(recId={pbx_id})");
    let answer = match pbx.ask(&path, "a recording") {
        // "No such recording" and "no such path" are the same status here.
        Err(error) if error.kind == Kind::NotThere => {
            return Err(Error {
                kind: Kind::Gone,
                ..error
            });
        }
        other => other?,
    };
    let (media_type, promised) = (answer.media_type(), answer.length());
    // The specification declares JSON for this answer; audio is what comes. JSON or HTML is an error in disguise.
    if media_type == "text/html" || media_type == "application/json" {
        let gone = answer.text(64 << 10).is_ok_and(|text| text.contains("FILE_NOT_FOUND"));
        let kind = if gone { Kind::Gone } else { Kind::Nonsense };
        return Err(Error::new(
            kind,
            format!("a recording was answered with {media_type} instead of audio"),
        ));
    }
    let mut reader = answer.into_reader();
    let mut room = vec![0; 64 << 10];
    let mut came = 0;
    loop {
        let got = reader.read(&mut room).map_err(http::Error::of_io)?;
        if got == 0 {
            return Ok(Fetched {
                media_type,
                promised,
                came,
            });
        }
        came += got as u64;
        take(&room[..got])?;
    }
}
