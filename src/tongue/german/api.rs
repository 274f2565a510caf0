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
    ("From", "Von"),
    ("Last used", "Zuletzt benutzt"),
    ("this one", "diese hier"),
    ("End", "Beenden"),
    ("End all others", "Alle anderen beenden"),
    ("That session was over already.", "Diese Anmeldung war schon beendet."),
    ("Sessions ended: {}.", "Beendete Anmeldungen: {}."),
    ("End a session", "Eine Anmeldung beenden"),
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
