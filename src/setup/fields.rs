//! What is asked for the PBX, for each kind of target and for the broker: one table, from which the page makes its forms
//! and takes what was typed. A setting that has a good default is not asked; it can be set in the file or by
//! `callspool config set`.

use crate::tongue::Text;

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    Line,
    /// A secret, which goes into a file; the setting names the file.
    Secret,
    /// Two secrets, a line each, in one file.
    Pair(Text),
    /// Yes or no; the default.
    Tick(bool),
}

/// A field of a form.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The setting, within its table.
    pub leaf: &'static str,
    /// What it is called.
    pub label: Text,
    /// Where it is found, in a sentence.
    pub help: Text,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be given.
    pub needed: bool,
    /// What it looks like; empty if that says nothing.
    pub example: &'static str,
}

/// A kind of target, with its fields.
#[derive(Debug, Clone, Copy)]
pub struct TargetFields {
    /// `target.kind`
    pub kind: &'static str,
    /// What it is called.
    pub name: Text,
    /// What it is, in a sentence.
    pub about: Text,
    /// Its fields.
    pub fields: &'static [Field],
}

const fn field(
    leaf: &'static str,
    label: Text,
    help: Text,
    kind: Kind,
    needed: bool,
    example: &'static str,
) -> Field {
    Field {
        leaf,
        label,
        help,
        kind,
        needed,
        example,
    }
}

/// The PBX.
pub const PBX: &[Field] = &[
    field(
        "url",
        text!("Address"),
        text!("The address under which you open the phone system\u{2019}s administration in a browser."),
        Kind::Line,
        true,
        "https://pbx.example.com",
    ),
    field(
        "client_id",
        text!("Client ID"),
        text!(
            "In the phone system: Admin, Integrations, API, Add. Before version 20: a user of the management console."
        ),
        Kind::Line,
        true,
        "callspool",
    ),
    field(
        "secret_file",
        text!("API key"),
        text!("It is shown once, when the API client is made. Before version 20: that user\u{2019}s password."),
        Kind::Secret,
        true,
        "",
    ),
];

/// The broker.
pub const BROKER: &[Field] = &[
    field(
        "url",
        text!("Address"),
        text!("mqtts:// is encrypted; mqtt:// sends everything in the clear."),
        Kind::Line,
        true,
        "mqtts://broker.example.com",
    ),
    field(
        "user",
        text!("User"),
        text!("Leave it empty if the broker asks for none."),
        Kind::Line,
        false,
        "",
    ),
    field(
        "password_file",
        text!("Password"),
        text!("That user\u{2019}s."),
        Kind::Secret,
        false,
        "",
    ),
];

const HISTORY: Field = field(
    "history",
    text!("Also hand over the calls of before today"),
    text!("Those that the phone system still knows, of the last 30 days."),
    Kind::Tick(true),
    false,
    "",
);

const URL: Field = field(
    "url",
    text!("Address"),
    text!("As you open it in a browser, without anything behind the name."),
    Kind::Line,
    true,
    "https://crm.example.com",
);

/// The kinds of targets, the usual ones first.
pub const TARGETS: &[TargetFields] = &[
    TargetFields {
        kind: "bitrix24",
        name: text!("Bitrix24"),
        about: text!("Calls with their recordings, in the portal\u{2019}s CRM."),
        fields: &[
            field(
                "webhook_file",
                text!("Address of the inbound webhook"),
                text!(
                    "In the portal: Developer resources, Other, Inbound webhook, with the rights telephony, crm, user and task. The address is a secret."
                ),
                Kind::Secret,
                true,
                "",
            ),
            HISTORY,
        ],
    },
    TargetFields {
        kind: "hubspot",
        name: text!("HubSpot"),
        about: text!("Calls with their recordings, at the contact."),
        fields: &[
            field(
                "secret_file",
                text!("Token"),
                text!("In HubSpot: Settings, Integrations, Private apps; the app\u{2019}s access token."),
                Kind::Secret,
                true,
                "",
            ),
            HISTORY,
        ],
    },
    TargetFields {
        kind: "pipedrive",
        name: text!("Pipedrive"),
        about: text!("Calls with their recordings, at the person."),
        fields: &[
            field(
                "url",
                URL.label,
                URL.help,
                Kind::Line,
                true,
                "https://company.pipedrive.com",
            ),
            field(
                "secret_file",
                text!("API token"),
                text!("In Pipedrive: Personal preferences, API."),
                Kind::Secret,
                true,
                "",
            ),
            HISTORY,
        ],
    },
    TargetFields {
        kind: "espocrm",
        name: text!("EspoCRM"),
        about: text!("Calls with their recordings, at the contact or lead."),
        fields: &[
            URL,
            field(
                "secret_file",
                text!("API key"),
                text!("In EspoCRM: Administration, API users."),
                Kind::Secret,
                true,
                "",
            ),
            field(
                "default_owner",
                text!("Whom calls belong to that belong to nobody"),
                text!("The id of a user: it stands in the address of the user\u{2019}s page."),
                Kind::Line,
                true,
                "65f0c1a2b3c4d5e6f",
            ),
            HISTORY,
        ],
    },
    TargetFields {
        kind: "webhook",
        name: text!("Webhook"),
        about: text!("A receiver of your own, or a tool like n8n (Standard Webhooks, signed)."),
        fields: &[
            field(
                "url",
                text!("Address"),
                text!("Where events are posted."),
                Kind::Line,
                true,
                "https://crm.example.com/hooks/calls",
            ),
            field(
                "secret_file",
                text!("Signing secret"),
                text!("It begins with whsec_. The receiver shows it, or you make one and give it to both."),
                Kind::Secret,
                true,
                "",
            ),
            HISTORY,
        ],
    },
    TargetFields {
        kind: "s3",
        name: text!("Object storage (S3)"),
        about: text!("Recordings and a JSON beside each, in a bucket."),
        fields: &[
            field(
                "url",
                text!("Address"),
                text!("Where the object store answers, without the bucket."),
                Kind::Line,
                true,
                "https://s3.example.com",
            ),
            field(
                "bucket",
                text!("Bucket"),
                text!("It must be there already."),
                Kind::Line,
                true,
                "recordings",
            ),
            field(
                "region",
                text!("Region"),
                text!("Leave it empty if the store knows none."),
                Kind::Line,
                false,
                "eu-central-1",
            ),
            field(
                "secret_file",
                text!("Access key ID"),
                text!("Of a user who may write and list in this bucket, and nothing else."),
                Kind::Pair(text!("Secret key")),
                true,
                "",
            ),
            HISTORY,
        ],
    },
    TargetFields {
        kind: "folder",
        name: text!("Folder"),
        about: text!("A NAS or a USB disk that is mounted on this box."),
        fields: &[
            field(
                "path",
                text!("Folder"),
                text!("It must be there already, and callspool must be allowed to write into it."),
                Kind::Line,
                true,
                "/mnt/nas/recordings",
            ),
            field(
                "mount",
                text!("It is on a medium of its own"),
                text!("While that is away nothing is written in its place."),
                Kind::Tick(true),
                false,
                "",
            ),
            HISTORY,
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_a_setting_of_its_kind_and_every_kind_can_be_set_up_with_its_needed_fields() {
        for target in TARGETS {
            let mut page = format!("target.new.kind = \"{}\"\n", target.kind);
            for field in target.fields {
                let value = match field.kind {
                    Kind::Tick(on) => on.to_string(),
                    Kind::Secret | Kind::Pair(_) => "\"/secret\"".to_owned(),
                    Kind::Line => format!("{:?}", field.example),
                };
                page += &format!("target.new.{} = {value}\n", field.leaf);
            }
            let text = "[pbx]\nurl = \"https://x\"\nclient_id = \"a\"\nsecret_file = \"b\"\n";
            let config = crate::config::parse_over(text, &page, std::path::Path::new("/c.toml"));
            let config = config.unwrap_or_else(|problems| panic!("{}: {problems:?}", target.kind));
            assert_eq!(config.targets[0].name, "new");
            assert_eq!(config.origin("target.0.kind"), Some("page"));
        }
    }
}
