//! The queue, and deliveries wherever they are shown.

pub(super) const ROWS: super::Rows = &[
    ("under way", "unterwegs"),
    ("dropped", "aufgegeben"),
    ("The call", "Der Anruf"),
    ("The missed call", "Der verpasste Anruf"),
    ("News of the call", "Neues vom Anruf"),
    ("The recording", "Die Aufzeichnung"),
    ("A task to call back", "Eine Aufgabe zum Rückruf"),
    ("Word of a rule", "Meldung einer Regel"),
];
