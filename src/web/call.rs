//! One call: where its recording is and why, then everything that is known about it.

use std::os::unix::fs::FileExt;

use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};
use rusqlite::Connection;

use super::calls::direction;
use super::layout::{self, Page, Refusal, fact, icon, plain, refuse};
use super::queue::{delivery_line, heads};
use super::site::{Site, Unread};
use super::visitor::Visitor;
use super::words::{exact_moment, length, moment, party, sentence, size, stranger};
use super::{audit, keeping, listen, objects};
use crate::model::{Leg, RecordingState};
use crate::rights::Action;
use crate::sight::{self, Sight};
use crate::spool::{self, Spool};
use crate::store;
use crate::why::{self, Circumstances, RecordingWhy, Why};

/// What the answers depend on besides the store.
pub(super) fn circumstances(handle: &crate::agent::Handle) -> Circumstances {
    Circumstances {
        now_ms: handle.clock().wall_ms(),
        mono_ms: Some(handle.clock().mono_ms()),
        late_ms: i64::try_from(handle.config().pbx.late_recordings.as_millis()).unwrap_or(i64::MAX),
    }
}

/// A call as somebody may see it.
pub(super) struct Shown {
    /// What is known of it, without what they may not see.
    pub why: Why,
    /// Whether it is the trace alone.
    pub sight: Sight,
    /// What they may do with each recording of `why`, in its order.
    pub sound: Vec<Sound>,
    /// The holds that keep it.
    pub holds: Vec<store::Hold>,
}

/// What may be done with a recording.
#[derive(Debug, Clone, Default)]
pub(super) struct Sound {
    /// It may be heard.
    pub listen: bool,
    /// It may be taken away.
    pub download: bool,
    /// Why a browser won't play it, where it is here.
    pub unplayable: Option<String>,
}

/// A call by its local number, or by the PBX's id. `None`: there is none, or none that they may see.
pub(super) async fn read(site: &Site, visitor: &Visitor, id: String) -> Result<Option<Shown>, Unread> {
    let (asker, spool) = (visitor.clone(), site.spool());
    let found = site
        .read(move |handle| {
            handle.store().read(|connection| {
                let by_number = id.parse::<i64>().ok();
                let call = match by_number {
                    Some(number) => store::call(connection, number)?,
                    None => None,
                };
                let call = match call {
                    None => store::call_by_key(connection, &id)?,
                    found => found,
                };
                let Some(call) = call else {
                    return Ok(Err(None));
                };
                let row = call.id;
                match objects::sight(connection, &asker, row)? {
                    Ok(sight) => {
                        let why = why::explain(connection, call, circumstances(handle))?;
                        shown(connection, &asker, why, sight, spool.as_ref()).map(Ok)
                    }
                    Err(decision) => Ok(Err(Some((row, decision)))),
                }
            })
        })
        .await?;
    Ok(match found {
        Ok(shown) => Some(shown),
        Err(None) => None,
        Err(Some((row, decision))) => {
            audit::refused_for(site, visitor, &decision, Some(row), None).await;
            None
        }
    })
}

fn shown(
    connection: &Connection,
    visitor: &Visitor,
    why: Why,
    sight: Sight,
    spool: Option<&Spool>,
) -> store::Result<Shown> {
    let mut sound = Vec::new();
    for one in &why.recordings {
        let whose = store::object_of_recording(connection, &one.recording)?;
        let may = |action| visitor.decide(action, &whose).allowed;
        let (listen, download) = (may(Action::RecordingListen), may(Action::RecordingDownload));
        let here = one.recording.file.as_deref().filter(|_| listen || download);
        let unplayable = here.zip(spool).and_then(|(name, spool)| {
            let mut head = [0; 64];
            // A file that can't be read says so when it is asked for.
            let got = spool.open_file(name).and_then(|file| file.read_at(&mut head, 0)).ok()?;
            listen::unplayable(spool::codec(&head[..got]))
        });
        sound.push(Sound {
            listen,
            download,
            unplayable,
        });
    }
    let transcripts = sight::transcripts(connection, &visitor.subject, &why)?;
    let holds = store::holds_of(connection, why.call.id)?;
    Ok(Shown {
        holds,
        why: sight::why(why, sight, &transcripts, visitor.over_all(Action::BoxView)),
        sight,
        sound,
    })
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    Path(id): Path<String>,
) -> Response {
    match read(&site, &visitor, id).await {
        Ok(Some(shown)) => layout::page(
            &site,
            &visitor,
            Page {
                title: "Call",
                tab: "/calls",
                live: None,
                main: main(&shown, circumstances(site.handle()), &visitor),
            },
        ),
        Ok(None) => refuse(
            &uri,
            Refusal {
                status: StatusCode::NOT_FOUND,
                title: "No such call",
                why: "Among the calls that you may see none has this number.",
                next: "Look for it in the list of calls.",
            },
        ),
        Err(error) => layout::unread(&uri, &error),
    }
}

fn main(shown: &Shown, at: Circumstances, visitor: &Visitor) -> Markup {
    let why = &shown.why;
    let call = &why.call;
    let back = format!("/calls/{}", call.id);
    html! {
        section class="wide" {
            h1 { "Call of " (moment(call.started_ms)) }
            p class="answer" { b { "Its recording: " } bdi { (sentence(&why.answer)) } "." }
            @if let Some(rules) = &why.rules { p { b { "Rules: " } bdi { (sentence(rules)) } "." } }
            @if shown.sight == Sight::Trace {
                p class="muted" { "You see the trace: numbers from outside are masked, and nobody is named." }
            }
            dl class="facts card" {
                (fact("From", party(&call.from)))
                (fact("To", party(&call.to)))
                (fact("Outcome", html! { (icon(call.direction.word())) (direction(call.direction)) ", " (call.outcome.word()) }))
                (fact("Began", exact_moment(call.started_ms)))
                (fact("Rang for", plain(length(call.ringing_ms))))
                (fact("Talked for", plain(length(call.talking_ms))))
                (fact("The PBX's id", html! { code { (stranger(&call.key)) } }))
            }
            (keeping::card(call.id, &shown.holds, visitor))
            h2 { "Recordings" }
            @if why.recordings.is_empty() { p class="muted" { "None is known of." } }
            @for (recording, sound) in why.recordings.iter().zip(&shown.sound) { (recording_card(recording, sound, visitor)) }
            @if visitor.over_all(Action::BoxView) {
                h2 { "Deliveries" }
                @if why.deliveries.is_empty() {
                    p class="muted" { "None yet: a call is handed over when its rows on the PBX have been quiet for a while." }
                } @else {
                    table class="cards" role="table" {
                        (heads(&["What", "Where it is", "Made", ""]))
                        tbody role="rowgroup" {
                            @for delivery in &why.deliveries { (delivery_line(delivery, at, visitor, &back, false)) }
                        }
                    }
                }
            }
            h2 { (why.legs.len()) @if why.legs.len() == 1 { " leg" } @else { " legs" } }
            table class="cards" role="table" {
                (heads(&["Began", "From", "To", "Rang", "Talked", "How it ended"]))
                tbody role="rowgroup" { @for leg in &why.legs { (leg_line(leg)) } }
            }
            @for leg in &why.legs { (spoken("Transcript of the leg of ", leg.started_ms, &leg.transcript, &leg.summary)) }
            @for one in &why.recordings {
                @let recording = &one.recording;
                @let at = recording.started_ms.unwrap_or(call.started_ms);
                (spoken("Transcript of the recording of ", at, &recording.transcript, &recording.summary))
            }
        }
    }
}

/// What was said in a leg or a recording, where it may be read.
fn spoken(title: &str, at_ms: i64, transcript: &Option<String>, summary: &Option<String>) -> Markup {
    html! {
        @if transcript.is_some() || summary.is_some() {
            h2 { (title) (moment(at_ms)) }
            article class="card" {
                @if let Some(summary) = summary { p { b { "Summary: " } bdi { (text(summary)) } } }
                @if let Some(transcript) = transcript { p class="spoken" { bdi { (text(transcript)) } } }
            }
        }
    }
}

/// What was said: as long as it is, without what a terminal or a browser might obey.
fn text(said: &str) -> String {
    said.chars()
        .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
        .collect()
}

/// The player and the way to take the file along, as far as either is allowed.
fn player(why: &RecordingWhy, sound: &Sound, visitor: &Visitor) -> Markup {
    let recording = &why.recording;
    let here = recording.state == RecordingState::Held;
    let address = format!("/recordings/{}", recording.id);
    html! {
        @if here && sound.listen {
            @match &sound.unplayable {
                None => {
                    audio controls preload="none" src=(address) aria-label={ "Recording " (recording.pbx_id) } {
                        "Your browser has no player for sound."
                    }
                }
                Some(why) if sound.download => { p { (icon("warn")) " " (why) } }
                Some(why) => {
                    p { (icon("warn")) " " (why.split(". ").next().unwrap_or(why)) ". Downloading it is not among your rights." }
                }
            }
        }
        @if here && sound.download {
            div class="actions" { a class="button" href={ (address) "?download" } download { "Download" } }
        }
        @if here && !sound.listen && !visitor.over_all(Action::BoxView) {
            p class="muted" { (icon("idle")) " Hearing it is not among your rights. " a href={ "/me?call=" (why.recording.call.unwrap_or(0)) } { "Why?" } }
        }
    }
}

fn recording_card(why: &RecordingWhy, sound: &Sound, visitor: &Visitor) -> Markup {
    let recording = &why.recording;
    let picture = match recording.state {
        RecordingState::Waiting => "wait",
        RecordingState::Held => "held",
        RecordingState::Deleting | RecordingState::Evicted => "ok",
        RecordingState::Gone => "gone",
    };
    html! {
        article class="card" {
            h3 { (icon(picture)) span { "Recording " (recording.pbx_id) ": " (recording.state.word()) } }
            p { bdi { (sentence(&why.answer)) } "." }
            (player(why, sound, visitor))
            dl class="facts" {
                @if let Some(extension) = &recording.extension { (fact("Extension", html! { bdi { (stranger(extension)) } })) }
                @if let Some(at) = recording.started_ms { (fact("Began", exact_moment(at))) }
                @if let Some(ms) = recording.audio_ms { (fact("Length", plain(length(ms)))) }
                @if let Some(bytes) = recording.bytes { (fact("Size", plain(size(u64::try_from(bytes).unwrap_or(0))))) }
                @if let Some(at) = recording.held_ms { (fact("Here since", exact_moment(at))) }
                @if visitor.over_all(Action::BoxView) {
                    @if let Some(kind) = &recording.media_type { (fact("Kind", html! { bdi { (stranger(kind)) } })) }
                    @if let Some(hash) = &recording.sha256 { (fact("SHA-256", html! { code class="hex" { (hash) } })) }
                }
            }
        }
    }
}

fn leg_line(leg: &Leg) -> Markup {
    let said = |text: &Option<String>| text.as_deref().map(stranger).filter(|text| !text.is_empty());
    let words: Vec<String> = [&leg.status, &leg.kind, &leg.reason]
        .into_iter()
        .filter_map(said)
        .collect();
    html! {
        tr role="row" {
            td role="cell" data-head="Began" { (exact_moment(leg.started_ms)) }
            td role="cell" data-head="From" { span { (party(&leg.from)) } }
            td role="cell" data-head="To" { span { (party(&leg.to)) } }
            td role="cell" data-head="Rang" { (length(leg.ringing_ms)) }
            td role="cell" data-head="Talked" { (length(leg.talking_ms)) }
            td role="cell" data-head="How it ended" { bdi { (words.join(" · ")) } }
        }
    }
}
