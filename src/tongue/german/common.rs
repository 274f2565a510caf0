//! What the frame of the page and several pages say.

pub(super) const ROWS: super::Rows = &[
    ("State", "Zustand"),
    ("Calls", "Anrufe"),
    ("Queue", "Warteschlange"),
    ("Checks", "Prüfungen"),
    ("Keeping", "Aufbewahrung"),
    ("Rights", "Rechte"),
    ("Audit", "Protokoll"),
    ("Me", "Ich"),
    ("Pages", "Seiten"),
    ("Password", "Passwort"),
    ("Log in", "Anmelden"),
    ("Log out", "Abmelden"),
    ("times are UTC", "Zeiten in UTC"),
    ("times of {0}", "Zeiten in {0}"),
    (
        "The box does not answer. What you see is of {0}.",
        "Das Gerät antwortet nicht. Was Sie sehen, ist von {0}.",
    ),
    ("To the first page", "Zur ersten Seite"),
    ("The store does not answer", "Der Speicher antwortet nicht"),
    (
        "The store did not answer in time: it is locked, or the disk is very busy.",
        "Der Speicher hat nicht rechtzeitig geantwortet: er ist gesperrt, oder die Platte ist sehr beschäftigt.",
    ),
    (
        "The store could not be read: {}.",
        "Der Speicher konnte nicht gelesen werden: {}.",
    ),
    (
        "Nothing is lost by it. Try again in a few seconds; if it stays so, look at the state page and at the disk.",
        "Dadurch geht nichts verloren. Versuchen Sie es in einigen Sekunden wieder; bleibt es so, sehen Sie nach dem Zustand und der Platte.",
    ),
    ("Nothing here", "Hier ist nichts"),
    (
        "There is no page at this address.",
        "Unter dieser Adresse gibt es keine Seite.",
    ),
    ("Not a language of this page", "Keine Sprache dieser Seite"),
    (
        "The form did not say which, or one that is not spoken here.",
        "Das Formular nannte keine, oder eine, die es hier nicht gibt.",
    ),
    ("Go back and choose again.", "Gehen Sie zurück und wählen Sie neu."),
    ("It may have been mistyped.", "Vielleicht ist sie falsch geschrieben."),
];
