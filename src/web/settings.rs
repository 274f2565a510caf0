//! The forms for PBX, target and broker, made of the one table in `setup::fields`. What is typed is judged as a whole,
//! then tried at the other end, and counts only after that. A secret is never shown again: the form says that it is kept.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::checks;
use super::layout::{self, Mark, icon, to, token};
use super::setup::{Pending, Place, Shown, Typed, shown};
use super::site::Site;
use super::visitor::Visitor;
use super::words::exact_moment;
use crate::accounts::By;
use crate::aside::aside;
use crate::config::{self, Config, Problem};
use crate::doctor::{Check, Outcome};
use crate::random;
use crate::rights::{Action, Object};
use crate::setup::{self, BROKER, Change, Field, Kind, PBX, Refused, TARGETS, TargetFields, Tried};
use crate::store::{self, PageSettings};

/// What one form is about.
struct Form<'a> {
    step: &'a str,
    /// The table in what the page writes: `pbx`, `target.crm`, `mqtt`.
    table: String,
    /// The target's kind and name.
    target: Option<(&'static TargetFields, String)>,
    fields: &'static [Field],
}

/// What a form shows in its fields, and what is wrong with them.
#[derive(Default)]
struct Filled {
    values: Typed,
    problems: Vec<(String, String)>,
    tried: Option<Tried>,
    /// What a person may say yes to.
    nonce: Option<String>,
    /// It is a target that the page made, and so may be removed here.
    ours: bool,
    /// The PBX's key is another one than the one that was trusted.
    other_key: bool,
}

/// The name of the hidden field that names the file of a secret which was typed before.
fn kept_name(leaf: &str) -> String {
    format!("kept_{leaf}")
}

/// What the page has written so far, and the configuration with it.
async fn stored(site: &Site) -> Result<(String, Config), String> {
    let path = site.handle().config().path.clone();
    let read = site.read(|handle| handle.store().read(store::page_text)).await;
    let text = read.map_err(|error| format!("{error:?}"))?;
    let (config, text) = setup::try_over(&path, &text, &[]).map_err(told)?;
    Ok((text, config))
}

fn told(problems: Vec<Problem>) -> String {
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// Which form is meant.
fn form<'a>(step: &'a str, asked: &Typed, config: &Config) -> Option<Form<'a>> {
    let form = |table: &str, fields| Form {
        step,
        table: table.to_owned(),
        target: None,
        fields,
    };
    match step {
        "pbx" => return Some(form("pbx", PBX)),
        "mqtt" => return Some(form("mqtt", BROKER)),
        _ => {}
    }
    let named = asked.get("name").filter(|name| !name.is_empty());
    let kind = match named.and_then(|name| index_of(config, name)) {
        Some(at) => value_of(config, &format!("target.{at}.kind")),
        None => asked.get("kind").cloned().unwrap_or_default(),
    };
    let target = TARGETS.iter().find(|known| known.kind == kind)?;
    let name = match named {
        Some(name) => name.clone(),
        None => free_name(config, target.kind),
    };
    Some(Form {
        step,
        table: format!("target.{name}"),
        target: Some((target, name)),
        fields: target.fields,
    })
}

fn index_of(config: &Config, name: &str) -> Option<usize> {
    config.targets.iter().position(|target| target.name == name)
}

/// `crm` for the first target, as in every example; then the kind, with a number if that is taken.
fn free_name(config: &Config, kind: &str) -> String {
    let first = (kind != "folder" && kind != "s3").then(|| "crm".to_owned());
    let numbered = (1..).map(|n| match n {
        1 => kind.to_owned(),
        n => format!("{kind}-{n}"),
    });
    let mut names = first.into_iter().chain(numbered);
    names.find(|name| index_of(config, name).is_none()).unwrap_or_default()
}

/// A setting's value as a person types it; empty for one that was not typed.
fn value_of(config: &Config, key: &str) -> String {
    let entry = config.entries.iter().find(|entry| entry.key == key);
    entry.map_or_else(String::new, |entry| config::plain(&entry.value))
}

impl Form<'_> {
    /// The key of a field as the configuration tells it: targets are numbered there.
    fn key(&self, config: &Config, leaf: &str) -> String {
        match &self.target {
            Some((_, name)) => match index_of(config, name) {
                Some(at) => format!("target.{at}.{leaf}"),
                None => format!("target.?.{leaf}"),
            },
            None => format!("{}.{leaf}", self.table),
        }
    }

    /// The fields as they are in force.
    fn filled(&self, config: &Config) -> Filled {
        let mut filled = Filled {
            ours: config.origin(&self.key(config, "name")) == Some(config::PAGE),
            ..Filled::default()
        };
        for field in self.fields {
            let value = value_of(config, &self.key(config, field.leaf));
            match field.kind {
                Kind::Secret | Kind::Pair(_) => {
                    let file = Path::new(&value).file_name().unwrap_or_default();
                    filled
                        .values
                        .insert(kept_name(field.leaf), file.to_string_lossy().into_owned());
                }
                Kind::Line => drop(filled.values.insert(field.leaf.to_owned(), value)),
                Kind::Tick(on) => {
                    let on = if value.is_empty() { on } else { value == "true" };
                    filled.values.insert(field.leaf.to_owned(), on.to_string());
                }
            }
        }
        filled
    }

    /// What was typed as changes of settings. Secrets are written into files on the way.
    fn changes(&self, typed: &Typed, config: &Config) -> Result<(Vec<Change>, Filled), String> {
        let mut filled = Filled::default();
        let mut changes = Vec::new();
        let text = |name: &str| typed.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
        for field in self.fields {
            let key = format!("{}.{}", self.table, field.leaf);
            let value = text(field.leaf);
            match field.kind {
                Kind::Line => {
                    filled.values.insert(field.leaf.to_owned(), value.clone());
                    changes.push((key, (!value.is_empty()).then(|| setup::quote(&value))));
                }
                Kind::Tick(_) => {
                    let on = typed.contains_key(field.leaf);
                    filled.values.insert(field.leaf.to_owned(), on.to_string());
                    changes.push((key, Some(on.to_string())));
                }
                Kind::Secret | Kind::Pair(_) => {
                    let secret = match field.kind {
                        Kind::Pair(_) if !value.is_empty() => format!("{value}\n{}", text(&second(field.leaf))),
                        _ => value,
                    };
                    let kept = text(&kept_name(field.leaf));
                    let file = self.secret(config, &secret, &kept)?;
                    if let Some(file) = file {
                        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                        filled.values.insert(kept_name(field.leaf), name);
                        changes.push((key, Some(setup::quote(&file.to_string_lossy()))));
                    } else if !kept.is_empty() {
                        // The file that the configuration names already, wherever that is.
                        filled.values.insert(kept_name(field.leaf), kept);
                    }
                }
            }
        }
        if let Some((target, _)) = &self.target {
            changes.push((format!("{}.kind", self.table), Some(setup::quote(target.kind))));
        }
        if self.table == "mqtt" && text("user").is_empty() {
            changes.retain(|(key, _)| key != "mqtt.password_file");
            changes.push(("mqtt.password_file".to_owned(), None));
        }
        Ok((changes, filled))
    }

    fn secret(&self, config: &Config, typed: &str, kept: &str) -> Result<Option<PathBuf>, String> {
        if !typed.is_empty() {
            let what = self.target.as_ref().map_or(self.table.as_str(), |(_, name)| name);
            return setup::keep_secret(&config.state_dir, what, typed)
                .map(Some)
                .map_err(|error| error.to_string());
        }
        Ok(setup::kept_secret(&config.state_dir, kept))
    }

    fn title(&self) -> &'static str {
        match (&self.target, self.step) {
            (Some((target, _)), _) => target.name.say(),
            (None, "pbx") => t!("The phone system"),
            (None, _) => t!("The broker of your dashboard"),
        }
    }
}

fn second(leaf: &str) -> String {
    format!("{leaf}_2")
}

/// A setting as it will be at the next start; empty if it isn't typed.
pub(super) async fn stored_value(site: &Site, key: &str) -> String {
    match stored(site).await {
        Ok((_, config)) => value_of(&config, key),
        Err(_) => String::new(),
    }
}

/// Whether the agent runs with what the page wrote last.
pub(super) async fn in_force(site: &Site) -> bool {
    let page = site.read(|handle| handle.store().read(store::page_text)).await;
    page.is_ok_and(|page| page == site.handle().config().page)
}

/// The page of a step.
pub(super) async fn page(site: &Site, visitor: &Visitor, place: Place, step: &str, asked: &Typed) -> Response {
    let (_, config) = match stored(site).await {
        Ok(stored) => stored,
        Err(text) => return broken(site, visitor, place, step, &text),
    };
    if step != "pbx" && !config.has_pbx() {
        let notice = t!("First the phone system: without it there is nothing to hand over.").to_owned();
        site.access().sessions.leave_notice(&visitor.key, notice);
        return to(StatusCode::SEE_OTHER, &place.path("pbx"));
    }
    match form(step, asked, &config) {
        Some(form) => {
            let filled = form.filled(&config);
            show(site, visitor, place, StatusCode::OK, &form, &filled)
        }
        None => targets(site, visitor, place, &config),
    }
}

fn broken(site: &Site, visitor: &Visitor, place: Place, step: &str, text: &str) -> Response {
    let main = html! {
        section class="card" {
            h1 { (t!("The configuration is wrong")) }
            p class="problem" role="alert" { (text) }
            p { (t!("Mend it in the file, or take the last change back under Settings.")) }
        }
    };
    let page = Shown {
        status: StatusCode::SERVICE_UNAVAILABLE,
        step,
        main,
        again: None,
    };
    shown(site, Some(visitor), place, page)
}

/// The targets that there are, and the kinds of which there could be more.
fn targets(site: &Site, visitor: &Visitor, place: Place, config: &Config) -> Response {
    let path = place.path("target");
    let main = html! {
        section class="card" {
            h1 { (t!("Where calls go")) }
            @if config.targets.is_empty() { p { (t!("Each call and its recording is handed over once, and kept here until that is confirmed.")) } }
            @else {
                ul class="links" {
                    @for target in &config.targets {
                        li { a href={ (path) "?name=" (target.name) } { (icon("ok")) span { (target.name) } } }
                    }
                }
                @if place == Place::Setup { p class="actions" { a class="button" href=(place.after("target")) { (t!("Go on")) } } }
                h2 { (t!("One more")) }
            }
            ul class="links" {
                @for target in TARGETS {
                    li { a href={ (path) "?kind=" (target.kind) } { (icon("outbound")) span { (target.name.say()) small { (target.about.say()) } } } }
                }
            }
            @if place == Place::Setup && config.targets.is_empty() {
                p { a href=(place.after("target")) { (t!("Later: calls and recordings are kept on this box alone")) } }
            }
        }
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "target",
        main,
        again: None,
    };
    shown(site, Some(visitor), place, page)
}

fn show(
    site: &Site,
    visitor: &Visitor,
    place: Place,
    status: StatusCode,
    form: &Form,
    filled: &Filled,
) -> Response {
    let of = |name: &str| filled.values.get(name).map_or("", String::as_str);
    let others: Vec<&String> = filled
        .problems
        .iter()
        .filter(|(leaf, _)| !form.fields.iter().any(|field| field.leaf == leaf))
        .map(|(_, text)| text)
        .collect();
    let main = html! {
        section class="card" {
            h1 { (form.title()) }
            @if let Some((target, _)) = &form.target { p { (target.about.say()) } }
            @if form.step == "pbx" { p { (t!("callspool reads calls and recordings there and changes nothing. Which version it is, it finds out itself.")) } }
            @if form.step == "mqtt" { p { (t!("Only if you watch your boxes by MQTT or Home Assistant. It can be set up later as well.")) } }
            @if !filled.problems.is_empty() {
                div class="problem" role="alert" id="problem" {
                    p { (t!("Nothing was changed yet. Please look at:")) }
                    ul {
                        @for (leaf, text) in &filled.problems {
                            @if let Some(field) = form.fields.iter().find(|field| field.leaf == leaf) {
                                li { a href={ "#" (leaf) } { (field.label.say()) } ": " (text) }
                            }
                        }
                        @for text in &others { li { (text) } }
                    }
                }
            }
            @if let Some(tried) = &filled.tried { (trial(visitor, place, form, filled, tried)) }
            form method="post" action=(place.path(form.step)) class="stack" {
                (token(visitor))
                @if let Some((target, name)) = &form.target {
                    input type="hidden" name="kind" value=(target.kind);
                    input type="hidden" name="name" value=(name);
                }
                @for field in form.fields {
                    @let problem = filled.problems.iter().find(|(leaf, _)| leaf == field.leaf).map(|(_, text)| text);
                    @let kept = of(&kept_name(field.leaf));
                    (input(field, of(field.leaf), kept, problem))
                }
                button { (if filled.tried.is_some() { t!("Check again") } else if place == Place::Setup { t!("Check and go on") } else { t!("Check and save") }) }
            }
            @if let (Some((target, name)), true) = (&form.target, filled.ours) {
                details {
                    summary { (t!("Remove this target")) }
                    p { (t!("What waits for it is not delivered any more. What was delivered stays there.")) }
                    form method="post" action=(place.path(form.step)) {
                        (token(visitor))
                        input type="hidden" name="kind" value=(target.kind);
                        input type="hidden" name="name" value=(name);
                        button name="remove" value="1" class="small" { (t!("Remove it")) }
                    }
                }
            }
            @if form.step == "mqtt" && place == Place::Setup {
                form method="post" action="/setup/mqtt" {
                    (token(visitor)) input type="hidden" name="skip" value="1";
                    button class="link" { (t!("Go on without a broker")) }
                }
            }
        }
    };
    let page = Shown {
        status,
        step: form.step,
        main,
        again: None,
    };
    shown(site, Some(visitor), place, page)
}

/// A field with its label, its help and what is wrong with it.
fn input(field: &Field, value: &str, kept: &str, problem: Option<&String>) -> Markup {
    let (id, help, wrong) = (
        field.leaf,
        format!("{}-help", field.leaf),
        format!("{}-wrong", field.leaf),
    );
    let described = match problem {
        Some(_) => format!("{help} {wrong}"),
        None => help.clone(),
    };
    let secret = matches!(field.kind, Kind::Secret | Kind::Pair(_));
    html! {
        @if let Kind::Tick(_) = field.kind {
            label class="tick" { input type="checkbox" id=(id) name=(id) checked[value == "true"] aria-describedby=(described); span { (field.label.say()) } }
        } @else {
            label for=(id) { (field.label.say()) @if !field.needed { " " small { (t!("(if you like)")) } } }
            input id=(id) name=(id) type=(if secret { "password" } else { "text" }) value=[(!secret).then_some(value)]
                required[field.needed && (!secret || kept.is_empty())] placeholder=[(!field.example.is_empty()).then_some(field.example)]
                autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="1000"
                aria-invalid=[problem.map(|_| "true")] aria-describedby=(described);
            @if let Kind::Pair(label) = field.kind {
                label for=(second(id)) { (label.say()) }
                input id=(second(id)) name=(second(id)) type="password" autocomplete="off" maxlength="1000" required[kept.is_empty()];
            }
        }
        @if secret && !kept.is_empty() {
            input type="hidden" name=(kept_name(id)) value=(kept);
            p class="muted" { (icon("ok")) " " (t!("It is kept. Leave the field empty to go on with it.")) }
        }
        p class="muted" id=(help) { (field.help.say()) }
        @if let Some(problem) = problem { p class="wrong" id=(wrong) { (problem) } }
    }
}

/// What the other end said, and what may be done about it.
fn trial(visitor: &Visitor, place: Place, form: &Form, filled: &Filled, tried: &Tried) -> Markup {
    let well = tried.is_well();
    let of = |wanted: &[Outcome]| -> Vec<&Check> {
        tried
            .lines
            .iter()
            .filter(|line| wanted.contains(&line.outcome))
            .collect()
    };
    let worth = of(&[Outcome::Failed, Outcome::Denied, Outcome::Warning]);
    let fine = of(&[Outcome::Ok]);
    let asks_for_key = well && form.step == "pbx" && tried.pin.is_some();
    html! {
        div class={ "overall " (if well { Mark::Ok.class() } else { Mark::Bad.class() }) } role="status" {
            h2 {
                @if well { (Mark::Ok.icon()) " " @if tried.pbx.is_empty() { (t!("It answers")) } @else { (t!("It answers: {}", tried.pbx)) } }
                @else { (Mark::Bad.icon()) " " (t!("It did not work yet")) }
            }
        }
        ul class="parts" { @for line in worth { (checks::line(line)) } }
        @if !fine.is_empty() {
            details { summary { (t!("{} checks are well", fine.len())) } ul class="parts" { @for line in fine { (checks::line(line)) } } }
        }
        @if asks_for_key {
            @if filled.other_key { p class="problem" role="alert" { (t!("The phone system shows another certificate than the one that was trusted until now. Somebody may have renewed it, or something else answers in its place.")) } }
            @else { p { (t!("This is the first contact. From now on only the key with this fingerprint is trusted:")) } }
            p { code class="hex" { (tried.pin.as_deref().unwrap_or_default()) } }
            p class="muted" { (t!("SHA-256 of the public key. If the way to the phone system leads through strange networks, compare it there.")) }
        }
        @if let Some(nonce) = &filled.nonce {
            form method="post" action=(place.path(form.step)) {
                (token(visitor))
                input type="hidden" name="yes" value=(nonce);
                @if asks_for_key { button { (t!("It is this phone system: go on")) } }
                @else { button class="small" { (t!("Keep it all the same, and go on")) } }
            }
        }
    }
}

/// Takes what was typed: judged, tried, and then in force.
pub(super) async fn save(site: &Site, visitor: &Visitor, place: Place, step: &str, typed: &Typed) -> Response {
    if typed.contains_key("skip") && step == "mqtt" {
        return applied(site, place, step);
    }
    if let Some(nonce) = typed.get("yes") {
        return match site.desk().take(step, nonce) {
            Some(pending) => put(site, visitor, place, pending).await,
            None => {
                let notice = t!("That was checked too long ago. Please check again.").to_owned();
                site.access().sessions.leave_notice(&visitor.key, notice);
                to(StatusCode::SEE_OTHER, &place.path(step))
            }
        };
    }
    let (page, config) = match stored(site).await {
        Ok(stored) => stored,
        Err(text) => return broken(site, visitor, place, step, &text),
    };
    let Some(form) = form(step, typed, &config) else {
        return to(StatusCode::SEE_OTHER, &place.path(step));
    };
    if let (Some((_, name)), true) = (&form.target, typed.contains_key("remove")) {
        let within = format!("target.{name}.");
        let gone = setup::document(&page)
            .into_keys()
            .filter(|key| key.starts_with(&within));
        let pending = pending(step, gone.map(|key| (key, None)).collect(), None);
        return put(site, visitor, place, pending).await;
    }
    let (changes, mut filled) = match form.changes(typed, &config) {
        Ok(changes) => changes,
        Err(text) => return broken(site, visitor, place, step, &text),
    };
    let candidate = match setup::try_over(&config.path, &page, &changes) {
        Ok((candidate, _)) => candidate,
        Err(problems) => {
            filled.problems = problems.into_iter().map(|problem| named(&problem)).collect();
            return show(site, visitor, place, StatusCode::UNPROCESSABLE_ENTITY, &form, &filled);
        }
    };
    let tried = attempt(site, &form, candidate).await;
    let known = site
        .read(|handle| crate::pbx::load_pin(&handle.settings()))
        .await
        .ok()
        .flatten();
    let new_key = tried.pin.is_some() && tried.pin != known;
    let well = tried.is_well();
    let pending = pending(step, changes, tried.pin.clone().filter(|_| well));
    if well && !new_key {
        return put(site, visitor, place, pending).await;
    }
    filled.other_key = new_key && known.is_some();
    filled.nonce = Some(pending.nonce.clone());
    filled.tried = Some(tried);
    site.desk().keep(pending);
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    show(site, visitor, place, status, &form, &filled)
}

fn pending(step: &str, changes: Vec<Change>, pin: Option<String>) -> Pending {
    Pending {
        nonce: random::token::<12>(),
        step: step.to_owned(),
        changes,
        pin,
    }
}

/// The field that a problem is about: the last part of its key.
fn named(problem: &Problem) -> (String, String) {
    let leaf = problem.key.rsplit('.').next().unwrap_or_default();
    (leaf.to_owned(), problem.text.clone())
}

async fn attempt(site: &Site, form: &Form<'_>, candidate: Config) -> Tried {
    let clock = site.handle().clock().clone();
    let (step, name) = (form.step.to_owned(), form.target.as_ref().map(|(_, name)| name.clone()));
    let work = move || match (step.as_str(), name) {
        ("pbx", _) => setup::try_pbx(&candidate, &clock),
        (_, Some(name)) => setup::try_target(&candidate, &name, &clock),
        _ => setup::try_broker(&candidate, &clock),
    };
    aside(work).await.unwrap_or_default()
}

async fn put(site: &Site, visitor: &Visitor, place: Place, pending: Pending) -> Response {
    let (by, step) = (by(visitor), pending.step.clone());
    let done = site
        .act(move |handle| {
            let path = handle.config().path.clone();
            let changed = setup::change(handle.store(), &path, by, &pending.changes, handle.clock());
            if let (Ok(_), Some(pin)) = (&changed, &pending.pin) {
                crate::pbx::accept_pin(&mut handle.settings(), pin)?;
            }
            Ok(changed)
        })
        .await;
    match done {
        Ok(Ok(_)) => applied(site, place, &step),
        Ok(Err(refused)) => broken(site, visitor, place, &step, &refused.to_string()),
        Err(error) => layout::unread(&axum::http::Uri::from_static("/settings"), &error),
    }
}

/// In the set-up the box begins anew once, before the test; afterwards with each change.
fn applied(site: &Site, place: Place, step: &str) -> Response {
    if place == Place::Settings || step == "mqtt" {
        site.desk().leave(site);
    }
    to(StatusCode::SEE_OTHER, &place.after(step))
}

/// Whoever changes settings, for the audit.
pub(super) fn by(visitor: &Visitor) -> By {
    By {
        subject: (*visitor.subject).clone(),
        way: "page",
        decision: visitor.decide(Action::BoxConfigure, &Object::Whole),
    }
}

/// Takes the last change back.
pub(super) async fn undo(site: &Site, visitor: &Visitor) -> Response {
    let by = by(visitor);
    let done = site
        .act(move |handle| {
            let path = handle.config().path.clone();
            Ok(setup::take_back(handle.store(), &path, by, handle.clock()))
        })
        .await;
    let notice = match done {
        Ok(Ok(_)) => {
            site.desk().leave(site);
            t!("The last change is taken back. The box begins anew.").to_owned()
        }
        Ok(Err(Refused::Nothing)) => t!("There is nothing to take back.").to_owned(),
        Ok(Err(refused)) => t!("Nothing was changed: {}", refused),
        Err(error) => t!("Nothing was changed: {}", format!("{error:?}")),
    };
    site.access().sessions.leave_notice(&visitor.key, notice);
    to(StatusCode::SEE_OTHER, "/settings")
}

/// The first page of the settings.
pub(super) async fn overview(site: &Site, visitor: &Visitor) -> Response {
    let versions = site.read(|handle| handle.store().read(store::page_settings)).await;
    let versions = versions.unwrap_or_default();
    let pages = [
        ("pbx", t!("Phone system")),
        ("target", t!("Where calls go")),
        ("mqtt", t!("Dashboard (MQTT)")),
        ("network", t!("Network")),
        ("clock", t!("Clock")),
        ("restart", t!("Restart")),
    ];
    let main = html! {
        section class="card" {
            h1 { (t!("Settings")) }
            @if site.desk().is_leaving() { p class="notice" role="status" { (t!("The box begins anew with the new settings. This takes a few seconds.")) } }
            ul class="links" {
                @for (step, name) in pages { li { a href=(Place::Settings.path(step)) { (icon("internal")) span { (name) } } } }
            }
        }
        (history(visitor, &versions))
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "settings",
        main,
        again: None,
    };
    shown(site, Some(visitor), Place::Settings, page)
}

fn history(visitor: &Visitor, versions: &[PageSettings]) -> Markup {
    html! {
        section class="card" {
            h2 { (t!("What was changed lately")) }
            @if versions.is_empty() { p class="muted" { (t!("Nothing yet: the configuration file alone counts.")) } }
            @else {
                ul class="parts" {
                    @for version in versions.iter().take(5) {
                        li { (icon("ok")) span { (version.what) } small { (exact_moment(version.at_ms)) ", " (version.who) } }
                    }
                }
                form method="post" action="/settings/undo" class="actions" {
                    (token(visitor)) button class="small" { (t!("Take the last change back")) }
                }
            }
        }
    }
}
