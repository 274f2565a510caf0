//! One call: where its recording is and why, then everything that is known about it.

use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};

use super::calls::direction;
use super::layout::{self, Page, Refusal, fact, icon, plain, refuse};
use super::queue::{delivery_line, heads};
use super::sessions::Visitor;
use super::site::{Site, Unread};
use super::words::{exact_moment, length, moment, party, sentence, size, stranger};
use crate::model::{Leg, RecordingState};
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

/// A call by its local number, or by the PBX's id.
pub(super) async fn read(site: &Site, id: String) -> Result<Option<Why>, Unread> {
    site.read(move |handle| {
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
            call.map(|call| why::explain(connection, call, circumstances(handle)))
                .transpose()
        })
    })
    .await
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    Path(id): Path<String>,
) -> Response {
    match read(&site, id).await {
        Ok(Some(why)) => layout::page(
            &site,
            &visitor,
            Page {
                title: "Call",
                tab: "/calls",
                live: None,
                main: main(&why, circumstances(site.handle()), &visitor),
            },
        ),
        Ok(None) => refuse(
            &uri,
            Refusal {
                status: StatusCode::NOT_FOUND,
                title: "No such call",
                why: "No call on this box has this number.",
                next: "Look for it in the list of calls.",
            },
        ),
        Err(error) => layout::unread(&uri, &error),
    }
}

fn main(why: &Why, at: Circumstances, visitor: &Visitor) -> Markup {
    let call = &why.call;
    let back = format!("/calls/{}", call.id);
    html! {
        section class="wide" {
            h1 { "Call of " (moment(call.started_ms)) }
            p class="answer" { b { "Its recording: " } bdi { (sentence(&why.answer)) } "." }
            dl class="facts card" {
                (fact("From", party(&call.from)))
                (fact("To", party(&call.to)))
                (fact("Outcome", html! { (icon(call.direction.word())) (direction(call.direction)) ", " (call.outcome.word()) }))
                (fact("Began", exact_moment(call.started_ms)))
                (fact("Rang for", plain(length(call.ringing_ms))))
                (fact("Talked for", plain(length(call.talking_ms))))
                (fact("The PBX's id", html! { code { (stranger(&call.key)) } }))
            }
            h2 { "Recordings" }
            @if why.recordings.is_empty() { p class="muted" { "None is known of." } }
            @for recording in &why.recordings { (recording_card(recording)) }
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
            h2 { (why.legs.len()) @if why.legs.len() == 1 { " leg" } @else { " legs" } }
            table class="cards" role="table" {
                (heads(&["Began", "From", "To", "Rang", "Talked", "How it ended"]))
                tbody role="rowgroup" { @for leg in &why.legs { (leg_line(leg)) } }
            }
        }
    }
}

fn recording_card(why: &RecordingWhy) -> Markup {
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
            dl class="facts" {
                @if let Some(extension) = &recording.extension { (fact("Extension", html! { bdi { (stranger(extension)) } })) }
                @if let Some(at) = recording.started_ms { (fact("Began", exact_moment(at))) }
                @if let Some(ms) = recording.audio_ms { (fact("Length", plain(length(ms)))) }
                @if let Some(bytes) = recording.bytes { (fact("Size", plain(size(u64::try_from(bytes).unwrap_or(0))))) }
                @if let Some(at) = recording.held_ms { (fact("Here since", exact_moment(at))) }
                @if let Some(kind) = &recording.media_type { (fact("Kind", html! { bdi { (stranger(kind)) } })) }
                @if let Some(hash) = &recording.sha256 { (fact("SHA-256", html! { code class="hex" { (hash) } })) }
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
