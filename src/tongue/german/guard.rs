//! What is said to whoever is not let through, and what came of a button.

pub(super) const ROWS: super::Rows = &[
    ("Not by this name", "Nicht unter diesem Namen"),
    (
        "This page answers only to names and addresses that are known to be its own.",
        "Diese Seite antwortet nur unter Namen und Adressen, die als ihre eigenen bekannt sind.",
    ),
    (
        "Open it by its IP address and port, or have this name put into web.names.",
        "Öffnen Sie sie über IP-Adresse und Port, oder lassen Sie diesen Namen in web.names eintragen.",
    ),
    ("Not from this page", "Nicht von dieser Seite"),
    (
        "What changes something is taken only from this page itself, and your browser says it came from elsewhere.",
        "Was etwas ändert, wird nur von dieser Seite selbst angenommen, und Ihr Browser sagt, es käme von anderswo.",
    ),
    (
        "Open this page and press the button there.",
        "Öffnen Sie diese Seite und benutzen Sie die Schaltfläche dort.",
    ),
    ("Too much", "Zu viel"),
    (
        "A form of this page is never that long, or it broke off on its way.",
        "So lang ist kein Formular dieser Seite, oder es brach unterwegs ab.",
    ),
    (
        "Go back and send it again.",
        "Gehen Sie zurück und senden Sie es noch einmal.",
    ),
    ("Too slow", "Zu langsam"),
    (
        "The form did not arrive within ten seconds.",
        "Das Formular kam nicht innerhalb von zehn Sekunden an.",
    ),
    (
        "Check the network and send it again.",
        "Prüfen Sie das Netz und senden Sie es noch einmal.",
    ),
    (
        "This form is not from your session",
        "Dieses Formular ist nicht aus Ihrer Sitzung",
    ),
    (
        "It may have been open since before your last login.",
        "Vielleicht ist es seit vor Ihrer letzten Anmeldung offen.",
    ),
    (
        "Reload the page and press the button again.",
        "Laden Sie die Seite neu und benutzen Sie die Schaltfläche noch einmal.",
    ),
    ("Not logged in", "Nicht angemeldet"),
    (
        "It needs the right {}, and you don’t hold it.",
        "Dazu braucht es das Recht {}, und Sie haben es nicht.",
    ),
    ("Not for you", "Nicht für Sie"),
    (
        "Your own page, /me, says what you may and why.",
        "Ihre eigene Seite, /me, sagt, was Sie dürfen und warum.",
    ),
    ("The PBX is being asked now.", "Die Telefonanlage wird jetzt gefragt."),
    ("Nothing was held any more.", "Es war nichts mehr angehalten."),
    ("{} back in the queue.", "{} wieder in der Warteschlange."),
    ("delivery is", "Zustellung ist"),
    ("deliveries are", "Zustellungen sind"),
    (
        "Delivering to {} goes on now.",
        "Die Zustellung an {} geht jetzt weiter.",
    ),
    ("There is no such target.", "Ein solches Ziel gibt es nicht."),
    (
        "The PBX shows another certificate by now. Nothing was accepted; compare again.",
        "Die Telefonanlage zeigt inzwischen ein anderes Zertifikat. Nichts wurde angenommen; vergleichen Sie noch einmal.",
    ),
    (
        "The PBX's new certificate is accepted; the PBX is being asked now.",
        "Das neue Zertifikat der Telefonanlage ist angenommen; sie wird jetzt gefragt.",
    ),
    (
        "The store did not answer in time. It may be done yet; look again in a minute.",
        "Der Speicher hat nicht rechtzeitig geantwortet. Vielleicht geschieht es noch; sehen Sie in einer Minute wieder nach.",
    ),
    ("It was not done: {}.", "Es wurde nicht ausgeführt: {}."),
];
