//! What is said about a recording that is asked for.

pub(super) const ROWS: super::Rows = &[
    ("The file can\u{2019}t be read", "Die Datei kann nicht gelesen werden"),
    (
        "The box holds this recording, and its disk did not give it.",
        "Das Gerät hat diese Aufzeichnung, und seine Platte gab sie nicht her.",
    ),
    (
        "Tell whoever looks after the box; the state page says more.",
        "Sagen Sie es dem, der das Gerät betreut; die Zustandsseite sagt mehr.",
    ),
    ("Not here yet", "Noch nicht hier"),
    (
        "The PBX has not given this recording yet: {}.",
        "Die Anlage hat diese Aufzeichnung noch nicht hergegeben: {}.",
    ),
    (
        "It comes by itself; look again in a few minutes.",
        "Sie kommt von selbst; sehen Sie in einigen Minuten wieder nach.",
    ),
    ("It will never come", "Sie kommt nie"),
    (
        "This box never had the recording: {}.",
        "Dieses Gerät hatte die Aufzeichnung nie: {}.",
    ),
    (
        "What is known about the call stays in the list.",
        "Was über den Anruf bekannt ist, bleibt in der Liste.",
    ),
    ("No longer here", "Nicht mehr hier"),
    (
        "The recording was delivered, and then deleted on this box to make room.",
        "Die Aufzeichnung wurde zugestellt und dann hier gelöscht, um Platz zu schaffen.",
    ),
    ("Look for it in the CRM.", "Suchen Sie sie im CRM."),
    ("No such recording", "Keine solche Aufzeichnung"),
    (
        "Among the calls that you may see there is no such recording.",
        "Unter den Anrufen, die Sie sehen dürfen, gibt es keine solche Aufzeichnung.",
    ),
    (
        "Look for the call in the list of calls.",
        "Suchen Sie den Anruf in der Liste der Anrufe.",
    ),
    (
        "You may see this call, and its recording is not yours to download.",
        "Sie dürfen diesen Anruf sehen; seine Aufzeichnung dürfen Sie nicht herunterladen.",
    ),
    (
        "You may see this call, and its recording is not yours to hear.",
        "Sie dürfen diesen Anruf sehen; seine Aufzeichnung dürfen Sie nicht hören.",
    ),
    ("Not for you", "Nicht für Sie"),
    (
        "Your own page, /me, says what you may and why.",
        "Ihre eigene Seite, /me, sagt, was Sie dürfen und warum.",
    ),
    ("Too many are listening", "Zu viele hören zu"),
    (
        "The box sends only so many recordings at a time, so that it has time for its work.",
        "Das Gerät sendet nur so viele Aufzeichnungen zugleich, damit ihm Zeit für seine Arbeit bleibt.",
    ),
    (
        "Try again in half a minute.",
        "Versuchen Sie es in einer halben Minute wieder.",
    ),
    ("Recordings are closed", "Aufzeichnungen sind geschlossen"),
    (
        "Who listens to what is written down first, and just now it can\u{2019}t be: the store takes nothing.",
        "Wer was hört, wird zuerst aufgeschrieben, und gerade geht das nicht: der Speicher nimmt nichts an.",
    ),
    (
        "Try again in a minute, and tell whoever looks after the box. Nothing is lost by it.",
        "Versuchen Sie es in einer Minute wieder, und sagen Sie es dem, der das Gerät betreut. Es geht nichts verloren.",
    ),
    (
        "It is compressed with {}, which browsers don\u{2019}t play.",
        "Sie ist mit {} gepackt; das spielen Browser nicht ab.",
    ),
    (
        "It is no WAV file that a browser is sure to play.",
        "Sie ist keine WAV-Datei, die ein Browser sicher abspielt.",
    ),
];
