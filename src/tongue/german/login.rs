//! What logging in, passwords and one-time codes say.

pub(super) const ROWS: super::Rows = &[
    ("Extension", "Nebenstelle"),
    ("technician", "Techniker"),
    (
        "Your number on the phone system. Technicians leave it empty.",
        "Ihre Nummer auf der Telefonanlage. Techniker lassen das Feld leer.",
    ),
    ("I was given a one-time code", "Ich habe einen Einmalcode bekommen"),
    (
        "Where is the technician's first password?",
        "Wo steht das erste Passwort des Technikers?",
    ),
    (
        "It was shown on the console at the first start; until somebody has used it, it also stands in this file of the state folder:",
        "Es wurde beim ersten Start auf der Konsole angezeigt; bis es jemand benutzt hat, steht es auch in dieser Datei des Zustandsordners:",
    ),
    (
        "The form arrived broken. Please send it again.",
        "Das Formular kam beschädigt an. Bitte senden Sie es noch einmal.",
    ),
    (
        "This name and this password don't belong together. Please try again.",
        "Dieser Name und dieses Passwort gehören nicht zusammen. Bitte versuchen Sie es noch einmal.",
    ),
    (
        "This is your one-time code. Choose “I was given a one-time code” and type it there.",
        "Das ist Ihr Einmalcode. Wählen Sie „Ich habe einen Einmalcode bekommen“ und geben Sie ihn dort ein.",
    ),
    (
        "The password is right, but the phone system has no such extension any more, or has disabled it. Ask whoever manages it.",
        "Das Passwort stimmt, aber die Telefonanlage hat diese Nebenstelle nicht mehr oder hat sie gesperrt. Fragen Sie, wer die Anlage verwaltet.",
    ),
    (
        "The password could not be checked just now. Try again in a few seconds.",
        "Das Passwort konnte gerade nicht geprüft werden. Versuchen Sie es in einigen Sekunden noch einmal.",
    ),
    (
        "Too many wrong passwords. Try again in {}; before that none is looked at.",
        "Zu viele falsche Passwörter. Versuchen Sie es in {} wieder; vorher wird keines geprüft.",
    ),
    (
        "You are in, and the file with the first password is gone. Choose your own now, or keep the one that you used in your password manager.",
        "Sie sind angemeldet, und die Datei mit dem ersten Passwort ist entfernt. Wählen Sie jetzt Ihr eigenes, oder bewahren Sie das benutzte in Ihrem Passwortmanager auf.",
    ),
    ("Welcome", "Willkommen"),
    (
        "Your technician gave you a code. It works once, and only for a while; with it you choose your own password.",
        "Ihr Techniker hat Ihnen einen Code gegeben. Er gilt einmal und nur für eine Weile; damit wählen Sie Ihr eigenes Passwort.",
    ),
    ("One-time code", "Einmalcode"),
    ("The password that you want", "Das gewünschte Passwort"),
    ("The same once more", "Noch einmal dasselbe"),
    ("Begin", "Beginnen"),
    ("I have a password already", "Ich habe schon ein Passwort"),
    (
        "The two passwords differ. Please type them again; the code is still good.",
        "Die beiden Passwörter sind verschieden. Bitte geben Sie sie noch einmal ein; der Code gilt weiterhin.",
    ),
    (
        "This extension and this code don't belong together, or the code was used or is too old. Ask for another one.",
        "Diese Nebenstelle und dieser Code gehören nicht zusammen, oder der Code ist benutzt oder zu alt. Bitten Sie um einen neuen.",
    ),
    (
        "Please choose another one: {}. The code is still good.",
        "Bitte wählen Sie ein anderes: {}. Der Code gilt weiterhin.",
    ),
    ("Change the password", "Passwort ändern"),
    (
        "It is the technicians' one password. Changing it logs all of them out, you too.",
        "Es ist das gemeinsame Passwort der Techniker. Wer es ändert, meldet alle ab, auch sich selbst.",
    ),
    (
        "Changing it logs you out everywhere.",
        "Eine Änderung meldet Sie überall ab.",
    ),
    ("The password until now", "Bisheriges Passwort"),
    ("The new one", "Neues Passwort"),
    ("Change it", "Ändern"),
    (
        "At least {} characters. Four words that have nothing to do with each other are easy to keep and hard to guess.",
        "Mindestens {} Zeichen. Vier Wörter, die nichts miteinander zu tun haben, sind leicht zu merken und schwer zu erraten.",
    ),
    (
        "The password until now is another one. Nothing was changed.",
        "Das bisherige Passwort ist ein anderes. Nichts wurde geändert.",
    ),
    (
        "Too many wrong passwords. Try again in {}. Nothing was changed.",
        "Zu viele falsche Passwörter. Versuchen Sie es in {} wieder. Nichts wurde geändert.",
    ),
    ("Nothing was changed: {}.", "Nichts wurde geändert: {}."),
    (
        "The password could not be checked just now. Nothing was changed; try again in a few seconds.",
        "Das Passwort konnte gerade nicht geprüft werden. Nichts wurde geändert; versuchen Sie es in einigen Sekunden noch einmal.",
    ),
    (
        "the new password has {0} characters; use {1} or more, for example four words",
        "das neue Passwort hat {0} Zeichen; nehmen Sie {1} oder mehr, zum Beispiel vier Wörter",
    ),
    (
        "the new password is longer than {} characters; use a shorter one",
        "das neue Passwort hat mehr als {} Zeichen; nehmen Sie ein kürzeres",
    ),
    (
        "the new password is one of those that are guessed first; use four words that have nothing to do with each other",
        "das neue Passwort gehört zu denen, die zuerst geraten werden; nehmen Sie vier Wörter, die nichts miteinander zu tun haben",
    ),
];
