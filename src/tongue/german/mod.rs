//! The German of every sentence, a table a page. What several pages say stands in `common`.
//!
//! The reader is addressed as "Sie"; the field's words stay what technicians call them: Nebenstelle, Amtsleitung, Ziel
//! (target), Warteschlange (queue), Aufzeichnung (recording), zugestellt, wartet, angehalten (held).

mod calls;
mod checks;
mod common;
mod listen;
mod queue;
mod state;

/// An English sentence, and its German.
type Rows = &'static [(&'static str, &'static str)];

/// All tables.
pub(super) const TABLES: &[Rows] = &[
    common::ROWS,
    calls::ROWS,
    checks::ROWS,
    listen::ROWS,
    queue::ROWS,
    state::ROWS,
];
