//! What each address of the API answers: beside the table of routes, which says what each needs, the one of which the
//! OpenAPI document is made. It is made by a test and lies packed in the binary, so that nothing of this does.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::agent::Status;
use crate::deliver::TargetStatus;
use crate::doctor::{Check, Verdict};
use crate::health::{Folded, Severity};
use crate::logs::Line;
use crate::model::Delivery;
use crate::rights::{Freshness, Grant};
use crate::store::{AuditRow, CallRow, Hold, LocalGrant, Token};
use crate::web::routes::{Needs, ROUTES, Route};
use crate::web::sessions::Own;
use crate::who_hears::WhoHears;
use crate::why::Why;

/// Answers, as types of their own: each carries the version of its shape beside what it holds.
macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(serde::Serialize, JsonSchema)]
        struct $name {
            /// Grows when a field changes its meaning; new fields may appear at any time.
            schema: u32,
            $($(#[$about])* $field: $type),*
        }
    )* };
}

answers! {
    /// What is not well.
    HealthAnswer { /** The worst of them. */ overall: Severity, /** Each cause, with what it explains. */ items: Vec<Folded> }
    /// The newest run of the checks.
    ChecksAnswer {
        /** When it began, RFC 3339; null if there was none. */ began: Option<String>,
        /** Whether nothing failed; null while it is under way. */ ok: Option<bool>,
        /** What it came to. */ verdict: Option<Verdict>,
        /** The lines, in their order. */ checks: Vec<Check>,
    }
    /// The targets.
    TargetsAnswer { /** In the order of the configuration. */ targets: Vec<TargetStatus> }
    /// A page of calls.
    CallsAnswer {
        /** Newest first. */ calls: Vec<CallRow>,
        /** The `before` of the next page; null on the last. */ next: Option<String>,
        /** Some are shown without names and with masked numbers. */ masked: bool,
    }
    /// What is not delivered yet.
    QueueAnswer { /** Tried enough: they wait for a person. */ held: Vec<Delivery>, /** On their way, oldest first. */ waiting: Vec<Delivery> }
    /// Holds.
    HoldsAnswer { /** Those in force. */ holds: Vec<Hold> }
    /// A page of the audit.
    AuditAnswer { /** Newest first. */ rows: Vec<AuditRow>, /** The `before` of the next page; null on the last. */ next: Option<String> }
    /// Who hears what.
    RightsAnswer { /** Everybody's reach. */ hears: WhoHears, /** Granted on this box. */ grants: Vec<LocalGrant> }
    /// Whoever asks.
    MeAnswer {
        /** An extension, `technician`, or `token:NAME`. */ who: String,
        /** The rights held at whatever scope. */ may: Vec<String>,
        /** What they come from. */ grants: Vec<Grant>,
        /** How old the PBX's rights are. */ rights: Freshness,
    }
    /// The last lines of the log.
    LogsAnswer { /** Oldest first. */ lines: Vec<Line> }
    /// The configuration.
    SettingsAnswer { /** In the order of the reference. */ settings: Vec<Setting> }
    /// Sessions of whoever asks.
    SessionsAnswer { /** The one used last first. */ sessions: Vec<Own> }
    /// Tokens.
    TokensAnswer { /** Those that were not revoked. */ tokens: Vec<Token> }
    /// Asked for.
    SyncAnswer { /** The flows were told. */ asked: bool }
    /// Tried again.
    RetryAnswer { /** How many deliveries. */ retried: u32 }
}

/// A setting as it is used.
#[derive(serde::Serialize, JsonSchema)]
struct Setting {
    /// For example `pbx.poll`.
    key: String,
    /// Its value; of what was typed only what is known to be harmless.
    value: String,
    /// `default`, or file and line.
    origin: String,
    /// What it is for.
    help: String,
}

/// The state, with the age of what was read from the store.
#[derive(serde::Serialize, JsonSchema)]
struct StatusAnswer {
    #[serde(flatten)]
    status: Status,
    /// How old counts, rights and targets are, milliseconds; null: read for this answer.
    store_age_ms: Option<i64>,
}

/// A refusal, or that something did not work.
#[derive(serde::Serialize, JsonSchema)]
struct Problem {
    /// What happened.
    error: String,
    /// Why.
    why: String,
    /// What to do next.
    next: String,
}

/// What an address answers.
enum Answer {
    Json(fn(&mut SchemaGenerator) -> schemars::Schema),
    Sound,
    Any,
}

/// One that takes a query: its name, what it is, what for.
type Ask = (&'static str, Kind, &'static str);

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    OneOf(&'static [&'static str]),
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<T>()
}

const BEFORE: Ask = ("before", Kind::Text, "The `next` of the page before");

/// Every address: method, path, what it is, its queries, its answer.
const DESCRIBED: &[(&str, &str, &str, &[Ask], Answer)] = &[
    ("GET", "/api/v1/openapi.json", "This document", &[], Answer::Any),
    (
        "GET",
        "/api/v1/status",
        "Everything at this moment",
        &[],
        Answer::Json(of::<StatusAnswer>),
    ),
    (
        "GET",
        "/api/v1/health",
        "What is not well, each cause with its consequences",
        &[],
        Answer::Json(of::<HealthAnswer>),
    ),
    (
        "GET",
        "/api/v1/checks",
        "The newest run of the checks",
        &[],
        Answer::Json(of::<ChecksAnswer>),
    ),
    (
        "GET",
        "/api/v1/targets",
        "The targets",
        &[],
        Answer::Json(of::<TargetsAnswer>),
    ),
    (
        "GET",
        "/api/v1/calls",
        "Calls that whoever asks may see, newest first",
        &[
            BEFORE,
            (
                "outcome",
                Kind::OneOf(&["answered", "missed", "unanswered"]),
                "Only these",
            ),
            (
                "direction",
                Kind::OneOf(&["inbound", "outbound", "internal"]),
                "Only these",
            ),
            (
                "state",
                Kind::OneOf(&["delivered", "here", "waiting", "held", "never", "none"]),
                "Where their recordings are",
            ),
            (
                "recorded",
                Kind::OneOf(&["yes", "no"]),
                "Whether a recording is known of",
            ),
            ("number", Kind::Text, "A number or its end, however it is written"),
            ("name", Kind::Text, "Words of a name"),
            ("extension", Kind::Text, "An extension, a queue or a ring group"),
            ("department", Kind::Text, "A department, by its id or its name"),
            (
                "from",
                Kind::Text,
                "From this day (2026-11-22) or moment on, or a span back from now (7d)",
            ),
            ("to", Kind::Text, "Up to this moment, or to the end of this day"),
            ("most", Kind::Number, "How many, 200 at most"),
        ],
        Answer::Json(of::<CallsAnswer>),
    ),
    (
        "GET",
        "/api/v1/calls/{id}",
        "A call by its number here or by the PBX's id: where its recordings are, and why",
        &[],
        Answer::Json(of::<Why>),
    ),
    (
        "GET",
        "/api/v1/recordings/{id}",
        "The audio of a recording, whole or in ranges. Each listening is in the audit before the first byte",
        &[(
            "download",
            Kind::OneOf(&["1"]),
            "To be kept and not only heard; needs the right to download",
        )],
        Answer::Sound,
    ),
    (
        "GET",
        "/api/v1/queue",
        "What is not delivered yet",
        &[],
        Answer::Json(of::<QueueAnswer>),
    ),
    (
        "GET",
        "/api/v1/holds",
        "What nothing deletes",
        &[],
        Answer::Json(of::<HoldsAnswer>),
    ),
    (
        "GET",
        "/api/v1/audit",
        "Who listened to what, who was refused, newest first",
        &[
            BEFORE,
            ("who", Kind::Text, "Only of this one"),
            ("call", Kind::Text, "Only about this call"),
            ("only", Kind::OneOf(&["refused", "done"]), "Only these"),
        ],
        Answer::Json(of::<AuditAnswer>),
    ),
    (
        "GET",
        "/api/v1/rights",
        "Who hears whose recordings, and what was granted here",
        &[],
        Answer::Json(of::<RightsAnswer>),
    ),
    (
        "GET",
        "/api/v1/me",
        "What whoever asks may do, and why",
        &[],
        Answer::Json(of::<MeAnswer>),
    ),
    (
        "GET",
        "/api/v1/logs",
        "The last lines of the log",
        &[
            (
                "level",
                Kind::OneOf(&["error", "warn", "info", "debug", "trace"]),
                "This level and worse",
            ),
            ("component", Kind::Text, "Only what this part wrote"),
        ],
        Answer::Json(of::<LogsAnswer>),
    ),
    (
        "GET",
        "/api/v1/settings",
        "The configuration, without what may be a secret or about somebody",
        &[],
        Answer::Json(of::<SettingsAnswer>),
    ),
    (
        "GET",
        "/api/v1/sessions",
        "The sessions of whoever asks",
        &[],
        Answer::Json(of::<SessionsAnswer>),
    ),
    (
        "GET",
        "/api/v1/tokens",
        "The tokens, without what opens the door",
        &[],
        Answer::Json(of::<TokensAnswer>),
    ),
    (
        "POST",
        "/api/v1/sync",
        "Read the call log and fetch recordings now; by token alone",
        &[],
        Answer::Json(of::<SyncAnswer>),
    ),
    (
        "POST",
        "/api/v1/retry",
        "Give held deliveries a new start; by token alone",
        &[
            ("target", Kind::Text, "Only those of this target"),
            ("id", Kind::Text, "Only this one"),
        ],
        Answer::Json(of::<RetryAnswer>),
    ),
];

/// The rights of which one is needed.
fn rights(route: &Route) -> Vec<&'static str> {
    match route.needs {
        Needs::Public | Needs::Session(_) => Vec::new(),
        Needs::All(action, _) => vec![action.word()],
        Needs::OneOf(actions, _) => actions.iter().map(|action| action.word()).collect(),
    }
}

/// The refusals, which many addresses have alike.
const PROBLEMS: &[(&str, &str)] = &[
    ("400", "The query can't be read"),
    ("401", "No session and no token, or a wrong one"),
    (
        "403",
        "Whoever asks does not hold the right, or a form without a session's token was sent",
    ),
    ("404", "There is none, or none that whoever asks may see"),
    ("409", "It is not here yet"),
    ("410", "It is not on this box any more"),
    ("413", "The body is longer than 64 KB"),
    ("421", "The name under which it was asked is not one of this box's"),
    ("422", "One of the query's values is not one that it takes"),
    (
        "429",
        "Too many wrong tokens; Retry-After says how long none is looked at",
    ),
    ("503", "The store does not answer; Retry-After says when to try again"),
];

fn problem(code: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{code}") })
}

fn answers(
    (method, path): (&str, &str),
    queries: &[Ask],
    answer: &Answer,
    generator: &mut SchemaGenerator,
) -> Map<String, Value> {
    let mut all = Map::new();
    let mut put = |code: &str, value: Value| all.insert(code.to_owned(), value);
    match answer {
        Answer::Json(schema) => {
            let schema = schema(generator);
            put(
                "200",
                json!({ "description": "It", "content": { "application/json": { "schema": schema } } }),
            );
        }
        Answer::Any => {
            put(
                "200",
                json!({ "description": "It, packed by gzip", "content": { "application/json": { "schema": { "type": "object" } } } }),
            );
        }
        Answer::Sound => {
            let audio = json!({ "audio/*": { "schema": { "type": "string", "format": "binary" } } });
            put("200", json!({ "description": "All of it", "content": audio.clone() }));
            put(
                "206",
                json!({ "description": "The range that was asked for", "content": audio }),
            );
            put("304", json!({ "description": "It is the one that is known already" }));
            put("409", problem("409"));
            put("410", problem("410"));
            put("416", json!({ "description": "There is no such range" }));
        }
    }
    let applies = |code: &str| match code {
        "400" => !queries.is_empty(),
        "422" => path == "/api/v1/calls",
        "404" => path.contains('{'),
        "409" | "410" => false,
        "413" => method == "POST",
        _ => true,
    };
    for (code, _) in PROBLEMS.iter().filter(|(code, _)| applies(code)) {
        put(code, problem(code));
    }
    all
}

fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    generator.subschema_for::<Problem>();
    let mut paths = Map::new();
    for route in ROUTES.iter().filter(|route| route.path.starts_with("/api/")) {
        let found = DESCRIBED
            .iter()
            .find(|(method, path, ..)| (*method, *path) == (route.method, route.path));
        let (_, path, summary, queries, answer) =
            found.unwrap_or_else(|| panic!("{} {} is not described", route.method, route.path));
        let mut parameters: Vec<Value> = queries
            .iter()
            .map(|(name, kind, help)| {
                let schema = match kind {
                    Kind::Text => json!({ "type": "string" }),
                    Kind::Number => json!({ "type": "integer", "minimum": 1, "maximum": 200 }),
                    Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
                };
                json!({ "name": name, "in": "query", "required": false, "description": help, "schema": schema })
            })
            .collect();
        if path.contains("{id}") {
            parameters.push(json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }));
        }
        let mut operation = json!({
            "summary": summary,
            "operationId": format!("{}{}", route.method.to_lowercase(), path.trim_start_matches("/api/v1").replace(['/', '.', '{', '}'], "-").trim_end_matches('-')),
            "x-needs-one-of": rights(route),
            "responses": answers((route.method, path), queries, answer, &mut generator),
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        let at = paths.entry((*path).to_owned()).or_insert_with(|| json!({}));
        at[route.method.to_lowercase()] = operation;
    }
    assert_eq!(
        DESCRIBED.len(),
        ROUTES.iter().filter(|route| route.path.starts_with("/api/")).count(),
        "something is described that is no route"
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "callspool",
            "version": "1",
            "description": "All that the page of a box shows, as JSON. Ignore fields that you don't know: new ones may appear. A script shows a token (callspool token add), a browser its session.",
        },
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-sid" },
            },
            "responses": PROBLEMS.iter().map(|(code, text)| ((*code).to_owned(), json!({
                "description": text, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            }))).collect::<Map<_, _>>(),
            "schemas": generator.take_definitions(true),
        },
    })
}

#[test]
fn the_document_is_the_one_of_the_code_and_lies_packed_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let (readable, packed) = (folder.join("openapi.json"), folder.join("openapi.json.gz"));
    let made = document();
    let pretty = serde_json::to_string_pretty(&made).unwrap() + "\n";
    if std::env::var_os("CALLSPOOL_RENEW").is_some() {
        std::fs::write(&readable, &pretty).unwrap();
        // The system's gzip packs it smaller than ours, which is made to be small itself.
        std::fs::write(&packed, piped("gzip", &["-9nc"], made.to_string().as_bytes())).unwrap();
    }
    let renew = "differs; run this test with CALLSPOOL_RENEW=1";
    assert!(
        std::fs::read_to_string(&readable).unwrap_or_default() == pretty,
        "packaging/openapi.json {renew}"
    );
    let kept = std::fs::read(&packed).unwrap();
    let unpacked = piped("gzip", &["-dc"], &kept);
    assert!(
        unpacked == made.to_string().as_bytes(),
        "packaging/openapi.json.gz {renew}"
    );
    assert!(kept.len() < 16 * 1024, "{} bytes in the binary", kept.len());
}

fn piped(program: &str, arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    let feeder = std::thread::spawn(move || stdin.write_all(&bytes));
    let out = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(out.status.success());
    out.stdout
}
