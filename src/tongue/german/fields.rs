//! What forms of set-up and settings ask for.

pub(super) const ROWS: super::Rows = &[
    ("Address", "Adresse"),
    (
        "The address under which you open the phone system’s administration in a browser.",
        "Die Adresse, unter der Sie die Verwaltung der Telefonanlage im Browser öffnen.",
    ),
    ("Client ID", "Client-ID"),
    (
        "In the phone system: Admin, Integrations, API, Add. Before version 20: a user of the management console.",
        "In der Telefonanlage: Admin, Integrationen, API, Hinzufügen. Vor Version 20: ein Benutzer der Verwaltungskonsole.",
    ),
    ("API key", "API-Schlüssel"),
    (
        "It is shown once, when the API client is made. Before version 20: that user’s password.",
        "Er wird einmal gezeigt, wenn der API-Client angelegt wird. Vor Version 20: das Passwort dieses Benutzers.",
    ),
    (
        "mqtts:// is encrypted; mqtt:// sends everything in the clear.",
        "mqtts:// ist verschlüsselt; mqtt:// sendet alles im Klartext.",
    ),
    ("User", "Benutzer"),
    (
        "Leave it empty if the broker asks for none.",
        "Leer lassen, wenn der Broker keinen verlangt.",
    ),
    ("That user’s.", "Das dieses Benutzers."),
    (
        "Also hand over the calls of before today",
        "Auch die Anrufe von vor heute übergeben",
    ),
    (
        "Those that the phone system still knows, of the last 30 days.",
        "Die, die die Telefonanlage noch kennt, aus den letzten 30 Tagen.",
    ),
    (
        "As you open it in a browser, without anything behind the name.",
        "Wie Sie es im Browser öffnen, ohne etwas hinter dem Namen.",
    ),
    ("Bitrix24", "Bitrix24"),
    (
        "Calls with their recordings, in the portal’s CRM.",
        "Anrufe mit ihren Aufzeichnungen, im CRM des Portals.",
    ),
    ("Address of the inbound webhook", "Adresse des eingehenden Webhooks"),
    (
        "In the portal: Developer resources, Other, Inbound webhook, with the rights telephony, crm, user and task. The address is a secret.",
        "Im Portal: Entwicklerressourcen, Andere, Eingehender Webhook, mit den Rechten telephony, crm, user und task. Die Adresse ist geheim.",
    ),
    ("HubSpot", "HubSpot"),
    (
        "Calls with their recordings, at the contact.",
        "Anrufe mit ihren Aufzeichnungen, beim Kontakt.",
    ),
    ("Token", "Token"),
    (
        "In HubSpot: Settings, Integrations, Private apps; the app’s access token.",
        "In HubSpot: Einstellungen, Integrationen, Private Apps; das Zugangstoken der App.",
    ),
    ("Pipedrive", "Pipedrive"),
    (
        "Calls with their recordings, at the person.",
        "Anrufe mit ihren Aufzeichnungen, bei der Person.",
    ),
    ("API token", "API-Token"),
    (
        "In Pipedrive: Personal preferences, API.",
        "In Pipedrive: Persönliche Einstellungen, API.",
    ),
    ("EspoCRM", "EspoCRM"),
    (
        "Calls with their recordings, at the contact or lead.",
        "Anrufe mit ihren Aufzeichnungen, beim Kontakt oder Interessenten.",
    ),
    (
        "In EspoCRM: Administration, API users.",
        "In EspoCRM: Administration, API-Benutzer.",
    ),
    (
        "Whom calls belong to that belong to nobody",
        "Wem Anrufe gehören, die sonst niemandem gehören",
    ),
    (
        "The id of a user: it stands in the address of the user’s page.",
        "Die Kennung eines Benutzers: sie steht in der Adresse seiner Seite.",
    ),
    ("Webhook", "Webhook"),
    (
        "A receiver of your own, or a tool like n8n (Standard Webhooks, signed).",
        "Ein eigener Empfänger oder ein Werkzeug wie n8n (Standard Webhooks, signiert).",
    ),
    ("Where events are posted.", "Wohin die Ereignisse gesendet werden."),
    ("Signing secret", "Signaturschlüssel"),
    (
        "It begins with whsec_. The receiver shows it, or you make one and give it to both.",
        "Er beginnt mit whsec_. Der Empfänger zeigt ihn, oder Sie denken sich einen aus und geben ihn beiden.",
    ),
    ("Object storage (S3)", "Objektspeicher (S3)"),
    (
        "Recordings and a JSON beside each, in a bucket.",
        "Aufzeichnungen und ein JSON neben jeder, in einem Bucket.",
    ),
    (
        "Where the object store answers, without the bucket.",
        "Wo der Objektspeicher antwortet, ohne den Bucket.",
    ),
    ("Bucket", "Bucket"),
    ("It must be there already.", "Er muss schon da sein."),
    ("Region", "Region"),
    (
        "Leave it empty if the store knows none.",
        "Leer lassen, wenn der Speicher keine kennt.",
    ),
    ("Access key ID", "Access key ID"),
    (
        "Of a user who may write and list in this bucket, and nothing else.",
        "Eines Benutzers, der in diesem Bucket schreiben und auflisten darf und sonst nichts.",
    ),
    ("Secret key", "Geheimer Schlüssel"),
    ("Folder", "Ordner"),
    (
        "A NAS or a USB disk that is mounted on this box.",
        "Ein NAS oder eine USB-Platte, die an diesem Gerät eingehängt ist.",
    ),
    (
        "It must be there already, and callspool must be allowed to write into it.",
        "Er muss schon da sein, und callspool muss hineinschreiben dürfen.",
    ),
    ("It is on a medium of its own", "Er liegt auf einem eigenen Medium"),
    (
        "While that is away nothing is written in its place.",
        "Solange das fehlt, wird nichts an seiner Stelle geschrieben.",
    ),
];
