//! What the page of logs and the page of backups say.

pub(super) const ROWS: super::Rows = &[
    ("Logs", "Log"),
    ("Level", "Stufe"),
    ("all", "alle"),
    ("Component", "Teil"),
    ("Show", "Zeigen"),
    ("Pause", "Anhalten"),
    ("Show the newest", "Die neuesten zeigen"),
    ("Follow", "Mitlesen"),
    ("As a file", "Als Datei"),
    ("No such line is kept.", "Keine solche Zeile ist da."),
    (
        "The last lines since the agent was started. No number, name or secret is in them.",
        "Die letzten Zeilen seit dem Start. Keine Rufnummer, kein Name und kein Geheimnis steht darin.",
    ),
    ("Support bundle", "Paket für den Support"),
    (
        "One file for whoever helps: state, checks, log, configuration without secrets, facts of the store and of the machine. No number, no name and nothing that was said is in it. It takes half a minute at most.",
        "Eine Datei für alle, die helfen: Zustand, Prüfungen, Log, Konfiguration ohne Geheimnisse, Angaben zu Speicher und Gerät. Keine Rufnummer, kein Name und nichts Gesprochenes steht darin. Es dauert höchstens eine halbe Minute.",
    ),
    ("Make and download", "Erstellen und herunterladen"),
    ("Made before", "Früher erstellt"),
    ("Backup and configuration", "Sicherung und Konfiguration"),
    (
        "A support bundle is being made already; it appears below in half a minute.",
        "Ein Paket wird schon erstellt; in einer halben Minute steht es unten.",
    ),
    ("No bundle was made", "Kein Paket wurde erstellt"),
    ("Something broke while it was made.", "Beim Erstellen ist etwas abgebrochen."),
    ("Try callspool bundle at the terminal.", "Versuchen Sie callspool bundle am Terminal."),
    ("No such bundle", "Kein solches Paket"),
    ("Only the newest few are kept.", "Nur die neuesten werden behalten."),
    ("Make a new one on the page Logs.", "Erstellen Sie ein neues auf der Seite Log."),
];
