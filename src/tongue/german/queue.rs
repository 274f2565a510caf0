//! The queue, and deliveries wherever they are shown.

pub(super) const ROWS: super::Rows = &[
    ("under way", "läuft"),
    ("dropped", "aufgegeben"),
    ("The call", "Der Anruf"),
    ("The missed call", "Der verpasste Anruf"),
    ("News of the call", "Neues vom Anruf"),
    ("The recording", "Die Aufzeichnung"),
    ("A task to call back", "Eine Aufgabe zum Rückruf"),
    ("Word of a rule", "Meldung einer Regel"),
    (
        "The store does not answer right now.",
        "Der Speicher antwortet gerade nicht.",
    ),
    ("Target", "Ziel"),
    ("All", "Alle"),
    (
        "Nothing waits. Everything that was handed over is confirmed.",
        "Nichts wartet. Alles, was übergeben wurde, ist bestätigt.",
    ),
    ("Held for you", "Für Sie angehalten"),
    (
        "These were tried enough and will not be tried again until you say so.",
        "Diese wurden oft genug versucht und werden erst wieder versucht, wenn Sie es sagen.",
    ),
    ("Retry all", "Alle neu versuchen"),
    ("Retry those for {}", "Die für {} neu versuchen"),
    ("Waiting", "Wartend"),
    ("Oldest", "Älteste"),
    ("Newer", "Neuere"),
    ("Do", "Tun"),
    ("for", "für"),
    ("Retry", "Neu versuchen"),
    ("Drop…", "Aufgeben …"),
];
