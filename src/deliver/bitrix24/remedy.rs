//! What a technician does about each failure, with the place to click. Names of places are those of the cloud in August
//! 2026 (Bitrix24 helpdesk 17441038, REST documentation).

/// The remedy for a failure with this code; `None` for what all targets share.
pub(super) fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "scope" => {
            "In Bitrix24: Applications, Developer resources, Integrations, open the webhook or local application, tick the \
             scopes telephony, crm, user and (for tasks) task, and save; then retry."
        }
        "wrong-auth-type" => {
            "Make a local application in Bitrix24 (Applications, Developer resources, Other, Local application, \"API \
             only\") and give its client_id and token in the configuration: packaging/bitrix24.md."
        }
        "right-statistics" => {
            "In Bitrix24: CRM, Add-ons, Telephony, Connection, Access permissions: give the role of callspool's user \
             \"Call statistics - View: Any\"; then retry."
        }
        "right-recording" => {
            "In Bitrix24: CRM, Add-ons, Telephony, Connection, Access permissions: give the role of callspool's user \
             \"Call recording: Any\", and let it write in the folder \"Telephony - Recorded calls\" of the company drive."
        }
        "right-telephony" => {
            "In Bitrix24: CRM, Add-ons, Telephony, Connection, Access permissions: give the role of the user (and of the \
             employee who is named) the right to use telephony; then retry."
        }
        "right-crm" => {
            "In Bitrix24: CRM, Settings, Access permissions: let the role of callspool's user read and add leads, \
             contacts and activities; then retry."
        }
        "right-tasks" => "In Bitrix24: let callspool's user make tasks, or set task_for = 0.",
        "right-users" => "In Bitrix24: tick the scope user, or fill `employees` in the configuration.",
        "webhook-deleted" => {
            "The webhook was deleted, has expired or got another code. Make a new one (Applications, Developer resources, \
             Other, Inbound webhook) and put its address into webhook_file; callspool reads it again by itself."
        }
        "no-auth" => {
            "The application is not installed any more, or somebody else's token is in use. Open it in Bitrix24, take a new \
             refresh token, and put it into refresh_token_file: packaging/bitrix24.md."
        }
        "token-dead" => {
            "Take a new refresh token from the local application and put it into refresh_token_file; callspool reads it \
             again by itself: packaging/bitrix24.md."
        }
        "client" => "Check client_id and client_secret_file against the local application's page in Bitrix24.",
        "no-rest-plan" => {
            "The portal's plan has no REST API (or is not paid): upgrade the plan, or end this target. Everything waits here."
        }
        "portal-moved" => {
            "The portal has another address now. Put it into url (or the webhook's new address into webhook_file)."
        }
        "portal-deleted" => "The portal was deleted. Correct url, or remove the target from the configuration.",
        "overload" => {
            "Bitrix24's support blocked the portal's REST for overload: ask them; callspool asks seldom."
        }
        "operating-time" => {
            "Nothing: the portal gives each method so much time in ten minutes; callspool goes on by itself."
        }
        "rate" => "Nothing: the portal takes so many requests a second; callspool goes on by itself.",
        "no-default-user" => "Give default_user in the configuration: the id of an employee who is active.",
        "webhook-address" => {
            "Put the webhook's whole address, https://company.bitrix24.com/rest/1/…/, into webhook_file (mode 600)."
        }
        "secret" => "Put the secret into its file (mode 600).",
        "format" => "Only WAV and MP3 can be attached: choose one of them as the PBX's format for recordings.",
        "no-crm-entity" => "Set crm_create = true, or add the number to a contact, then retry.",
        "web-page" => {
            "Something else answers in the portal's place (a proxy, a captive portal): open the portal in a browser."
        }
        _ => return None,
    })
}
