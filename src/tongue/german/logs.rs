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
    ("Store", "Speicher"),
    (
        "A copy of all calls, transcripts and settings, without the recordings. It is put back at the terminal: callspool restore.",
        "Eine Kopie aller Anrufe, Abschriften und Einstellungen, ohne die Aufzeichnungen. Zurückgespielt wird sie am Terminal: callspool restore.",
    ),
    (
        "You may not take everything away: that needs export, call.view, transcript.read and audit.read over all.",
        "Sie dürfen nicht alles mitnehmen: dafür braucht es export, call.view, transcript.read und audit.read über alles.",
    ),
    ("Configuration", "Konfiguration"),
    (
        "The configuration as a document, without its secrets. With them, sealed: callspool config export --with-secrets.",
        "Die Konfiguration als Dokument, ohne ihre Geheimnisse. Mit ihnen, versiegelt: callspool config export --with-secrets.",
    ),
    ("Download", "Herunterladen"),
    (
        "What would another configuration change?",
        "Was würde eine andere Konfiguration ändern?",
    ),
    (
        "An exported document, or the text of a configuration",
        "Ein exportiertes Dokument oder der Text einer Konfiguration",
    ),
    ("Compare", "Vergleichen"),
    ("Not for you", "Nicht für Sie"),
    (
        "Your own page, /me, says what you may and why.",
        "Ihre eigene Seite, /me, sagt, was Sie dürfen und warum.",
    ),
    ("Another copy is being made.", "Eine andere Kopie wird gerade erstellt."),
    ("No copy was made", "Keine Kopie wurde erstellt"),
    (
        "Try again in a minute, or callspool backup at the terminal.",
        "Versuchen Sie es in einer Minute wieder, oder callspool backup am Terminal.",
    ),
    ("It would be refused: {}", "Sie würde abgelehnt: {}"),
    ("Nothing would change.", "Nichts würde sich ändern."),
    ("This would change", "Das würde sich ändern"),
    (
        "It is right. Put it in force at the terminal: callspool config import.",
        "Sie ist richtig. In Kraft setzen Sie sie am Terminal: callspool config import.",
    ),
    ("No bundle was made", "Kein Paket wurde erstellt"),
    (
        "Something broke while it was made.",
        "Beim Erstellen ist etwas abgebrochen.",
    ),
    (
        "Try callspool bundle at the terminal.",
        "Versuchen Sie callspool bundle am Terminal.",
    ),
    ("No such bundle", "Kein solches Paket"),
    ("Only the newest few are kept.", "Nur die neuesten werden behalten."),
    (
        "Make a new one on the page Logs.",
        "Erstellen Sie ein neues auf der Seite Log.",
    ),
];
