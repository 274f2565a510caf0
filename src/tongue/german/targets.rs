//! What the page of a target says.

pub(super) const ROWS: super::Rows = &[
    (
        "{} tried enough and will not be tried again until you say so. Mend what the lines name, then retry.",
        "{} oft genug versucht worden, ein neuer Versuch kommt erst auf Ihr Wort. Beheben Sie, was die Zeilen nennen, dann noch einmal versuchen.",
    ),
    ("delivery was", "Zustellung ist"),
    ("deliveries were", "Zustellungen sind"),
    ("What mends it: ", "Was hilft: "),
    (", the oldest for {}", ", die älteste seit {}"),
    ("{} a minute", "{} je Minute"),
    (", done in about {}", ", fertig in etwa {}"),
    (
        "half-open: the next try decides",
        "halb offen: der nächste Versuch entscheidet",
    ),
    ("when somebody says so", "auf Ihr Wort"),
    ("in {}", "in {}"),
    ("when there is something", "wenn es etwas gibt"),
    ("now", "jetzt"),
    (
        "The store does not answer right now.",
        "Der Speicher antwortet gerade nicht.",
    ),
    (
        "The store has not answered yet, so it is not known how this target is.",
        "Der Speicher hat noch nicht geantwortet, darum ist der Zustand dieses Ziels nicht bekannt.",
    ),
    ("Held for you", "Für Sie angehalten"),
    ("Waiting, oldest first", "Wartend, das Älteste zuerst"),
    (
        "These are the oldest; there may be more behind them.",
        "Dies sind die ältesten; dahinter können weitere sein.",
    ),
    ("Confirmed last", "Zuletzt bestätigt"),
    (
        "This target has confirmed nothing yet.",
        "Dieses Ziel hat noch nichts bestätigt.",
    ),
    ("Try now", "Jetzt versuchen"),
    ("Retry all held", "Alle angehaltenen versuchen"),
    ("So since", "So seit"),
    ("Last confirmed", "Zuletzt bestätigt"),
    ("never", "nie"),
    ("Waiting", "Wartend"),
    ("Held", "Angehalten"),
    ("Rate", "Tempo"),
    ("Circuit", "Sicherung"),
    ("closed: it is sent to", "geschlossen: es wird gesendet"),
    ("open: pausing after failures", "offen: Pause nach Fehlern"),
    ("Next try", "Nächster Versuch"),
];
