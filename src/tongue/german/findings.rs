//! What is found, by the doctor and by the running agent: titles, what they mean, and what mends them.

pub(super) const ROWS: super::Rows = &[
    (
        "A rule names what the PBX does not have",
        "Eine Regel nennt, was es auf der Telefonanlage nicht gibt",
    ),
    (
        "An extension, department or queue in a rule is unknown there, so the rule matches less than its author meant: what it should exclude may be delivered.",
        "Eine Nebenstelle, Abteilung oder Warteschlange einer Regel ist dort unbekannt, die Regel trifft also weniger, als gemeint war: was sie ausschließen soll, wird vielleicht zugestellt.",
    ),
    (
        "Correct the rule in the configuration (callspool config check shows all), then restart callspool.",
        "Berichtigen Sie die Regel in der Konfiguration (callspool config check zeigt alle) und starten Sie callspool neu.",
    ),
    (
        "The state folder can't be used",
        "Der Zustandsordner ist nicht benutzbar",
    ),
    (
        "Nothing can be kept, so nothing is taken.",
        "Nichts kann aufbewahrt werden, darum wird nichts geholt.",
    ),
    (
        "Make the folder that state_dir names, or name another.",
        "Legen Sie den Ordner an, den state_dir nennt, oder nennen Sie einen anderen.",
    ),
    ("The disk is read-only", "Die Platte ist schreibgeschützt"),
    (
        "Nothing new can be kept; the PBX still has it.",
        "Nichts Neues kann aufbewahrt werden; die Telefonanlage hat es noch.",
    ),
    (
        "Look at the kernel's log for disk errors, then mount the volume writable; a failing card or disk must be replaced.",
        "Sehen Sie im Protokoll des Kernels nach Plattenfehlern, dann hängen Sie das Laufwerk schreibbar ein; eine Karte oder Platte, die versagt, muss ersetzt werden.",
    ),
    ("The disk is nearly full", "Die Platte ist fast voll"),
    (
        "No more recordings are fetched until there is room; the PBX still has them.",
        "Bis Platz ist, werden keine weiteren Aufzeichnungen geholt; die Telefonanlage hat sie noch.",
    ),
    (
        "Make room on the volume, or mend the target so that recordings can be delivered and evicted.",
        "Schaffen Sie Platz, oder bringen Sie das Ziel in Ordnung, damit Aufzeichnungen zugestellt und entfernt werden können.",
    ),
    ("The store is damaged", "Der Speicher ist beschädigt"),
    (
        "What is known of calls and deliveries may be wrong.",
        "Was über Anrufe und Zustellungen bekannt ist, kann falsch sein.",
    ),
    (
        "Stop callspool and restore a backup; what the PBX still has is read again.",
        "Halten Sie callspool an und spielen Sie eine Sicherung ein; was die Telefonanlage noch hat, wird wieder gelesen.",
    ),
    ("The store can't be read", "Der Speicher ist nicht lesbar"),
    (
        "Nothing is taken or delivered meanwhile; nothing is lost by it.",
        "Solange wird nichts geholt oder zugestellt; dadurch geht nichts verloren.",
    ),
    ("The store can't be written", "Der Speicher ist nicht schreibbar"),
    (
        "Nothing new is taken meanwhile; the PBX still has it.",
        "Solange wird nichts Neues geholt; die Telefonanlage hat es noch.",
    ),
    (
        "Recordings can't be written",
        "Aufzeichnungen können nicht geschrieben werden",
    ),
    (
        "Calls go on arriving in the CRM, recordings wait on the PBX.",
        "Anrufe kommen weiter im CRM an, Aufzeichnungen warten auf der Telefonanlage.",
    ),
    (
        "Make room on the volume or mount it writable; nothing is lost, the PBX still has it.",
        "Schaffen Sie Platz, oder hängen Sie das Laufwerk schreibbar ein; nichts geht verloren, die Telefonanlage hat es noch.",
    ),
    ("No room for recordings", "Kein Platz für Aufzeichnungen"),
    (
        "Calls go on arriving in the CRM, new recordings wait on the PBX.",
        "Anrufe kommen weiter im CRM an, neue Aufzeichnungen warten auf der Telefonanlage.",
    ),
    (
        "Mend the target so that recordings can be delivered, make room on the volume, or raise spool.max_bytes.",
        "Bringen Sie das Ziel in Ordnung, damit Aufzeichnungen zugestellt werden können, schaffen Sie Platz, oder erhöhen Sie spool.max_bytes.",
    ),
    (
        "Holds take the room of new recordings",
        "Gesperrtes nimmt neuen Aufzeichnungen den Platz",
    ),
    (
        "What is on hold is never deleted, so there is no room left for what is new; it waits on the PBX.",
        "Gesperrtes wird nie gelöscht, darum ist für Neues kein Platz; es wartet auf der Telefonanlage.",
    ),
    (
        "Release holds that are no longer needed (callspool hold list), make room on the volume, or raise spool.max_bytes.",
        "Heben Sie Sperren auf, die nicht mehr nötig sind (callspool hold list), schaffen Sie Platz, oder erhöhen Sie spool.max_bytes.",
    ),
    ("The clock is not synchronised", "Die Uhr ist nicht synchronisiert"),
    (
        "Times in the CRM may be wrong, and certificates may seem expired.",
        "Zeiten im CRM können falsch sein, und Zertifikate können abgelaufen scheinen.",
    ),
    (
        "Let the box reach a time server (NTP, UDP port 123), for example the PBX or the router.",
        "Lassen Sie das Gerät einen Zeitserver erreichen (NTP, UDP-Port 123), zum Beispiel die Telefonanlage oder den Router.",
    ),
    ("A secret file can't be used", "Eine Geheimnisdatei ist nicht benutzbar"),
    (
        "The login or the signature that needs it can't be made.",
        "Die Anmeldung oder Signatur, die sie braucht, ist nicht möglich.",
    ),
    (
        "Put the secret into the file and set its mode to 600.",
        "Schreiben Sie das Geheimnis in die Datei und setzen Sie ihre Rechte auf 600.",
    ),
    ("No network cable or Wi-Fi", "Kein Netzwerkkabel und kein WLAN"),
    ("Nothing outside can be reached.", "Nichts außerhalb ist erreichbar."),
    (
        "Plug the network cable in at both ends; the lamps at the socket must be lit. Try another cable, then another port of the switch.",
        "Stecken Sie das Netzwerkkabel an beiden Enden ein; die Lämpchen an der Buchse müssen leuchten. Versuchen Sie ein anderes Kabel, dann einen anderen Port des Switches.",
    ),
    ("The box has no address", "Das Gerät hat keine Adresse"),
    (
        "The network gave this box no address (DHCP): look at the router's or switch's DHCP server and VLAN, or set a fixed address.",
        "Das Netz gab diesem Gerät keine Adresse (DHCP): sehen Sie nach DHCP-Server und VLAN von Router oder Switch, oder vergeben Sie eine feste Adresse.",
    ),
    (
        "There is no way out of the local network",
        "Aus dem lokalen Netz führt kein Weg",
    ),
    (
        "Only what is in the same network can be reached.",
        "Nur was im selben Netz ist, ist erreichbar.",
    ),
    (
        "If PBX, CRM or broker are elsewhere, set a gateway (DHCP option 3, or in the box's network settings).",
        "Sind Telefonanlage, CRM oder Broker anderswo, tragen Sie ein Gateway ein (DHCP-Option 3 oder in den Netzeinstellungen des Geräts).",
    ),
    ("No name server answers", "Kein Namensserver antwortet"),
    (
        "Nothing can be found by its name.",
        "Nichts ist über seinen Namen zu finden.",
    ),
    (
        "Check that this box may ask its name servers (UDP and TCP port 53), or set others; /etc/resolv.conf lists them.",
        "Prüfen Sie, ob dieses Gerät seine Namensserver fragen darf (UDP- und TCP-Port 53), oder tragen Sie andere ein; sie stehen in /etc/resolv.conf.",
    ),
    ("A name server does not answer", "Ein Namensserver antwortet nicht"),
    (
        "Names are found, but slowly, and not at all if the other one fails.",
        "Namen werden gefunden, aber langsam, und gar nicht, wenn auch der andere ausfällt.",
    ),
    (
        "Take the silent name server out of the DHCP or network settings, or mend it.",
        "Nehmen Sie den stummen Namensserver aus den DHCP- oder Netzeinstellungen, oder bringen Sie ihn in Ordnung.",
    ),
    ("The PBX does not answer", "Die Telefonanlage antwortet nicht"),
    (
        "No calls and no recordings come; what it has meanwhile is read later.",
        "Es kommen keine Anrufe und keine Aufzeichnungen; was sie inzwischen hat, wird später gelesen.",
    ),
    (
        "Run the checks (`callspool doctor`): they say how far the way to the PBX goes.",
        "Starten Sie die Prüfungen (`callspool doctor`): sie sagen, wie weit der Weg zur Telefonanlage reicht.",
    ),
    ("The PBX's name is unknown", "Der Name der Telefonanlage ist unbekannt"),
    (
        "No calls and no recordings come.",
        "Es kommen keine Anrufe und keine Aufzeichnungen.",
    ),
    (
        "Correct the name in pbx.url, or give the name server an entry for it.",
        "Berichtigen Sie den Namen in pbx.url, oder geben Sie dem Namensserver einen Eintrag dafür.",
    ),
    ("The PBX's port is closed", "Der Port der Telefonanlage ist zu"),
    (
        "The machine is there and nothing listens at that port: no calls come.",
        "Die Maschine ist da, aber an diesem Port lauscht nichts: es kommen keine Anrufe.",
    ),
    (
        "Check the port in pbx.url (443 or 5001) and that the PBX's services run (on the PBX: Dashboard → Services).",
        "Prüfen Sie den Port in pbx.url (443 oder 5001) und ob die Dienste der Telefonanlage laufen (dort: Dashboard → Services).",
    ),
    (
        "The PBX's port does not answer",
        "Der Port der Telefonanlage antwortet nicht",
    ),
    (
        "Nothing comes back from that address: no calls come.",
        "Von dieser Adresse kommt nichts zurück: es kommen keine Anrufe.",
    ),
    (
        "Check the PBX's power, its address and port in pbx.url, firewalls between, and on the PBX the IP Blacklist: an address that is on it gets no answer.",
        "Prüfen Sie den Strom der Telefonanlage, Adresse und Port in pbx.url, Firewalls dazwischen und auf der Telefonanlage die IP Blacklist: eine Adresse, die dort steht, bekommt keine Antwort.",
    ),
    ("pbx.trust can't be used", "pbx.trust ist nicht benutzbar"),
    (
        "The PBX can't be asked at all.",
        "Die Telefonanlage kann gar nicht gefragt werden.",
    ),
    (
        "Correct pbx.trust in the configuration: \"pin\", \"public\", or a PEM file that can be read.",
        "Berichtigen Sie pbx.trust in der Konfiguration: \"pin\", \"public\" oder eine lesbare PEM-Datei.",
    ),
    (
        "The PBX shows another certificate",
        "Die Telefonanlage zeigt ein anderes Zertifikat",
    ),
    (
        "Nothing is sent to it until a person has said that this is right.",
        "Ihr wird nichts gesendet, bis jemand gesagt hat, dass das richtig ist.",
    ),
    (
        "If the PBX got a new certificate, compare the new pin with the one on the PBX and accept it on the page or with `callspool pin accept PIN`. If not, somebody may be between: don't accept it.",
        "Hat die Telefonanlage ein neues Zertifikat bekommen, vergleichen Sie den neuen Pin mit dem auf der Anlage und nehmen Sie ihn auf der Seite oder mit `callspool pin accept PIN` an. Wenn nicht, ist vielleicht jemand dazwischen: nehmen Sie ihn nicht an.",
    ),
    (
        "The PBX's certificate is not trusted",
        "Dem Zertifikat der Telefonanlage wird nicht vertraut",
    ),
    ("Nothing is sent to it.", "Ihr wird nichts gesendet."),
    (
        "Check that pbx.url has the name that is in the PBX's certificate, and this box's clock; or set pbx.trust to \"pin\" or to the authority's file.",
        "Prüfen Sie, ob pbx.url den Namen hat, der im Zertifikat der Telefonanlage steht, und die Uhr dieses Geräts; oder setzen Sie pbx.trust auf \"pin\" oder auf die Datei der Zertifizierungsstelle.",
    ),
    ("TLS with the PBX fails", "TLS mit der Telefonanlage schlägt fehl"),
    (
        "The port is open, but what answers there speaks no TLS that fits: no calls come.",
        "Der Port ist offen, aber was dort antwortet, spricht kein passendes TLS: es kommen keine Anrufe.",
    ),
    (
        "Check the port in pbx.url: 443 or 5001 speak TLS, 5000 does not.",
        "Prüfen Sie den Port in pbx.url: 443 oder 5001 sprechen TLS, 5000 nicht.",
    ),
    (
        "The PBX takes the connection and says nothing",
        "Die Telefonanlage nimmt die Verbindung an und schweigt",
    ),
    (
        "The port is open, but no answer comes: no calls come.",
        "Der Port ist offen, aber es kommt keine Antwort: es kommen keine Anrufe.",
    ),
    (
        "Look at the PBX's load and services; if they are well, look for a firewall that lets connections through and not their content, and on the PBX at the IP Blacklist.",
        "Sehen Sie nach Last und Diensten der Telefonanlage; sind sie in Ordnung, suchen Sie eine Firewall, die Verbindungen durchlässt und ihren Inhalt nicht, und sehen Sie auf der Telefonanlage in die IP Blacklist.",
    ),
    (
        "The way to the PBX is not encrypted",
        "Der Weg zur Telefonanlage ist unverschlüsselt",
    ),
    (
        "Key, calls and recordings cross the network in the clear.",
        "Schlüssel, Anrufe und Aufzeichnungen gehen im Klartext durchs Netz.",
    ),
    ("Use https in pbx.url.", "Benutzen Sie https in pbx.url."),
    (
        "The PBX refuses the login",
        "Die Telefonanlage verweigert die Anmeldung",
    ),
    (
        "There is no API at this address",
        "Unter dieser Adresse gibt es keine API",
    ),
    (
        "The PBX's licence has no API",
        "Die Lizenz der Telefonanlage enthält keine API",
    ),
    (
        "The login works and nothing can be asked: no calls come.",
        "Die Anmeldung geht, aber nichts kann gefragt werden: es kommen keine Anrufe.",
    ),
    (
        "The PBX does not let this box's address in",
        "Die Telefonanlage lässt die Adresse dieses Geräts nicht zu",
    ),
    (
        "It refuses whatever is asked, whoever asks it: no calls come.",
        "Sie verweigert jede Frage, wer auch fragt: es kommen keine Anrufe.",
    ),
    ("The PBX asks for a pause", "Die Telefonanlage bittet um eine Pause"),
    ("Calls come a little later.", "Anrufe kommen etwas später."),
    ("The PBX fails", "Die Telefonanlage hat einen Fehler"),
    (
        "It answers with an error of its own: calls come later.",
        "Sie antwortet mit einem eigenen Fehler: Anrufe kommen später.",
    ),
    (
        "Something else answers in the PBX's place",
        "Statt der Telefonanlage antwortet etwas anderes",
    ),
    (
        "What answers at pbx.url is not the PBX's API: no calls come.",
        "Was unter pbx.url antwortet, ist nicht die API der Telefonanlage: es kommen keine Anrufe.",
    ),
    (
        "Open pbx.url in a browser: a proxy, a captive portal or a login page may answer there. Give the PBX's own address.",
        "Öffnen Sie pbx.url in einem Browser: vielleicht antwortet dort ein Proxy, ein Netzportal oder eine Anmeldeseite. Tragen Sie die eigene Adresse der Telefonanlage ein.",
    ),
    ("The PBX's clock differs", "Die Uhr der Telefonanlage weicht ab"),
    (
        "Times in the CRM are off by as much.",
        "Zeiten im CRM sind um ebenso viel falsch.",
    ),
    (
        "The PBX's clock is whole hours off",
        "Die Uhr der Telefonanlage geht um ganze Stunden falsch",
    ),
    (
        "As with a time zone that is set wrong: times in the CRM are off by as much.",
        "Wie bei einer falsch gesetzten Zeitzone: Zeiten im CRM sind um ebenso viel falsch.",
    ),
    (
        "Another program uses the same client",
        "Ein anderes Programm benutzt denselben Client",
    ),
    (
        "Each login of one ends the other's token: both log in again and again, and calls come late.",
        "Jede Anmeldung des einen beendet das Token des anderen: beide melden sich immer wieder an, und Anrufe kommen spät.",
    ),
    ("The client may read nothing", "Der Client darf nichts lesen"),
    (
        "No call and no recording arrives in the CRM, and the CRM shows no error.",
        "Kein Anruf und keine Aufzeichnung kommt im CRM an, und das CRM zeigt keinen Fehler.",
    ),
    (
        "The client may not read the call history",
        "Der Client darf die Anrufliste nicht lesen",
    ),
    (
        "No new calls at all arrive in the CRM, although recordings could be read.",
        "Im CRM kommen gar keine neuen Anrufe an, obwohl Aufzeichnungen gelesen werden könnten.",
    ),
    (
        "An administrator that may not read the call history",
        "Ein Administrator, der die Anrufliste nicht lesen darf",
    ),
    (
        "No new calls at all arrive in the CRM: over the API a System Administrator may change the PBX and not read its history.",
        "Im CRM kommen gar keine neuen Anrufe an: über die API darf ein System Administrator die Anlage ändern, ihre Anrufliste aber nicht lesen.",
    ),
    (
        "The client may not read recordings",
        "Der Client darf Aufzeichnungen nicht lesen",
    ),
    (
        "Calls arrive in the CRM with all their data, recordings are missing, and no error shows in the CRM.",
        "Anrufe kommen mit allen Daten im CRM an, Aufzeichnungen fehlen, und im CRM zeigt sich kein Fehler.",
    ),
    (
        "The client may do more than it should",
        "Der Client darf mehr, als er soll",
    ),
    (
        "Calls and recordings arrive. If the key leaks, somebody may reconfigure the PBX with it.",
        "Anrufe und Aufzeichnungen kommen an. Gerät der Schlüssel in falsche Hände, kann damit jemand die Telefonanlage umstellen.",
    ),
    (
        "People and rights can't be read",
        "Personen und Rechte sind nicht lesbar",
    ),
    (
        "Calls and recordings arrive; who may see which is not known.",
        "Anrufe und Aufzeichnungen kommen an; wer welche sehen darf, ist nicht bekannt.",
    ),
    ("Transcripts may not be read", "Transkripte dürfen nicht gelesen werden"),
    (
        "Calls and recordings arrive without their transcripts. That right is optional.",
        "Anrufe und Aufzeichnungen kommen ohne ihre Transkripte an. Dieses Recht ist nicht nötig.",
    ),
    ("The call history can't be read", "Die Anrufliste ist nicht lesbar"),
    (
        "The client may, but the PBX answers with an error: calls come later.",
        "Der Client darf, aber die Telefonanlage antwortet mit einem Fehler: Anrufe kommen später.",
    ),
    ("Recordings can't be read", "Aufzeichnungen sind nicht lesbar"),
    (
        "The client may, but the PBX answers with an error: recordings come later.",
        "Der Client darf, aber die Telefonanlage antwortet mit einem Fehler: Aufzeichnungen kommen später.",
    ),
    (
        "Some rows of the call log can't be read",
        "Einige Zeilen der Anrufliste sind nicht lesbar",
    ),
    (
        "The calls in them are missing; the others arrive.",
        "Die Anrufe darin fehlen; die anderen kommen an.",
    ),
    (
        "Report it with the PBX's version: this build writes its call log in a way that callspool does not know.",
        "Melden Sie es mit der Version der Telefonanlage: dieser Stand schreibt seine Anrufliste auf eine Art, die callspool nicht kennt.",
    ),
    (
        "Calls from before the PBX's upgrade can't be read",
        "Anrufe von vor dem Upgrade der Telefonanlage sind nicht lesbar",
    ),
    (
        "They are missing; newer ones are not affected.",
        "Sie fehlen; neuere sind nicht betroffen.",
    ),
    (
        "Look at the PBX's services, and report it with the PBX's version.",
        "Sehen Sie nach den Diensten der Telefonanlage, und melden Sie es mit ihrer Version.",
    ),
    (
        "The PBX's licence is not active",
        "Die Lizenz der Telefonanlage ist nicht aktiv",
    ),
    (
        "The PBX may stop recording and answering.",
        "Die Telefonanlage kann aufhören, aufzuzeichnen und zu antworten.",
    ),
    (
        "The PBX has stopped recording",
        "Die Telefonanlage zeichnet nicht mehr auf",
    ),
    (
        "Its room for recordings is used up: calls arrive, and there is nothing to listen to.",
        "Ihr Platz für Aufzeichnungen ist verbraucht: Anrufe kommen an, und es gibt nichts anzuhören.",
    ),
    (
        "Some extensions are not recorded",
        "Einige Nebenstellen werden nicht aufgezeichnet",
    ),
    (
        "Their calls arrive in the CRM, and a recording never comes, because none is made.",
        "Ihre Anrufe kommen im CRM an, aber nie eine Aufzeichnung, weil keine gemacht wird.",
    ),
    (
        "The PBX deletes recordings early",
        "Die Telefonanlage löscht Aufzeichnungen früh",
    ),
    (
        "An outage that lasts longer loses recordings.",
        "Ein Ausfall, der länger dauert, kostet Aufzeichnungen.",
    ),
    (
        "Recordings may be gone before they are fetched",
        "Aufzeichnungen können weg sein, bevor sie geholt sind",
    ),
    (
        "The PBX deletes or archives them, and what waits longer than that never comes.",
        "Die Telefonanlage löscht oder archiviert sie, und was länger wartet, kommt nie.",
    ),
    (
        "See why they wait (`callspool why CALL`): mend that first. Else let the PBX keep recordings longer.",
        "Sehen Sie, warum sie warten (`callspool why CALL`): beheben Sie das zuerst. Sonst lassen Sie die Telefonanlage Aufzeichnungen länger behalten.",
    ),
    ("Recordings are late", "Aufzeichnungen kommen spät"),
    (
        "Calls are in the CRM, their recordings are not yet.",
        "Anrufe sind im CRM, ihre Aufzeichnungen noch nicht.",
    ),
    (
        "Open a call that has one on the page, or run `callspool why CALL`: it says what the recording waits for.",
        "Öffnen Sie auf der Seite einen Anruf, der eine hat, oder starten Sie `callspool why CALL`: dort steht, worauf die Aufzeichnung wartet.",
    ),
    ("Rights are old", "Rechte sind alt"),
    (
        "Who may see what is as it was then.",
        "Wer was sehen darf, ist auf dem Stand von damals.",
    ),
    (
        "They are read again as soon as the PBX answers.",
        "Sie werden wieder gelesen, sobald die Telefonanlage antwortet.",
    ),
    (
        "Rights are too old: calls and recordings are closed",
        "Rechte sind zu alt: Anrufe und Aufzeichnungen sind geschlossen",
    ),
    (
        "Nobody may see calls or hear recordings here until the PBX confirms who may; this page stays open.",
        "Niemand darf hier Anrufe sehen oder Aufzeichnungen hören, bis die Telefonanlage bestätigt, wer darf; diese Seite bleibt offen.",
    ),
    (
        "Let the box reach the PBX: rights open again with the next reading. rights.max_age says how old they may be.",
        "Lassen Sie das Gerät die Telefonanlage erreichen: mit dem nächsten Lesen gelten die Rechte wieder. Wie alt sie sein dürfen, sagt rights.max_age.",
    ),
    (
        "The PBX's CDR lines can't be received",
        "CDR-Zeilen der Telefonanlage können nicht empfangen werden",
    ),
    (
        "What the PBX writes meanwhile about calls doesn't come again; with an API the calls are read from there.",
        "Was die Telefonanlage inzwischen über Anrufe schreibt, kommt nicht noch einmal; mit API werden die Anrufe von dort gelesen.",
    ),
    (
        "Check address and port in [cdr] and on the PBX (CDR settings), and the firewall between.",
        "Prüfen Sie Adresse und Port in [cdr] und auf der Telefonanlage (CDR-Einstellungen) und die Firewall dazwischen.",
    ),
    ("Calls may be missing", "Vielleicht fehlen Anrufe"),
    (
        "Nobody received the PBX's CDR lines for a while, and it sends each line once.",
        "Eine Weile empfing niemand die CDR-Zeilen der Telefonanlage, und sie sendet jede Zeile einmal.",
    ),
    (
        "Nothing brings those lines back here; the PBX's own reports have the calls of that time.",
        "Diese Zeilen bringt hier nichts zurück; die Berichte der Telefonanlage haben die Anrufe dieser Zeit.",
    ),
    ("CDR lines can't be kept", "CDR-Zeilen können nicht aufbewahrt werden"),
    (
        "They wait in memory until the store can be written.",
        "Sie warten im Arbeitsspeicher, bis der Speicher schreibbar ist.",
    ),
    (
        "Make room on the disk or mount it writable, before callspool is stopped: the PBX sends no line twice.",
        "Schaffen Sie Platz auf der Platte oder hängen Sie sie schreibbar ein, bevor callspool angehalten wird: die Telefonanlage sendet keine Zeile zweimal.",
    ),
    ("Some CDR lines can't be read", "Einige CDR-Zeilen sind nicht lesbar"),
    (
        "They are in no order of fields that is known; they are kept.",
        "Ihre Felder haben keine bekannte Reihenfolge; sie werden aufbewahrt.",
    ),
    (
        "Write the PBX's fields in its order into cdr.fields and restart: they are read again then.",
        "Schreiben Sie die Felder der Telefonanlage in ihrer Reihenfolge in cdr.fields und starten Sie neu: dann werden sie noch einmal gelesen.",
    ),
    (
        "A target can't be delivered to",
        "An ein Ziel kann nicht zugestellt werden",
    ),
    (
        "Everything for it waits here and is delivered when it is back.",
        "Alles dafür wartet hier und wird zugestellt, wenn es wieder da ist.",
    ),
    (
        "Check the receiver and the network to it, and url, trust and secret_file of the target; callspool tries again by itself.",
        "Prüfen Sie den Empfänger und das Netz dorthin, und url, trust und secret_file des Ziels; callspool versucht es von selbst wieder.",
    ),
    (
        "A target refuses this box for want of a right",
        "Ein Ziel weist dieses Gerät ab, weil ein Recht fehlt",
    ),
    (
        "Everything for it waits here until somebody gives the right; it is asked seldom.",
        "Alles dafür wartet hier, bis jemand das Recht gibt; es wird selten gefragt.",
    ),
    (
        "Give the right that the text names, at the target; then press Resume on the page.",
        "Geben Sie am Ziel das Recht, das der Text nennt; dann drücken Sie auf der Seite Weiter.",
    ),
    ("A target is waited for", "Auf ein Ziel wird gewartet"),
    (
        "Nothing failed: a medium is away or a quota is spent. Everything for it waits here and goes on by itself.",
        "Nichts ist fehlgeschlagen: ein Datenträger ist nicht da oder ein Kontingent ist verbraucht. Alles dafür wartet hier und geht von selbst weiter.",
    ),
    (
        "Do what the text names (plug the medium in, mount the NAS); a quota needs nothing but time.",
        "Tun Sie, was der Text nennt (Datenträger einstecken, NAS einhängen); ein Kontingent braucht nur Zeit.",
    ),
    ("A target wants nothing more", "Ein Ziel will nichts mehr"),
    (
        "It answered 410; nothing is sent to it, everything waits here.",
        "Es antwortete 410; ihm wird nichts gesendet, alles wartet hier.",
    ),
    (
        "Mend or remove the receiver, then press Resume on the page.",
        "Bringen Sie den Empfänger in Ordnung oder entfernen Sie ihn, dann drücken Sie auf der Seite Weiter.",
    ),
    ("Deliveries wait for a person", "Zustellungen warten auf einen Menschen"),
    (
        "The target refused them for good, or for want of a permission of one user (`permission-missing`); each has its reason in the queue.",
        "Das Ziel wies sie endgültig ab, oder weil einem Benutzer ein Recht fehlt (`permission-missing`); jede hat ihren Grund in der Warteschlange.",
    ),
    (
        "Look at the queue: mend the cause, then press Retry (or `callspool queue retry`).",
        "Sehen Sie in die Warteschlange: beheben Sie die Ursache, dann versuchen Sie es noch einmal (oder `callspool queue retry`).",
    ),
    ("An erasure waits", "Eine Löschung wartet"),
    (
        "It is not done everywhere an hour after it was asked for: mostly a target that does not answer.",
        "Eine Stunde nach dem Auftrag ist sie noch nicht überall ausgeführt: meist antwortet ein Ziel nicht.",
    ),
    (
        "Look at what it waits for: callspool erase show. It goes on by itself when the target is back.",
        "Sehen Sie, worauf sie wartet: callspool erase show. Sie geht von selbst weiter, wenn das Ziel wieder da ist.",
    ),
    ("No link to the MQTT broker", "Keine Verbindung zum MQTT-Broker"),
    (
        "Dashboards see nothing of this box; events wait here.",
        "Leitstände sehen nichts von diesem Gerät; Ereignisse warten hier.",
    ),
    (
        "Check mqtt.url, trust and login in the configuration, and the broker's log.",
        "Prüfen Sie mqtt.url, trust und Anmeldung in der Konfiguration und das Protokoll des Brokers.",
    ),
    ("MQTT without TLS", "MQTT ohne TLS"),
    (
        "Everything that goes to the broker can be read and changed on its way.",
        "Alles, was zum Broker geht, kann unterwegs gelesen und geändert werden.",
    ),
    (
        "Use mqtts:// in mqtt.url; the broker needs a certificate for that.",
        "Benutzen Sie mqtts:// in mqtt.url; der Broker braucht dafür ein Zertifikat.",
    ),
    ("An event was too large for MQTT", "Ein Ereignis war zu groß für MQTT"),
    (
        "It is not published; what it told of is in the store.",
        "Es wird nicht veröffentlicht; wovon es berichtete, steht im Speicher.",
    ),
    (
        "Look it up on the page. If the broker has a limit for packets, raise it to 256 KiB.",
        "Sehen Sie auf der Seite danach. Hat der Broker eine Grenze für Pakete, erhöhen Sie sie auf 256 KiB.",
    ),
    (
        "The MQTT broker lets nobody hear events",
        "Der MQTT-Broker lässt niemanden Ereignisse hören",
    ),
    (
        "It acknowledges what this box publishes, and a probe on its own topic does not come back: its access list throws something away. Events wait here.",
        "Er bestätigt, was dieses Gerät veröffentlicht, aber eine Probe auf dem eigenen Topic kommt nicht zurück: seine Zugriffsliste verwirft etwas. Ereignisse warten hier.",
    ),
    (
        "Let this box write below its own topic, and read its commands and `event/probe`. If it shall not read, set mqtt.prove = false.",
        "Lassen Sie dieses Gerät unter seinem eigenen Topic schreiben und seine Befehle und `event/probe` lesen. Soll es nicht lesen, setzen Sie mqtt.prove = false.",
    ),
    (
        "A certificate of MQTT expires soon",
        "Ein Zertifikat von MQTT läuft bald ab",
    ),
    (
        "This box's or the broker's ends within two weeks; then there is no link.",
        "Das dieses Geräts oder des Brokers endet in weniger als zwei Wochen; dann gibt es keine Verbindung.",
    ),
    (
        "Put a new one in its place: this box reads its files again at each connect.",
        "Legen Sie ein neues an seine Stelle: dieses Gerät liest seine Dateien bei jedem Verbinden neu.",
    ),
    (
        "callspool asks again by itself; if it lasts, look at the PBX's services and load.",
        "callspool fragt von selbst wieder; hält es an, sehen Sie nach Diensten und Last der Telefonanlage.",
    ),
    (
        "Look at the disk: room, mount, health. callspool goes on by itself when it can write again.",
        "Sehen Sie nach der Platte: Platz, Einhängung, Gesundheit. callspool macht von selbst weiter, wenn es wieder schreiben kann.",
    ),
    ("Disk", "Platte"),
    ("Store", "Speicher"),
    ("Clock", "Uhr"),
    ("Secret files", "Geheimnisdateien"),
    ("Network link", "Netzverbindung"),
    ("Network address", "Netzadresse"),
    ("Way out", "Weg hinaus"),
    ("Name servers", "Nameserver"),
    ("PBX: CDR lines", "Telefonanlage: CDR-Zeilen"),
    ("PBX: name", "Telefonanlage: Name"),
    ("PBX: port", "Telefonanlage: Port"),
    ("PBX: certificate", "Telefonanlage: Zertifikat"),
    ("PBX: login", "Telefonanlage: Anmeldung"),
    ("PBX: clock", "Telefonanlage: Uhr"),
    ("PBX: token", "Telefonanlage: Token"),
    ("Right: call history", "Recht: Anrufliste"),
    ("Right: list recordings", "Recht: Aufzeichnungen auflisten"),
    ("Right: fetch a recording", "Recht: eine Aufzeichnung holen"),
    ("Right: people and departments", "Recht: Personen und Abteilungen"),
    ("Right: transcripts", "Recht: Transkripte"),
    ("Right: administration", "Recht: Verwaltung"),
    ("API user and rights", "API-Benutzer und Rechte"),
    ("Licence and API", "Lizenz und API"),
    ("Recording switched on", "Aufzeichnung eingeschaltet"),
    ("PBX: retention", "Telefonanlage: Aufbewahrung"),
    ("Late recordings", "Verspätete Aufzeichnungen"),
    ("Target", "Ziel"),
    ("Broker", "Broker"),
    ("The box", "Das Gerät"),
    ("The network", "Das Netz"),
    ("The way to the PBX", "Der Weg zur Telefonanlage"),
    (
        "What the PBX lets the client do",
        "Was die Telefonanlage den Client tun lässt",
    ),
    (
        "What is recorded, and when it comes",
        "Was aufgezeichnet wird und wann es kommt",
    ),
    ("Targets", "Ziele"),
    ("The broker", "Der Broker"),
    ("Found by the running agent alone", "Nur im laufenden Betrieb gefunden"),
];
