//! What the audit says.

pub(super) const ROWS: super::Rows = &[
    ("All", "Alle"),
    ("Which", "Welche"),
    ("Done", "Erledigt"),
    ("Refused", "Verweigert"),
    ("done", "ausgeführt"),
    ("refused", "verweigert"),
    (
        "Who listened to what, who was refused, who came in. No row is ever changed; the oldest go after the time of {}.",
        "Wer was anhörte, wem etwas verweigert wurde, wer sich anmeldete. Keine Zeile wird je geändert; die ältesten gehen nach der Zeit von {}.",
    ),
    ("Nothing was written down.", "Nichts wurde aufgeschrieben."),
    (
        "Nothing was written down about {}.",
        "Nichts wurde über {} aufgeschrieben.",
    ),
    ("When", "Wann"),
    ("About", "Worüber"),
    ("Answer", "Antwort"),
    ("recording {}", "Aufzeichnung {}"),
    ("Change a password", "Ein Passwort ändern"),
    ("Open a page", "Eine Seite öffnen"),
    (
        "Who: an extension, or technician",
        "Wer: eine Nebenstelle oder technician",
    ),
    ("Extension or technician", "Nebenstelle oder technician"),
    ("Find", "Suchen"),
    ("Older and newer", "Älter und neuer"),
    ("Newest", "Neueste"),
    ("Older", "Ältere"),
    ("JSON lines", "JSON-Zeilen"),
    (
        "You may export, but not read the audit.",
        "Sie dürfen exportieren, aber das Protokoll nicht lesen.",
    ),
];
