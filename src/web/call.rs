//! One call: where its recording is and why, then everything that is known about it.

use std::os::unix::fs::FileExt;

use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};
use rusqlite::Connection;

use super::calls::{direction, outcome};
use super::layout::{self, Page, Refusal, fact, icon, plain, refuse};
use super::listen::Hearing;
use super::queue::{at_target, delivery_line, heads};
use super::site::{Site, Unread};
use super::visitor::Visitor;
use super::words::{exact_moment, length, moment, party, sentence, size, stranger};
use super::{audit, keeping, listen, objects, timeline};
use crate::model::RecordingState;
use crate::rights::Action;
use crate::sight::{self, Sight};
use crate::spool::Spool;
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
pub(super) struct Sound {
    /// It may be heard.
    pub listen: bool,
    /// It may be taken away.
    pub download: bool,
    /// How it is heard, where it is here.
    pub hearing: Option<Hearing>,
    /// When it was looked at.
    pub at: Circumstances,
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
                        let at = circumstances(handle);
                        let why = why::explain(connection, call, at)?;
                        shown(connection, &asker, why, sight, (spool.as_ref(), at)).map(Ok)
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
    (spool, at): (Option<&Spool>, Circumstances),
) -> store::Result<Shown> {
    let mut sound = Vec::new();
    for one in &why.recordings {
        let whose = store::object_of_recording(connection, &one.recording)?;
        let may = |action| visitor.decide(action, &whose).allowed;
        let (listen, download) = (may(Action::RecordingListen), may(Action::RecordingDownload));
        let here = one.recording.file.as_deref().filter(|_| listen || download);
        let hearing = here.zip(spool).and_then(|(name, spool)| {
            let mut head = [0; listen::HEAD];
            // A file that can't be read says so when it is asked for.
            let file = spool.open_file(name).ok()?;
            let got = file.read_at(&mut head, 0).ok()?;
            Some(listen::hearing(&head[..got], file.metadata().ok()?.len()))
        });
        sound.push(Sound {
            listen,
            download,
            hearing,
            at,
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
                title: t!("Call"),
                tab: "/calls",
                live: None,
                main: main(&shown, circumstances(site.handle()), &visitor),
            },
        ),
        Ok(None) => refuse(
            &uri,
            Refusal {
                status: StatusCode::NOT_FOUND,
                title: t!("No such call"),
                why: t!("Among the calls that you may see none has this number."),
                next: t!("Look for it in the list of calls."),
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
            h1 { (t!("Call of")) " " (moment(call.started_ms)) }
            p class="answer" { b { (t!("Its recording:")) " " } bdi { (sentence(&why.answer)) } "." }
            @if !why.fix.is_empty() && visitor.over_all(Action::BoxView) { p { b { (t!("What mends it:")) " " } (why.fix) } }
            @if let Some(rules) = &why.rules { p { b { (t!("Rules:")) " " } bdi { (sentence(rules)) } "." } }
            @if shown.sight == Sight::Trace {
                p class="muted" { (t!("You see the trace: numbers from outside are masked, and nobody is named.")) }
            }
            dl class="facts card" {
                (fact(t!("From"), party(&call.from)))
                (fact(t!("To"), party(&call.to)))
                (fact(t!("Outcome"), html! { (icon(call.direction.word())) (direction(call.direction)) ", " (outcome(call.outcome)) }))
                (fact(t!("Began"), exact_moment(call.started_ms)))
                (fact(t!("Rang for"), plain(length(call.ringing_ms))))
                (fact(t!("Talked for"), plain(length(call.talking_ms))))
                (fact(t!("The PBX\u{2019}s id"), html! { code { (stranger(&call.key)) } }))
            }
            (keeping::card(call.id, &shown.holds, visitor))
            h2 { (t!("Recordings")) }
            @if why.recordings.is_empty() { p class="muted" { (t!("None is known of.")) } }
            @for (recording, sound) in why.recordings.iter().zip(&shown.sound) {
                (recording_card(recording, sound, why, visitor))
            }
            h2 { (t!("What happened")) }
            (timeline::timeline(&why.legs, &why.recordings))
            @if visitor.over_all(Action::BoxView) {
                h2 { (t!("Deliveries")) }
                @if why.deliveries.is_empty() {
                    p class="muted" { (t!("None yet: a call is handed over when its rows on the PBX have been quiet for a while.")) }
                } @else {
                    table class="cards" role="table" {
                        (heads(&[t!("What"), t!("Where it is"), t!("Made"), ""]))
                        tbody role="rowgroup" {
                            @for delivery in &why.deliveries { (delivery_line(delivery, at, visitor, &back, false)) }
                        }
                    }
                }
            }
            @for leg in &why.legs {
                (spoken(html! { (t!("Transcript of the leg of")) " " (moment(leg.started_ms)) }, &leg.transcript, &leg.summary, leg.sentiment))
            }
            @for one in &why.recordings {
                @let recording = &one.recording;
                @let at = recording.started_ms.unwrap_or(call.started_ms);
                (spoken(html! { (t!("Transcript of the recording of")) " " (moment(at)) }, &recording.transcript, &recording.summary, recording.sentiment))
            }
        }
    }
}

/// What was said in a leg or a recording, where it may be read.
fn spoken(title: Markup, transcript: &Option<String>, summary: &Option<String>, sentiment: Option<i64>) -> Markup {
    html! {
        @if transcript.is_some() || summary.is_some() {
            h2 { (title) }
            article class="card" {
                @if let Some(summary) = summary { p { b { (t!("Summary:")) " " } bdi { (text(summary)) } } }
                @if let Some(sentiment) = sentiment {
                    p { b { (t!("Mood, as the PBX judges it:")) " " } (timeline::mood(sentiment)) " (" (sentiment) "/5)" }
                }
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
            @match &sound.hearing {
                Some(Hearing::Not(why)) => {
                    p {
                        (icon("warn")) " " (why) " "
                        @if sound.download { (t!("Download it and open it in a media player.")) }
                        @else { (t!("Downloading it is not among your rights.")) }
                    }
                }
                hearing => {
                    audio controls preload="none" src=(address) aria-label={ (t!("Recording")) " " (recording.pbx_id) } {
                        (t!("Your browser has no player for sound."))
                    }
                    @if let Some(Hearing::Decoded(codec)) = hearing {
                        p class="muted" { (t!("It is {}, decoded here while you listen. The download is the original.", codec)) }
                    }
                }
            }
        }
        @if here && sound.download {
            div class="actions" { a class="button" href={ (address) "?download" } download { (t!("Download")) } }
        }
        @if here && !sound.listen && !visitor.over_all(Action::BoxView) {
            p class="muted" {
                (icon("idle")) " " (t!("Hearing it is not among your rights.")) " "
                a href={ "/me?call=" (why.recording.call.unwrap_or(0)) } { (t!("Why?")) }
            }
        }
    }
}

/// Where each target has the recording, and why not where it has not; of one target the card's sentence says it.
fn at_targets(recording: i64, why: &Why, at: Circumstances) -> Markup {
    let own = || {
        why.deliveries
            .iter()
            .filter(|delivery| delivery.recording == Some(recording))
    };
    html! {
        @if own().count() > 1 {
            ul class="parts" aria-label=(t!("Where each target has it")) {
                @for delivery in own() { (at_target(delivery, at)) }
            }
        }
    }
}

fn recording_card(one: &RecordingWhy, sound: &Sound, why: &Why, visitor: &Visitor) -> Markup {
    let recording = &one.recording;
    let (picture, word) = match recording.state {
        RecordingState::Waiting => ("wait", t!("waiting")),
        RecordingState::Held => ("held", t!("here")),
        RecordingState::Deleting | RecordingState::Evicted => ("ok", t!("delivered, no longer here")),
        RecordingState::Gone => ("gone", t!("never")),
    };
    html! {
        article class="card" {
            h3 { (icon(picture)) span { (t!("Recording")) " " (recording.pbx_id) ": " (word) } }
            p { bdi { (sentence(&one.answer)) } "." }
            (player(one, sound, visitor))
            (at_targets(recording.id, why, sound.at))
            dl class="facts" {
                @if let Some(extension) = &recording.extension { (fact(t!("Extension"), html! { bdi { (stranger(extension)) } })) }
                @if let Some(at) = recording.started_ms { (fact(t!("Began"), exact_moment(at))) }
                @if let Some(ms) = recording.audio_ms { (fact(t!("Length"), plain(length(ms)))) }
                @if let Some(bytes) = recording.bytes { (fact(t!("Size"), plain(size(u64::try_from(bytes).unwrap_or(0))))) }
                @if let Some(at) = recording.held_ms { (fact(t!("Here since"), exact_moment(at))) }
                @if visitor.over_all(Action::BoxView) {
                    @if let Some(kind) = &recording.media_type { (fact(t!("Kind"), html! { bdi { (stranger(kind)) } })) }
                    @if let Some(hash) = &recording.sha256 { (fact("SHA-256", html! { code class="hex" { (hash) } })) }
                }
            }
        }
    }
}
