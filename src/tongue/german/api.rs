//! What is said to scripts, and about tokens and sessions.

pub(super) const ROWS: super::Rows = &[
    ("Not logged in", "Nicht angemeldet"),
    (
        "This needs a session or a token, and yours is over, wrong, or was never begun.",
        "Dafür braucht es eine Anmeldung oder ein Token; Ihres ist abgelaufen, falsch oder fehlt.",
    ),
    (
        "Log in at /login; a script sends Authorization: Bearer and a token of callspool token add.",
        "Melden Sie sich unter /login an; ein Skript sendet Authorization: Bearer und ein Token von callspool token add.",
    ),
    ("Where I am logged in", "Wo ich angemeldet bin"),
    ("Since", "Seit"),
    ("Last used", "Zuletzt benutzt"),
    ("this one", "diese hier"),
    ("End", "Beenden"),
    ("End all others", "Alle anderen beenden"),
    ("That session was over already.", "Diese Anmeldung war schon beendet."),
    ("Sessions ended: {}.", "Beendete Anmeldungen: {}."),
    ("End a session", "Eine Anmeldung beenden"),
    ("Tokens", "Token"),
    ("Tokens for scripts", "Token für Skripte"),
    (
        "A script shows a token to read what this page shows, below /api/v1. It may no more than the technician, and only what is ticked here.",
        "Ein Skript zeigt ein Token, um unter /api/v1 zu lesen, was diese Seite zeigt. Es darf nicht mehr als der Techniker, und nur das hier Angekreuzte.",
    ),
    ("A new token", "Ein neues Token"),
    ("There is none.", "Es gibt keines."),
    ("Name", "Name"),
    ("Until", "Bis"),
    ("it is revoked", "es widerrufen wird"),
    ("never", "nie"),
    ("Revoke", "Widerrufen"),
    ("What it may", "Was es darf"),
    (
        "For how long, such as 90d; empty: until it is revoked",
        "Wie lange, etwa 90d; leer: bis es widerrufen wird",
    ),
    ("Make it", "Erstellen"),
    (
        "For how long is a span such as 90d or 12h.",
        "Wie lange ist eine Spanne wie 90d oder 12h.",
    ),
    (
        "This is the token. It is shown this once and stored nowhere.",
        "Das ist das Token. Es wird nur dieses eine Mal gezeigt und nirgends gespeichert.",
    ),
    ("No token was made: {}.", "Es wurde kein Token erstellt: {}."),
    ("The token opens nothing any more.", "Das Token öffnet nichts mehr."),
    ("It was revoked before.", "Es war schon widerrufen."),
    ("Too many wrong tries", "Zu viele falsche Versuche"),
    (
        "Passwords or tokens were wrong too often, and none is looked at for a while.",
        "Passwörter oder Token waren zu oft falsch; eine Weile wird keines geprüft.",
    ),
    (
        "Try again after the time in Retry-After.",
        "Versuchen Sie es nach der Zeit in Retry-After wieder.",
    ),
];
