//! What the page about newer releases says.

pub(super) const ROWS: super::Rows = &[
    ("Update", "Aktualisierung"),
    (
        "The last attempt failed: {}.",
        "Der letzte Versuch ist gescheitert: {}.",
    ),
    (
        "An update is being installed: {} of {}.",
        "Eine Aktualisierung wird installiert: {} von {}.",
    ),
    ("Look again", "Noch einmal nachsehen"),
    ("as it was installed", "wie sie installiert wurde"),
    (
        "on trial: it stays when it has been well for a while",
        "auf Probe: sie bleibt, wenn eine Weile alles gut war",
    ),
    ("an update, and it is well", "eine Aktualisierung, und sie läuft gut"),
    (
        "its signature can't be checked any more",
        "ihre Signatur lässt sich nicht mehr prüfen",
    ),
    ("Version {}", "Version {}"),
    ("How it runs", "Wie sie läuft"),
    ("Signed by key", "Signiert mit Schlüssel"),
    ("Channel", "Kanal"),
    ("Looked after until", "Gepflegt bis"),
    ("not said", "nicht angegeben"),
    ("Given up", "Aufgegeben"),
    ("Keep it now", "Jetzt behalten"),
    ("Go back to {}", "Zurück zu {}"),
    ("Version {} can be had", "Version {} ist verfügbar"),
    ("Size", "Größe"),
    ("Install it", "Installieren"),
    ("Newer releases", "Neuere Versionen"),
    ("Nothing newer is known.", "Es ist nichts Neueres bekannt."),
    (
        "Nothing is looked for: update.index names no list of releases.",
        "Es wird nicht gesucht: update.index nennt keine Liste von Versionen.",
    ),
    ("Last looked for: {}.", "Zuletzt gesucht: {}."),
    (
        "Nothing is installed by itself until {}.",
        "Bis {} wird nichts von selbst installiert.",
    ),
    ("Look now", "Jetzt suchen"),
    (
        "It is being looked for; look again in a moment.",
        "Es wird gesucht; sehen Sie gleich noch einmal nach.",
    ),
    ("Not this week", "Nicht diese Woche"),
    ("By itself again", "Wieder von selbst"),
    ("Install from a file", "Aus einer Datei installieren"),
    ("Release for this box", "Version für dieses Gerät"),
    (
        "It is taken only with a signature that this box believes, and only if it is newer. The agent restarts; nothing is lost by that.",
        "Sie wird nur mit einer Signatur genommen, der dieses Gerät glaubt, und nur, wenn sie neuer ist. Das Programm startet neu; dabei geht nichts verloren.",
    ),
    ("Install the file", "Datei installieren"),
    ("The version that runs stays.", "Die laufende Version bleibt."),
    (
        "Version {} starts now; log in again in a minute.",
        "Version {} startet jetzt; melden Sie sich in einer Minute wieder an.",
    ),
    ("Postponed by a week.", "Um eine Woche verschoben."),
    (
        "Updates are installed by themselves again.",
        "Aktualisierungen werden wieder von selbst installiert.",
    ),
    (
        "It is being installed; the agent restarts when it is there.",
        "Sie wird installiert; das Programm startet neu, wenn sie da ist.",
    ),
    (
        "Reload the page and send the file again.",
        "Laden Sie die Seite neu und senden Sie die Datei noch einmal.",
    ),
    (
        "This form is not from your session",
        "Dieses Formular ist nicht aus Ihrer Sitzung",
    ),
    (
        "It may have been open since before your last login.",
        "Vielleicht ist es seit vor Ihrer letzten Anmeldung offen.",
    ),
    ("Not installed", "Nicht installiert"),
    (
        "There was no file in what was sent.",
        "In dem Gesendeten war keine Datei.",
    ),
    (
        "Version {} is installed and starts now; log in again in a minute.",
        "Version {} ist installiert und startet jetzt; melden Sie sich in einer Minute wieder an.",
    ),
    ("Not installed: {}", "Nicht installiert: {}"),
];
