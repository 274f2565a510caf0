//! Where a recording is, and why.

pub(super) const ROWS: super::Rows = &[
    (
        "recording is switched off on the PBX",
        "Aufzeichnung ist auf der Telefonanlage ausgeschaltet",
    ),
    ("excluded by rule \"{}\"", "durch Regel „{}“ ausgeschlossen"),
    ("recording {}: {}", "Aufzeichnung {}: {}"),
    (
        "a task is made at {} unless somebody calls back",
        "eine Aufgabe entsteht um {}, wenn niemand zurückruft",
    ),
    (
        "a task is made at {} unless somebody calls back; {}",
        "eine Aufgabe entsteht um {}, wenn niemand zurückruft; {}",
    ),
    ("a task was made for {}: {}", "eine Aufgabe entstand für {}: {}"),
    ("no task: {}", "keine Aufgabe: {}"),
    ("next try in {}", "nächster Versuch in {}"),
    ("next try at once", "nächster Versuch sofort"),
    (
        "next try when the agent runs",
        "nächster Versuch, wenn der Dienst läuft",
    ),
    ("waiting: {} ({}, {} so far)", "wartet: {} ({}, bisher {})"),
    ("{}; it was never fetched", "{}; sie wurde nie geholt"),
    ("will never come: {}", "wird nie kommen: {}"),
    (
        "held on this box; by rule no target gets it",
        "auf diesem Gerät; laut Regel bekommt sie kein Ziel",
    ),
    (
        "held on this box; it is handed to the targets when its call is",
        "auf diesem Gerät; sie geht mit ihrem Anruf an die Ziele",
    ),
    ("confirmed", "bestätigt"),
    ("delivered to {} at {} ({})", "zugestellt an {} am {} ({})"),
    ("not delivered to {}: {}", "nicht zugestellt an {}: {}"),
    ("held for {} after {}: {}", "angehalten für {} nach {}: {}"),
    ("in the queue", "in der Warteschlange"),
    (
        "waiting for {}: {} (next try in {})",
        "wartet auf {}: {} (nächster Versuch in {})",
    ),
    ("waiting for {}: {}", "wartet auf {}: {}"),
    (
        "there is none: nobody answered the call",
        "es gibt keine: niemand nahm den Anruf an",
    ),
    (
        "will never come: this PBX gives no API; the call is known from its CDR lines alone",
        "wird nie kommen: diese Telefonanlage bietet keine API; der Anruf ist nur aus ihren CDR-Zeilen bekannt",
    ),
    (
        "will never come: {} for extension {}",
        "wird nie kommen: {}, Nebenstelle {}",
    ),
    (" and ", " und "),
    (
        "waiting: the PBX lists no recording of this call yet; it may come up to {} after the call, which ended {} ago",
        "wartet: die Telefonanlage führt noch keine Aufzeichnung dieses Anrufs; sie kann bis zu {} nach dem Anruf kommen, der vor {} endete",
    ),
    (
        "will never come: {} after the call the PBX still lists no recording of it",
        "wird nie kommen: {} nach dem Anruf führt die Telefonanlage noch immer keine Aufzeichnung davon",
    ),
    ("1 try", "1 Versuch"),
    ("{} tries", "{} Versuche"),
];
