//! Words that the flows put down in English: states, kinds, reasons that are the same every time.

pub(super) const ROWS: super::Rows = &[
    // Outcomes of checks.
    ("failed", "fehlgeschlagen"),
    ("warning", "Warnung"),
    ("denied", "verweigert"),
    ("skipped", "übersprungen"),
    // Kinds of deliveries.
    ("recording", "Aufzeichnung"),
    // Scopes of grants.
    ("own", "eigene"),
    ("department", "Abteilung"),
    ("any", "alle"),
    // What the audit says of logins.
    ("by password", "mit Passwort"),
    ("by a one-time code", "mit Einmalcode"),
    (
        "not on the PBX, or disabled there",
        "nicht auf der Telefonanlage oder dort gesperrt",
    ),
    (
        "a one-time code in the place of a password",
        "ein Einmalcode statt eines Passworts",
    ),
    (
        "wrong password, or no such account",
        "falsches Passwort oder kein solches Konto",
    ),
    ("the old password was wrong", "das alte Passwort war falsch"),
    ("chose another password", "wählte ein anderes Passwort"),
    ("wrong or old one-time code", "falscher oder alter Einmalcode"),
    ("not logged in", "nicht angemeldet"),
    // Ways of hearing of calls.
    ("connected", "verbunden"),
    ("connecting", "verbindet sich"),
    ("listening", "lauscht"),
    // Outcomes of calls, and directions.
    ("answered", "angenommen"),
    ("missed", "verpasst"),
    ("unanswered", "nicht angenommen"),
    ("inbound", "eingehend"),
    ("outbound", "ausgehend"),
    ("internal", "intern"),
    // States of recordings and deliveries.
    ("waiting", "wartet"),
    ("held", "angehalten"),
    ("deleting", "wird gelöscht"),
    ("evicted", "zugestellt und hier entfernt"),
    ("gone", "weg"),
    ("delivered", "zugestellt"),
    ("dropped", "aufgegeben"),
    ("unsure", "ungewiss"),
];
