//! The German of every sentence, a table a page. What several pages say stands in `common`.
//!
//! The reader is addressed as "Sie"; the field's words stay what technicians call them: Nebenstelle, Amtsleitung, Ziel
//! (target), Warteschlange (queue), Aufzeichnung (recording), zugestellt, wartet, angehalten (held).

mod api;
mod calls;
mod checks;
mod clicks;
mod common;
mod fields;
mod findings;
mod guard;
mod keeping;
mod listen;
mod login;
mod logs;
mod queue;
mod record;
mod rights;
mod setup;
mod state;
mod targets;
mod told;
mod update;
mod why;
mod words;

/// An English sentence, and its German.
pub(super) type Rows = &'static [(&'static str, &'static str)];

/// All tables.
pub(super) const TABLES: &[Rows] = &[
    common::ROWS,
    api::ROWS,
    calls::ROWS,
    checks::ROWS,
    fields::ROWS,
    findings::ROWS,
    guard::ROWS,
    keeping::ROWS,
    listen::ROWS,
    login::ROWS,
    logs::ROWS,
    queue::ROWS,
    record::ROWS,
    rights::ROWS,
    setup::ROWS,
    state::ROWS,
    targets::ROWS,
    update::ROWS,
    why::ROWS,
    words::ROWS,
];

/// The tables of what was put down in English and is looked up when a page shows it.
pub(super) const TOLD: &[Rows] = &[told::ROWS, findings::ROWS, clicks::ROWS];
