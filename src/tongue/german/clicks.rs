//! What to click on the PBX. Its menus keep the names that they have there.

pub(super) const ROWS: super::Rows = &[
    (
        "On the PBX: Admin → Integrations → API → the client → Department: a real one, for example DEFAULT (System Wide locks the role to User, which may read nothing) → Role: System Owner → Save. Or put the client's user into a group that holds both Reports User and Recording Manager.",
        "Auf der Telefonanlage: Admin → Integrations → API → der Client → Department: eine wirkliche, zum Beispiel DEFAULT (System Wide legt die Rolle auf User fest, die nichts lesen darf) → Role: System Owner → Save. Oder nehmen Sie den Benutzer des Clients in eine Gruppe auf, die sowohl Reports User als auch Recording Manager enthält.",
    ),
    (
        "On the PBX: Admin → Integrations → API → the client → Role: System Owner → Save; or add Reports User to the group that it has its rights from (Recording Manager is there already).",
        "Auf der Telefonanlage: Admin → Integrations → API → der Client → Role: System Owner → Save; oder geben Sie der Gruppe, aus der er seine Rechte hat, Reports User dazu (Recording Manager ist schon da).",
    ),
    (
        "On the PBX: Admin → Integrations → API → the client → Role: System Owner instead of System Administrator (which may change the PBX, but not read the call history over the API) → Save.",
        "Auf der Telefonanlage: Admin → Integrations → API → der Client → Role: System Owner statt System Administrator (der die Anlage ändern, aber die Anrufliste nicht über die API lesen darf) → Save.",
    ),
    (
        "On the PBX: Admin → Integrations → API → the client → Role: System Owner → Save; or add Recording Manager to the group that it has its rights from (Reports User is there already).",
        "Auf der Telefonanlage: Admin → Integrations → API → der Client → Role: System Owner → Save; oder geben Sie der Gruppe, aus der er seine Rechte hat, Recording Manager dazu (Reports User ist schon da).",
    ),
    (
        "On the PBX: Admin → Integrations → API → the client → Role: System Owner → Save. Until then calls and recordings flow, but nobody can be given the right to see their own.",
        "Auf der Telefonanlage: Admin → Integrations → API → der Client → Role: System Owner → Save. Bis dahin laufen Anrufe und Aufzeichnungen, aber niemand kann das Recht bekommen, die eigenen zu sehen.",
    ),
    (
        "Only if transcripts are wanted in the CRM: on the PBX add Transcription to the client's role or group. Calls and recordings work without it.",
        "Nur wenn Transkripte im CRM gewünscht sind: geben Sie auf der Telefonanlage der Rolle oder Gruppe des Clients Transcription dazu. Anrufe und Aufzeichnungen gehen ohne.",
    ),
    (
        "Works, but whoever gets hold of the key may change the PBX: redirect extensions, shorten retention, hear every recording. If this build offers them, give the client a group that holds only Reports User and Recording Manager (Admin → Users → the client's user → Groups) instead of an administrator's role. If it doesn't, keep the key's file safe and let only this box's address in (Admin → Security → Console Restrictions).",
        "Es geht, aber wer den Schlüssel in die Hand bekommt, kann die Telefonanlage ändern: Nebenstellen umleiten, Aufbewahrung verkürzen, jede Aufzeichnung hören. Wenn dieser Stand sie anbietet, geben Sie dem Client statt der Rolle eines Administrators eine Gruppe, die nur Reports User und Recording Manager enthält (Admin → Users → der Benutzer des Clients → Groups). Wenn nicht, schützen Sie die Datei des Schlüssels und lassen nur die Adresse dieses Geräts zu (Admin → Security → Console Restrictions).",
    ),
    (
        "On the PBX: Admin → Integrations → API → the client: compare the Client ID with pbx.client_id, press Generate to get a new API key (it is shown once, the old one ends), and put it into the file that pbx.secret_file names. callspool does not try the refused key again, because the PBX bans addresses after some ten bad logins; it tries as soon as the file is saved anew.",
        "Auf der Telefonanlage: Admin → Integrations → API → der Client: vergleichen Sie die Client ID mit pbx.client_id, drücken Sie Generate für einen neuen API-Schlüssel (er wird einmal gezeigt, der alte gilt nicht mehr) und schreiben Sie ihn in die Datei, die pbx.secret_file nennt. callspool versucht den abgelehnten Schlüssel nicht noch einmal, weil die Telefonanlage Adressen nach etwa zehn falschen Anmeldungen sperrt; es versucht es, sobald die Datei neu gespeichert ist.",
    ),
    (
        "Check that pbx.url is the PBX's own address with its port (443 or 5001), and that no proxy answers for it. A 3CX older than v20 has no such API.",
        "Prüfen Sie, ob pbx.url die eigene Adresse der Telefonanlage mit ihrem Port ist (443 oder 5001) und kein Proxy für sie antwortet. Eine 3CX vor v20 hat diese API nicht.",
    ),
    (
        "On the PBX: Admin → License: the Configuration API needs 8SC or more, Enterprise (ENT/AI, ENT+); and Admin → Integrations → API → the client: tick 3CX Configuration API Access → Save.",
        "Auf der Telefonanlage: Admin → License: die Configuration API braucht 8SC oder mehr, Enterprise (ENT/AI, ENT+); und Admin → Integrations → API → der Client: 3CX Configuration API Access ankreuzen → Save.",
    ),
    (
        "On the PBX: Admin → Security → IP Blacklist: delete this box's address if it is there; then Admin → Security → Console Restrictions: add this box's address to the allowed ones, because they hold for the API as well.",
        "Auf der Telefonanlage: Admin → Security → IP Blacklist: löschen Sie die Adresse dieses Geräts, falls sie dort steht; dann Admin → Security → Console Restrictions: fügen Sie sie zu den erlaubten hinzu, denn diese gelten auch für die API.",
    ),
    (
        "On the PBX: Admin → License: renew or activate the licence.",
        "Auf der Telefonanlage: Admin → License: Lizenz verlängern oder aktivieren.",
    ),
    (
        "On the PBX: Admin → Recordings → Settings: raise the quota or delete what is not needed. Until then the PBX records nothing, and what is not recorded can't be had later.",
        "Auf der Telefonanlage: Admin → Recordings → Settings: erhöhen Sie das Kontingent oder löschen Sie, was nicht gebraucht wird. Bis dahin zeichnet die Anlage nichts auf, und was nicht aufgezeichnet ist, gibt es auch später nicht.",
    ),
    (
        "If it is not meant to be so: on the PBX, Admin → Users → the extension → Options → Record all calls; for a queue Admin → Call Handling → the queue → Options → Call recording.",
        "Wenn es nicht so gewollt ist: auf der Telefonanlage Admin → Users → die Nebenstelle → Options → Record all calls; für eine Warteschlange Admin → Call Handling → die Warteschlange → Options → Call recording.",
    ),
    (
        "On the PBX: Admin → Recordings → Settings → Auto delete: longer than the longest outage that must cost nothing, for example 30 days.",
        "Auf der Telefonanlage: Admin → Recordings → Settings → Auto delete: länger als der längste Ausfall, der nichts kosten darf, zum Beispiel 30 Tage.",
    ),
    (
        "On the PBX: Admin → Integrations → API → Add: make a client for callspool alone (for example callspool), without a person behind it; if this build wants an extension for it, a disabled one. The PBX allows one token at a time for each client, so two programs with one client throw each other out.",
        "Auf der Telefonanlage: Admin → Integrations → API → Add: legen Sie einen Client nur für callspool an (zum Beispiel callspool), ohne Person dahinter; will dieser Stand eine Nebenstelle dafür, eine gesperrte. Die Anlage erlaubt jedem Client ein Token zur Zeit, darum werfen zwei Programme mit einem Client einander hinaus.",
    ),
    (
        "Set PBX and box to the same time server; on the PBX, Admin → General → Time Zone must be the real one, and the machine's own clock must be UTC.",
        "Stellen Sie Telefonanlage und Gerät nach demselben Zeitserver; auf der Anlage muss Admin → General → Time Zone die wirkliche sein, und die Uhr der Maschine selbst muss UTC sein.",
    ),
    (
        "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick both groups, Reports User and Recording Manager (older v18 builds name them differently; they are two items) → OK. A new key is shown once.",
        "Auf der Telefonanlage: Users → der für callspool angelegte Benutzer → Edit → Reiter Rights: beide Gruppen ankreuzen, Reports User und Recording Manager (ältere Stände von v18 nennen sie anders; es sind zwei Einträge) → OK. Ein neuer Schlüssel wird einmal gezeigt.",
    ),
    (
        "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick Reports User (Recording Manager is ticked already) → OK.",
        "Auf der Telefonanlage: Users → der für callspool angelegte Benutzer → Edit → Reiter Rights: Reports User ankreuzen (Recording Manager ist es schon) → OK.",
    ),
    (
        "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick Recording Manager (Reports User is ticked already) → OK.",
        "Auf der Telefonanlage: Users → der für callspool angelegte Benutzer → Edit → Reiter Rights: Recording Manager ankreuzen (Reports User ist es schon) → OK.",
    ),
    (
        "On the PBX: Users → the user made for callspool → Edit → tab Rights: tick Allow access to the 3CX Management Console → OK. Until then calls and recordings flow, but nobody can be given the right to see their own.",
        "Auf der Telefonanlage: Users → der für callspool angelegte Benutzer → Edit → Reiter Rights: Allow access to the 3CX Management Console ankreuzen → OK. Bis dahin laufen Anrufe und Aufzeichnungen, aber niemand kann das Recht bekommen, die eigenen zu sehen.",
    ),
    (
        "Transcripts came with v20; nothing is to be done here.",
        "Transkripte gibt es seit v20; hier ist nichts zu tun.",
    ),
    (
        "Works, but whoever gets hold of the password may change the PBX: redirect extensions, shorten retention, hear every recording. On the PBX: Users → the user made for callspool → Edit → tab Rights: keep Reports User and Recording Manager, and take the administrator's ticks off.",
        "Es geht, aber wer das Passwort in die Hand bekommt, kann die Telefonanlage ändern: Nebenstellen umleiten, Aufbewahrung verkürzen, jede Aufzeichnung hören. Auf der Telefonanlage: Users → der für callspool angelegte Benutzer → Edit → Reiter Rights: Reports User und Recording Manager behalten und die Haken des Administrators wegnehmen.",
    ),
    (
        "On the PBX: Users → the user made for callspool → Edit: compare its name with pbx.client_id, set a new password, and put it into the file that pbx.secret_file names. callspool does not try the refused password again, because the PBX bans addresses after some ten bad logins; it tries as soon as the file is saved anew.",
        "Auf der Telefonanlage: Users → der für callspool angelegte Benutzer → Edit: vergleichen Sie seinen Namen mit pbx.client_id, setzen Sie ein neues Passwort und schreiben Sie es in die Datei, die pbx.secret_file nennt. callspool versucht das abgelehnte Passwort nicht noch einmal, weil die Telefonanlage Adressen nach etwa zehn falschen Anmeldungen sperrt; es versucht es, sobald die Datei neu gespeichert ist.",
    ),
    (
        "Check that pbx.url is the address of the PBX's Management Console with its port (usually 5001), and that no proxy answers for it.",
        "Prüfen Sie, ob pbx.url die Adresse der Management Console der Telefonanlage mit ihrem Port ist (meist 5001) und kein Proxy für sie antwortet.",
    ),
    (
        "On the PBX: Settings → License: call reports and recordings need the Pro or Enterprise edition.",
        "Auf der Telefonanlage: Settings → License: Anrufberichte und Aufzeichnungen brauchen die Ausgabe Pro oder Enterprise.",
    ),
    (
        "On the PBX: Dashboard → IP Blacklist: delete this box's address if it is there; then Settings → Security → Console Restrictions: add this box's address to the allowed ones. Then save the file that pbx.secret_file names anew (touch is enough), and callspool tries again.",
        "Auf der Telefonanlage: Dashboard → IP Blacklist: löschen Sie die Adresse dieses Geräts, falls sie dort steht; dann Settings → Security → Console Restrictions: fügen Sie sie zu den erlaubten hinzu. Dann speichern Sie die Datei, die pbx.secret_file nennt, neu (touch genügt), und callspool versucht es wieder.",
    ),
    (
        "On the PBX: Settings → License: renew or activate the licence.",
        "Auf der Telefonanlage: Settings → License: Lizenz verlängern oder aktivieren.",
    ),
    (
        "On the PBX: Settings → Recording settings: raise the quota or delete what is not needed. Until then the PBX records nothing, and what is not recorded can't be had later.",
        "Auf der Telefonanlage: Settings → Recording settings: erhöhen Sie das Kontingent oder löschen Sie, was nicht gebraucht wird. Bis dahin zeichnet die Anlage nichts auf, und was nicht aufgezeichnet ist, gibt es auch später nicht.",
    ),
    (
        "If it is not meant to be so: on the PBX, Users → the extension → Options → Record all calls; for a queue, Queues → the queue → Options.",
        "Wenn es nicht so gewollt ist: auf der Telefonanlage Users → die Nebenstelle → Options → Record all calls; für eine Warteschlange Queues → die Warteschlange → Options.",
    ),
    (
        "On the PBX: Settings → Recording settings → Delete recordings older than: longer than the longest outage that must cost nothing, for example 30 days.",
        "Auf der Telefonanlage: Settings → Recording settings → Delete recordings older than: länger als der längste Ausfall, der nichts kosten darf, zum Beispiel 30 Tage.",
    ),
    (
        "On the PBX: Users → Add: make a user for callspool alone (for example callspool), without a person behind it; if this build wants an extension for it, a disabled one. Two programs with one user throw each other out.",
        "Auf der Telefonanlage: Users → Add: legen Sie einen Benutzer nur für callspool an (zum Beispiel callspool), ohne Person dahinter; will dieser Stand eine Nebenstelle dafür, eine gesperrte. Zwei Programme mit einem Benutzer werfen einander hinaus.",
    ),
    (
        "Set PBX and box to the same time server; on the PBX, Settings → General → Time Zone must be the real one, and the machine's own clock must be UTC.",
        "Stellen Sie Telefonanlage und Gerät nach demselben Zeitserver; auf der Anlage muss Settings → General → Time Zone die wirkliche sein, und die Uhr der Maschine selbst muss UTC sein.",
    ),
    (
        "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick Allow access to the 3CX Management Console, and in it the items for call reports and for recordings (v15.5: System Administrator) → OK.",
        "Auf der Telefonanlage: Extensions → die für callspool angelegte → Edit → Reiter Rights: Allow access to the 3CX Management Console ankreuzen und darin die Einträge für Anrufberichte und für Aufzeichnungen (v15.5: System Administrator) → OK.",
    ),
    (
        "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick the item for call reports (v15.5: System Administrator) → OK.",
        "Auf der Telefonanlage: Extensions → die für callspool angelegte → Edit → Reiter Rights: den Eintrag für Anrufberichte ankreuzen (v15.5: System Administrator) → OK.",
    ),
    (
        "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick the item for recordings (v15.5: System Administrator) → OK.",
        "Auf der Telefonanlage: Extensions → die für callspool angelegte → Edit → Reiter Rights: den Eintrag für Aufzeichnungen ankreuzen (v15.5: System Administrator) → OK.",
    ),
    (
        "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: tick Global Extension Manager → OK. Until then calls and recordings flow, but nobody can be given the right to see their own.",
        "Auf der Telefonanlage: Extensions → die für callspool angelegte → Edit → Reiter Rights: Global Extension Manager ankreuzen → OK. Bis dahin laufen Anrufe und Aufzeichnungen, aber niemand kann das Recht bekommen, die eigenen zu sehen.",
    ),
    (
        "Works, but whoever gets hold of the password may change the PBX. On the PBX: Extensions → the one made for callspool → Edit → tab Rights: take System Administrator and VoIP/Trunk Administrator off, if calls and recordings still come without them.",
        "Es geht, aber wer das Passwort in die Hand bekommt, kann die Telefonanlage ändern. Auf der Telefonanlage: Extensions → die für callspool angelegte → Edit → Reiter Rights: System Administrator und VoIP/Trunk Administrator wegnehmen, wenn Anrufe und Aufzeichnungen ohne sie weiter kommen.",
    ),
    (
        "On the PBX: Extensions → the one made for callspool → Edit → tab Rights: compare its number with pbx.client_id, set a new password, and put it into the file that pbx.secret_file names. callspool does not try the refused password again, because the PBX bans addresses after some ten bad logins; it tries as soon as the file is saved anew.",
        "Auf der Telefonanlage: Extensions → die für callspool angelegte → Edit → Reiter Rights: vergleichen Sie ihre Nummer mit pbx.client_id, setzen Sie ein neues Passwort und schreiben Sie es in die Datei, die pbx.secret_file nennt. callspool versucht das abgelehnte Passwort nicht noch einmal, weil die Telefonanlage Adressen nach etwa zehn falschen Anmeldungen sperrt; es versucht es, sobald die Datei neu gespeichert ist.",
    ),
    (
        "On the PBX: Settings → License: call reports and recordings need the Pro edition.",
        "Auf der Telefonanlage: Settings → License: Anrufberichte und Aufzeichnungen brauchen die Ausgabe Pro.",
    ),
    (
        "If it is not meant to be so: on the PBX, Extensions → the extension → Options → Record all calls; for a queue, Queues → the queue → Options.",
        "Wenn es nicht so gewollt ist: auf der Telefonanlage Extensions → die Nebenstelle → Options → Record all calls; für eine Warteschlange Queues → die Warteschlange → Options.",
    ),
    (
        "On the PBX: Extensions → Add: make an extension for callspool alone, without a phone. Two programs with one login throw each other out.",
        "Auf der Telefonanlage: Extensions → Add: legen Sie eine Nebenstelle nur für callspool an, ohne Telefon. Zwei Programme mit einer Anmeldung werfen einander hinaus.",
    ),
    (
        "Check the PBX's address in the configuration, its power and the network between; `callspool doctor` says how far the way goes.",
        "Prüfen Sie die Adresse der Telefonanlage in der Konfiguration, ihren Strom und das Netz dazwischen; `callspool doctor` sagt, wie weit der Weg reicht.",
    ),
    (
        "If the PBX got a new certificate, compare the new pin with the one on the PBX and accept it on the page or with `callspool pin accept PIN`. If not, somebody may be between: don't accept it.",
        "Hat die Telefonanlage ein neues Zertifikat bekommen, vergleichen Sie den neuen Pin mit dem auf der Anlage und nehmen Sie ihn auf der Seite oder mit `callspool pin accept PIN` an. Wenn nicht, ist vielleicht jemand dazwischen: nehmen Sie ihn nicht an.",
    ),
    (
        "Check that pbx.url has the name that is in the PBX's certificate, and this box's clock; or set pbx.trust to \"pin\" or to the authority's file.",
        "Prüfen Sie, ob pbx.url den Namen hat, der im Zertifikat der Telefonanlage steht, und die Uhr dieses Geräts; oder setzen Sie pbx.trust auf \"pin\" oder auf die Datei der Zertifizierungsstelle.",
    ),
    (
        "callspool asks again by itself; if it lasts, look at the PBX's services and load.",
        "callspool fragt von selbst wieder; hält es an, sehen Sie nach Diensten und Last der Telefonanlage.",
    ),
    (
        "Something else than the PBX may answer at this address (a proxy, a login page): open it in a browser.",
        "Vielleicht antwortet unter dieser Adresse etwas anderes als die Telefonanlage (ein Proxy, eine Anmeldeseite): öffnen Sie sie in einem Browser.",
    ),
    (
        "Lengthen the PBX's retention, or let callspool reach it more often.",
        "Verlängern Sie die Aufbewahrung der Telefonanlage, oder lassen Sie callspool sie öfter erreichen.",
    ),
    (
        "Look at the store and the disk of this box.",
        "Sehen Sie nach Speicher und Platte dieses Geräts.",
    ),
];
