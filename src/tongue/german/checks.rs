//! The page of the checks. Their lines are the doctor's, in English everywhere.

pub(super) const ROWS: super::Rows = &[
    (
        "The checks are under way. Their lines come by themselves.",
        "Die Prüfungen laufen. Ihre Zeilen kommen von selbst.",
    ),
    ("of", "vom"),
    ("Checking …", "Prüfung läuft …"),
    ("Check again", "Noch einmal prüfen"),
    ("Check now", "Jetzt prüfen"),
    (
        "Checks this box, its network, the way to PBX, CRM and broker, and what the PBX lets it do, in half a minute at most. Nothing is changed by it.",
        "Prüft dieses Gerät, sein Netz, den Weg zu Anlage, CRM und Broker, und was die Anlage es tun lässt, in höchstens einer halben Minute. Nichts wird dadurch verändert.",
    ),
    ("As text", "Als Text"),
    ("As JSON", "Als JSON"),
    ("check failed", "Prüfung ist gescheitert"),
    ("checks failed", "Prüfungen sind gescheitert"),
    ("thing is worth a look", "Sache ist einen Blick wert"),
    ("things are worth a look", "Sachen sind einen Blick wert"),
    (
        "In order, with a button to check again",
        "Geordnet, mit einem Knopf zum erneuten Prüfen",
    ),
];
