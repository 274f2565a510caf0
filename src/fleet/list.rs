//! All boxes on one page: worst first, or as it was asked for.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::boxes::{Condition, Member};
use super::door::Visitor;
use super::hub::Hub;
use crate::findings;
use crate::web::assets;
use crate::web::frame::{AUTO, Mark, count, encoded, icon, moment, stranger, whole};
use crate::when;

/// Boxes on a page.
const PAGE: usize = 50;
/// The most findings to choose from: a box may name what it likes.
const MOST_CODES: usize = 500;
/// The longest text that is searched for.
const LONGEST: usize = 64;
/// By what the list can be sorted: the word in the address and on the page.
const SORTS: [(&str, &str); 7] = [
    ("", "Worst first"),
    ("name", "Name"),
    ("seen", "Last seen"),
    ("version", "Version"),
    ("queue", "Queue"),
    ("oldest", "Oldest"),
    ("disk", "Disk"),
];

/// What was asked for. Anything else in the address is left alone.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    q: String,
    is: String,
    has: String,
    sort: String,
    page: String,
}

impl Asked {
    /// The address of the same list with another page, or with another condition on its first page.
    fn address(&self, path: &str, is: &str, page: usize) -> String {
        let mut pairs = vec![
            ("q", self.q.as_str()),
            ("is", is),
            ("has", &self.has),
            ("sort", &self.sort),
        ];
        let number = page.to_string();
        pairs.push(("page", if page > 0 { &number } else { "" }));
        let pairs: Vec<String> = pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        if pairs.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", pairs.join("&"))
        }
    }

    fn number(&self) -> usize {
        self.page.parse().unwrap_or(0)
    }

    /// The address of what keeps this list up to date.
    pub fn live(&self) -> String {
        self.address("/live", &self.is, self.number())
    }
}

/// What a page is made of besides the frame.
pub struct Frame<'a> {
    /// Its title.
    pub title: &'a str,
    /// What keeps it up to date, and its own address.
    pub live: Option<(String, String)>,
    /// What is in it.
    pub main: Markup,
}

/// A page for somebody who is logged in.
pub fn frame(hub: &Hub, visitor: &Visitor, page: Frame) -> Response {
    let notice = hub.door().sessions.take_notice(&visitor.key);
    let again = |path: &str| format!("10;url={path}{}{AUTO}", if path.contains('?') { '&' } else { '?' });
    let head = html! {
        @if let Some((_, path)) = &page.live { noscript { meta http-equiv="refresh" content=(again(path)); } }
        script defer src=(assets::script_address()) {}
    };
    let body = html! {
        header {
            a class="brand" href="/" { (icon("spool")) b { "Fleet" } }
            @if page.title != "Boxes" { nav aria-label="Pages" { a href="/" { "All boxes" } } }
        }
        p id="lost" role="alert" hidden data-lost="This page does not answer. What you see is of {0}." {}
        @if let Some(notice) = notice { p class="notice" role="status" { (notice) } }
        main data-live=[page.live.as_ref().map(|(live, _)| live)] { (page.main) }
        footer {
            span { "callspool " (env!("CARGO_PKG_VERSION")) " · " span id="zone" data-zone="times of {0}" { "times are UTC" } }
            a href="/password" { "Password" }
            form method="post" action="/logout" { (token(visitor)) button class="link" { "Log out" } }
        }
    };
    whole(StatusCode::OK, &format!("{} · callspool-fleet", page.title), head, body)
}

/// The hidden field without which a form is refused.
pub fn token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="token" value=(visitor.token); }
}

/// The list.
pub async fn page(
    State(hub): State<Hub>,
    Extension(visitor): Extension<Visitor>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let main = content(&hub, &asked);
    let own = asked.address("/", &asked.is, asked.number());
    let page = Frame {
        title: "Boxes",
        live: Some((asked.live(), own)),
        main,
    };
    frame(&hub, &visitor, page)
}

/// A row of the list.
struct Row {
    id: String,
    condition: Condition,
    member: Member,
}

/// What is in the list.
pub fn content(hub: &Hub, asked: &Asked) -> Markup {
    let now = hub.judged_at();
    let (mut conditions, mut codes) = ([0_usize; Condition::ALL.len()], BTreeMap::<String, usize>::new());
    let needle: String = asked.q.trim().chars().take(LONGEST).collect::<String>().to_lowercase();
    let (rows, found, page, all, strange) = {
        let boxes = hub.boxes();
        let mut found: Vec<(&str, &Member, Condition)> = Vec::new();
        for (id, member) in &boxes.members {
            let condition = hub.condition(member, now);
            conditions[super::history::number(condition) as usize] += 1;
            for code in &member.codes {
                let code = code.split(':').next().unwrap_or_default();
                if let Some(n) = codes.get_mut(code) {
                    *n += 1;
                } else if codes.len() < MOST_CODES {
                    codes.insert(code.to_owned(), 1);
                }
            }
            let has = |code: &str| code.split(':').next() == Some(&asked.has);
            let fits = (asked.is.is_empty() || asked.is == condition.word())
                && (asked.has.is_empty() || member.codes.iter().any(|code| has(code)))
                && (needle.is_empty()
                    || id.to_lowercase().contains(&needle)
                    || member.name.to_lowercase().contains(&needle)
                    || member.version.to_lowercase().contains(&needle));
            if fits {
                found.push((id, member, condition));
            }
        }
        sort(&mut found, &asked.sort);
        let last = found.len().saturating_sub(1) / PAGE;
        let page = asked.number().min(last);
        let rows: Vec<Row> = found
            .iter()
            .skip(page * PAGE)
            .take(PAGE)
            .map(|(id, member, condition)| Row {
                id: (*id).to_owned(),
                condition: *condition,
                member: (*member).clone(),
            })
            .collect();
        (
            rows,
            found.len(),
            page,
            boxes.members.len(),
            (boxes.strange, boxes.beyond),
        )
    };
    html! {
        (trouble(hub))
        section id="sum" class="wide top" {
            h1 { (count(all as i64, "box", "boxes")) }
            div class="filter" {
                a href=(asked.address("/", "", 0)) aria-current=[asked.is.is_empty().then_some("true")] { "All" }
                @for (condition, n) in Condition::ALL.into_iter().zip(conditions).filter(|(_, n)| *n > 0) {
                    a class=(mark(condition).class()) href=(asked.address("/", condition.word(), 0))
                        aria-current=[(asked.is == condition.word()).then_some("true")] {
                        (mark(condition).icon()) "\u{a0}" (n) " " (condition.word())
                    }
                }
            }
        }
        form id="find" class="wide sift card" method="get" action="/" {
            @if !asked.is.is_empty() { input type="hidden" name="is" value=(asked.is); }
            div {
                label for="q" { "Search" }
                input id="q" name="q" value=(asked.q) placeholder="name, id or version" maxlength=(LONGEST)
                    autocomplete="off" spellcheck="false";
            }
            div {
                label for="has" { "Finding" }
                select id="has" name="has" {
                    option value="" { "any" }
                    @for (code, n) in &codes {
                        option value=(code) selected[*code == asked.has] { (titled(code)) " (" (n) ")" }
                    }
                }
            }
            div {
                label for="sort" { "Order" }
                select id="sort" name="sort" {
                    @for (word, name) in SORTS { option value=(word) selected[word == asked.sort] { (name) } }
                }
            }
            button { "Show" }
        }
        section id="boxes" class="wide" {
            @if rows.is_empty() { p class="card" {
                @if all == 0 { "No box has been heard of yet." } @else { "No box is like that." }
            } } @else { (table(&rows)) }
            @if found > PAGE {
                nav class="pages top" aria-label="Further boxes" {
                    @if page > 0 { a class="button" href=(asked.address("/", &asked.is, page - 1)) { "Before" } }
                    span class="muted" {
                        (page * PAGE + 1) "–" (page * PAGE + rows.len()) " of " (found)
                    }
                    @if (page + 1) * PAGE < found { a class="button" href=(asked.address("/", &asked.is, page + 1)) { "Next" } }
                }
            }
        }
        @if strange != (0, 0) {
            p id="strange" class="wide muted" {
                @if strange.0 > 0 { (count(strange.0 as i64, "message", "messages")) " came under an id that no box has. " }
                @if strange.1 > 0 {
                    (count(strange.1 as i64, "message", "messages")) " came from more boxes than max_boxes ("
                    (hub.config().max_boxes) ") lets in."
                }
            }
        }
    }
}

fn sort(found: &mut [(&str, &Member, Condition)], by: &str) {
    match by {
        "name" => found.sort_by_key(|(id, member, _)| (member.name.is_empty(), member.name.to_lowercase(), *id)),
        "seen" => found.sort_by_key(|(_, member, _)| member.seen_ms),
        "version" => found.sort_by(|(_, a, _), (_, b, _)| a.version.cmp(&b.version)),
        "queue" => found.sort_by_key(|(_, member, _)| Reverse(member.figures.queue)),
        "oldest" => found.sort_by_key(|(_, member, _)| Reverse(member.figures.oldest_s)),
        "disk" => found.sort_by_key(|(_, member, _)| Reverse(member.figures.disk_used())),
        _ => found.sort_by_key(|(_, member, condition)| (*condition, Reverse(member.figures.oldest_s))),
    }
}

/// What keeps the broker away, and of when everything is that is shown.
pub fn trouble(hub: &Hub) -> Markup {
    let link = hub.link();
    html! {
        @if let Some(trouble) = &link.trouble {
            section id="link" class="wide overall bad" role="alert" {
                h2 { (Mark::Bad.icon()) "\u{a0}No link to the broker" }
                p { bdi { (hub.config().mqtt.host) ":" (hub.config().mqtt.port) } ": " (trouble) }
                p { "Since " (moment(link.since_ms)) ". What you see is "
                    @match link.heard_ms { Some(ms) => { "of " (moment(ms)) } None => { "what was known before this page was started" } }
                    ", and commands can\u{2019}t be sent." }
            }
        } @else if !hub.config().mqtt.tls {
            p id="link" class="wide muted" { "The link to the broker is not encrypted: use mqtts://." }
        }
    }
}

/// The colour and the icon of a condition.
pub fn mark(condition: Condition) -> Mark {
    match condition {
        Condition::Ok => Mark::Ok,
        Condition::Warning => Mark::Warn,
        Condition::Unheard => Mark::Idle,
        Condition::Silent | Condition::Unreadable | Condition::Error | Condition::Offline => Mark::Bad,
    }
}

/// What a code means, with the target that it is about; an unknown one stands for itself.
pub fn titled(code: &str) -> String {
    let title = findings::find(code).map_or_else(|| stranger(code), |finding| finding.title.to_owned());
    match code.split_once(':') {
        Some((_, about)) => format!("{title} ({})", stranger(about)),
        None => title,
    }
}

/// What is worst about a box, in a few words.
pub fn worst(condition: Condition, member: &Member) -> Markup {
    html! {
        @match condition {
            Condition::Offline => { "offline since " (moment(member.presence_ms)) }
            Condition::Silent => { "says it is online, and tells nothing" }
            Condition::Unreadable => { (member.fault.unwrap_or_default()) }
            Condition::Unheard => { "has never told how it is" }
            _ => @match member.codes.first() {
                Some(code) => { (titled(code))
                    @if member.codes.len() > 1 { span class="muted" { " and " (member.codes.len() - 1) " more" } } }
                None => { "all is well" }
            }
        }
    }
}

/// The tag with the condition's word.
pub fn tag(condition: Condition) -> Markup {
    let mark = mark(condition);
    html! { span class={ "tag " (mark.class()) } { (mark.icon()) (condition.word()) } }
}

/// A box's name; its id where it has none.
pub fn called(id: &str, member: &Member) -> String {
    if member.name.trim().is_empty() {
        id.to_owned()
    } else {
        stranger(&member.name)
    }
}

fn table(rows: &[Row]) -> Markup {
    html! {
        table class="fleet" {
            thead { tr {
                th { "Box" } th { "How it is" } th { "Last seen" } th { "Version" }
                th class="figure" { "Queue" } th class="figure" { "Oldest" } th class="figure" { "Disk" }
            } }
            tbody {
                @for Row { id, condition, member } in rows {
                    tr {
                        td class="name" { a href={ "/boxes/" (id) } { bdi { (called(id, member)) } } " " small { (id) } }
                        td class="how" { (tag(*condition)) " " (worst(*condition, member)) }
                        td data-head="Last seen" { @if member.seen_ms > 0 { (moment(member.seen_ms)) } @else { "never" } }
                        td data-head="Version" { bdi { (stranger(&member.version)) } }
                        td class="figure" data-head="Queue" { (member.figures.queue) }
                        td class="figure" data-head="Oldest" {
                            @if member.figures.oldest_s > 0 { (when::span(member.figures.oldest_s.saturating_mul(1000))) } @else { "–" }
                        }
                        td class="figure" data-head="Disk" {
                            @match member.figures.disk_used() { Some(used) => { (used) " %" } None => { "–" } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_survives_in_the_addresses_of_the_page() {
        let asked = Asked {
            q: "a b&c=\"<".to_owned(),
            sort: "disk".to_owned(),
            ..Asked::default()
        };
        assert_eq!(
            asked.address("/", "offline", 2),
            "/?q=a%20b%26c%3D%22%3C&is=offline&sort=disk&page=2"
        );
        assert_eq!(Asked::default().address("/", "", 0), "/");
    }

    #[test]
    fn a_code_has_its_title_and_an_unknown_one_stands_for_itself() {
        assert!(titled("target-down:crm").ends_with("(crm)"));
        assert_ne!(titled("target-down:crm"), "target-down (crm)");
        assert_eq!(titled("new-thing"), "new-thing");
    }
}
