//! Words of states and kinds, which the flows put down in English.

pub(super) const ROWS: super::Rows = &[("recording", "Aufzeichnung")];
