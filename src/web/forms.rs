//! The forms for PBX, target and broker, made of the one table in `setup::fields`: what they show, and what was typed as
//! changes of settings. A secret is never shown again: the form says that it is kept.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::checks;
use super::layout::{Mark, icon, token};
use super::setup::{Place, Shown, Typed, shown};
use super::site::Site;
use super::visitor::Visitor;
use crate::config::{self, Config};
use crate::doctor::{Check, Outcome};
use crate::setup::{self, BROKER, Change, Field, Kind, PBX, TARGETS, TargetFields, Tried};

/// What one form is about.
pub(super) struct Form<'a> {
    pub step: &'a str,
    /// The table in what the page writes: `pbx`, `target.crm`, `mqtt`.
    pub table: String,
    /// The target's kind and name.
    pub target: Option<(&'static TargetFields, String)>,
    fields: &'static [Field],
}

/// What a form shows in its fields, and what is wrong with them.
#[derive(Default)]
pub(super) struct Filled {
    pub values: Typed,
    pub problems: Vec<(String, String)>,
    pub tried: Option<Tried>,
    /// What a person may say yes to.
    pub nonce: Option<String>,
    /// It is a target that the page made, and so may be removed here.
    pub ours: bool,
    /// The PBX's key is another one than the one that was trusted.
    pub other_key: bool,
}

/// The name of the hidden field that names the file of a secret which was typed before.
fn kept_name(leaf: &str) -> String {
    format!("kept_{leaf}")
}

/// Which form is meant.
pub(super) fn form<'a>(step: &'a str, asked: &Typed, config: &Config) -> Option<Form<'a>> {
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

pub(super) fn index_of(config: &Config, name: &str) -> Option<usize> {
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
pub(super) fn value_of(config: &Config, key: &str) -> String {
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
    pub(super) fn filled(&self, config: &Config) -> Filled {
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
    pub(super) fn changes(&self, typed: &Typed, config: &Config) -> Result<(Vec<Change>, Filled), String> {
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

pub(super) fn show(
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
