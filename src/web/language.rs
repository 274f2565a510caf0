//! In which language somebody is answered: what they chose, kept in a cookie, else what their browser asks for.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Request};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::guard::{self, cookie_named};
use super::layout::{self, Refusal};
use crate::tongue::{self, CHOICES, Tongue};

const COOKIE: &str = "__Host-language";

/// Answers in the language of whoever asks. What scripts read is English.
pub(crate) async fn spoken(request: Request, next: Next) -> Response {
    let tongue = match for_scripts(request.uri()) {
        true => Tongue::English,
        false => asked_for(request.headers()),
    };
    tongue::speaking(tongue, next.run(request)).await
}

fn for_scripts(uri: &Uri) -> bool {
    uri.path().starts_with("/api/") || uri.path() == "/metrics"
}

fn asked_for(headers: &HeaderMap) -> Tongue {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Tongue::chosen(cookie_named(headers, COOKIE).as_deref(), accepted)
}

#[derive(Deserialize, Default)]
pub(super) struct Choice {
    #[serde(default)]
    language: String,
    #[serde(default)]
    back: String,
}

/// Keeps somebody's choice, for a year.
pub(super) async fn choose(uri: Uri, form: Result<Form<Choice>, FormRejection>) -> Response {
    let Form(choice) = form.unwrap_or_default();
    let Some(tongue) = Tongue::of_tag(&choice.language) else {
        return layout::refuse(
            &uri,
            Refusal {
                status: StatusCode::BAD_REQUEST,
                title: t!("Not a language of this page"),
                why: t!("The form did not say which, or one that is not spoken here."),
                next: t!("Go back and choose again."),
            },
        );
    };
    let cookie = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000",
        tongue.tag()
    );
    let mut response = layout::to(StatusCode::SEE_OTHER, guard::way_back(&choice.back));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response.into_response()
}

/// A button for each of the other languages, which leads `back`; none on a page that has one language.
pub(super) fn buttons(back: &str) -> Markup {
    html! {
        @if tongue::chosen_here().is_some() { form method="post" action="/language" {
            input type="hidden" name="back" value=(back);
            @for (tongue, name) in CHOICES.iter().filter(|(tongue, _)| *tongue != tongue::current()) {
                button class="link" name="language" value=(tongue.tag()) lang=(tongue.tag()) { (name) }
            }
        } }
    }
}
