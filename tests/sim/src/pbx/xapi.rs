//! From an HTTP request to the right answer: address, token, rights, faults.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, header};
use hyper::body::Frame;

use super::config::{Licence, Principal};
use super::faults::{FaultKind, PathKind};
use super::filter::decode;
use super::odata::Query;
use super::reply::Reply;
use super::report::Table;
use super::{Exchange, Shared, callcontrol, control, directory, recordings, report, system, v18, view};

/// All that the PBX answers.
pub(super) fn router(pbx: Exchange) -> Router {
    control::router().fallback(answer).with_state(pbx)
}

async fn answer(State(pbx): State<Exchange>, request: Request) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    let path = decode(head.uri.path(), false);
    let raw_query = head.uri.query().unwrap_or_default().to_owned();
    let raw_query = raw_query.as_str();
    let console = v18::kind_of(&path);
    let kind = console.unwrap_or_else(|| kind_of(&path));
    let skip = match console {
        Some(_) => v18::skip(raw_query),
        None => Query::parse(raw_query).map_or(0, |q| q.skip()),
    };
    *pbx.lock().requests.entry(kind).or_default() += 1;
    let faults = pbx.faults.take(kind, skip);
    for fault in &faults {
        if let FaultKind::Slow { ms } = fault {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
        }
        if let FaultKind::RevokeToken { .. } = fault {
            let mut shared = pbx.lock();
            shared.tokens.revoke();
            shared.sessions.end();
        }
    }
    let reply = match shut_out(&pbx).or_else(|| faults.iter().find_map(FaultKind::instead)) {
        Some(wrong) => wrong,
        None if console.is_some() => {
            let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
            let body = String::from_utf8_lossy(&body);
            v18::answer(&pbx, &head.method, &path, raw_query, &head.headers, &body)
        }
        None if kind == PathKind::Token => {
            let form = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
            token(&pbx, &head.method, &String::from_utf8_lossy(&form))
        }
        None if kind == PathKind::CallControl => match call_control(&pbx, &mut head, &path) {
            Ok(upgraded) => return upgraded,
            Err(reply) => reply,
        },
        None => {
            let bearer = head
                .headers
                .get(header::AUTHORIZATION)
                .and_then(|value| value.to_str().ok());
            let host = head.headers.get(header::HOST).and_then(|value| value.to_str().ok());
            let host = format!("https://{}", host.unwrap_or("pbx.example.invalid"));
            right_answer(&pbx, &head.method, &path, raw_query, kind, bearer, &host)
                .unwrap_or_else(|refusal| refusal)
        }
    };
    finish(reply, &faults, &pbx.version())
}

fn call_control(pbx: &Exchange, head: &mut Parts, path: &str) -> Result<Response<Body>, Reply> {
    let bearer = head.headers.get(header::AUTHORIZATION);
    let bearer = bearer.and_then(|value| value.to_str().ok());
    {
        let shared = pbx.lock();
        if shared.world.config.build().0 < 20 {
            return Err(Reply::empty(404));
        }
        if !shared.tokens.lets_in(bearer, pbx.time.now_ms()) {
            return Err(Reply::empty(401));
        }
    }
    callcontrol::answer(pbx, head, path)
}

/// What the PBX says to an address that it doesn't talk to, whatever was asked.
fn shut_out(pbx: &Exchange) -> Option<Reply> {
    let shared = pbx.lock();
    let principal = &shared.world.config.principal;
    (principal.ip_refused || principal.blacklisted).then(|| Reply::html(403, "403 Forbidden"))
}

fn kind_of(path: &str) -> PathKind {
    let Some(rest) = path.strip_prefix("/xapi/v1") else {
        return if path == "/connect/token" {
            PathKind::Token
        } else if path == "/callcontrol" || path.starts_with("/callcontrol/") {
            PathKind::CallControl
        } else {
            PathKind::Other
        };
    };
    let starts = |prefix: &str| rest.starts_with(prefix);
    match rest {
        _ if starts("/ReportCallLogData/Pbx.GetCallLogData(") => PathKind::Report,
        _ if starts("/ReportCallLogData/Pbx.GetOldCallLogData(") => PathKind::OldReport,
        _ if starts("/Recordings/Pbx.DownloadRecording(") => PathKind::Download,
        "/Recordings" => PathKind::Recordings,
        "/CallHistoryView" => PathKind::View,
        _ if starts("/Users(Number=") || starts("/Users/Pbx.GetByNumber(") => PathKind::Users,
        "/Users" => PathKind::Users,
        "/Peers" => PathKind::Peers,
        "/LastCdrAndChatMessageTimestamp" => PathKind::LastCdr,
        _ if starts("/Groups") => PathKind::Groups,
        _ if starts("/Defs") => PathKind::Defs,
        "/SystemStatus"
        | "/LicenseStatus"
        | "/ActiveCalls"
        | "/Recordings/Pbx.GetRecordingRepositorySettings()" => PathKind::System,
        "/ServicePrincipals"
        | "/EventLogs"
        | "/Trunks"
        | "/CDRSettings"
        | "/RemoteArchivingSettings"
        | "/E164Settings" => PathKind::Administration,
        _ => PathKind::Other,
    }
}

fn token(pbx: &Exchange, method: &Method, form: &str) -> Reply {
    let mut shared = pbx.lock();
    let now_ms = shared.world.clock_ms(pbx.time.now_ms());
    let Shared { world, tokens, .. } = &mut *shared;
    // A v18 doesn't know this address at all.
    if world.config.build().0 < 20 {
        return Reply::empty(404);
    }
    if method != Method::POST {
        return Reply::empty(405);
    }
    let reply = tokens.request(&world.config, &world.config.principal.role, form, now_ms);
    if tokens.is_enough(world.config.blacklist_after) {
        world.config.principal.blacklisted = true;
    }
    reply
}

fn right_answer(
    pbx: &Exchange,
    method: &Method,
    path: &str,
    raw_query: &str,
    kind: PathKind,
    bearer: Option<&str>,
    host: &str,
) -> Result<Reply, Reply> {
    let now_ms = pbx.time.now_ms();
    let mut shared = pbx.lock();
    let rest = path
        .strip_prefix("/xapi/v1")
        .filter(|_| shared.world.config.build().0 >= 20);
    let rest = rest.ok_or_else(|| Reply::empty(404))?;
    if !shared.tokens.lets_in(bearer, shared.world.clock_ms(now_ms)) {
        return Err(Reply::empty(401));
    }
    match shared.world.config.principal.licence {
        Licence::WithApi => {}
        Licence::NoApi404 => return Err(Reply::empty(404)),
        Licence::NoApi403 => return Err(Reply::error(403, "", "Forbidden")),
    }
    if method != Method::GET {
        return Err(Reply::empty(405));
    }
    let department = scope(&shared.world.config.principal, &shared.world.company, kind, rest)?;
    if kind == PathKind::View && decode(raw_query, true).contains("date(") {
        // Newer builds answer it with nothing.
        return view::answer(&shared.world, &decode(raw_query, true), &Query::default(), host, now_ms);
    }
    let query = Query::parse(raw_query)?;
    if kind == PathKind::Users && directory::shows_secrets(&query) {
        shared.secrets_served += 1;
    }
    let world = &shared.world;
    match kind {
        PathKind::Report => {
            let arguments = arguments(rest)?;
            report::answer(world, Table::New, arguments, &query, department, host, now_ms)
        }
        PathKind::OldReport => {
            let arguments = arguments(rest)?;
            report::answer(world, Table::Old, arguments, &query, department, host, now_ms)
        }
        PathKind::View => view::answer(world, &decode(raw_query, true), &query, host, now_ms),
        PathKind::Users if rest != "/Users" => directory::user_by_number(world, rest, &query, department, host),
        PathKind::Recordings => recordings::list(world, &query, department, host, now_ms),
        PathKind::Download => recordings::download(world, arguments(rest)?, department, now_ms),
        PathKind::Users => directory::users(world, &query, department, host),
        PathKind::Peers => directory::peers(world, &query, department, host),
        PathKind::Groups => groups(world, rest, &query, department, host),
        PathKind::LastCdr => system::last_cdr(world, &query, host, now_ms),
        PathKind::Defs => match rest {
            "/Defs" => Ok(system::defs()),
            "/Defs/Pbx.GetSystemParameters()" => Ok(system::parameters(world)),
            "/Defs/Pbx.GetLicenseParameters()" => Ok(system::license_parameters()),
            _ => Err(Reply::empty(404)),
        },
        PathKind::System => Ok(match rest {
            "/SystemStatus" => system::status(world, now_ms),
            "/LicenseStatus" => system::license(world, now_ms),
            "/ActiveCalls" => return system::going(world, &query, host, now_ms),
            _ => recordings::repository(world, now_ms),
        }),
        PathKind::Administration => system::administration(world, rest, &query, host),
        // `/Recordings(5)` and everything else that the specification has or hasn't but this PBX doesn't.
        PathKind::Token | PathKind::CallControl | PathKind::Other => Err(Reply::empty(404)),
    }
}

fn groups(
    world: &super::world::World,
    rest: &str,
    query: &Query,
    department: Option<i32>,
    host: &str,
) -> Result<Reply, Reply> {
    if rest == "/Groups" {
        return directory::groups(world, query, department, host);
    }
    let inside = rest.strip_prefix("/Groups(").and_then(|r| r.split_once(")/"));
    let (id, part) = inside.ok_or_else(|| Reply::empty(404))?;
    let id = id
        .strip_prefix("Id=")
        .unwrap_or(id)
        .parse()
        .map_err(|_| Reply::empty(404))?;
    if department.is_some_and(|own| own != id) {
        return Err(Reply::empty(403));
    }
    directory::group_part(world, id, part, query, host)
}

/// What stands between the outermost brackets of a function's address.
fn arguments(rest: &str) -> Result<&str, Reply> {
    let inside = rest.split_once('(').and_then(|(_, behind)| behind.strip_suffix(')'));
    inside.ok_or_else(|| Reply::empty(404))
}

/// The department that the principal is confined to (`None`: all of them), or 403.
///
/// What roles below the owner get from the report and from recordings is not documented; here managers see their
/// department and lesser roles nothing, after 3CX's descriptions of the roles.
fn scope(
    principal: &Principal,
    company: &super::company::Company,
    kind: PathKind,
    rest: &str,
) -> Result<Option<i32>, Reply> {
    let forbidden = || Reply::error(403, "", "Forbidden");
    if rest == "/Defs" {
        return Ok(None);
    }
    let department = principal.department.as_ref().ok_or_else(forbidden)?;
    let own = company
        .departments
        .iter()
        .find(|d| d.number == *department)
        .map(|d| d.id);
    let is_history = matches!(
        kind,
        PathKind::Report | PathKind::OldReport | PathKind::View | PathKind::LastCdr
    );
    let is_recording = matches!(kind, PathKind::Recordings | PathKind::Download);
    let is_directory = matches!(kind, PathKind::Users | PathKind::Groups | PathKind::Peers);
    let is_administration = kind == PathKind::Administration || rest.ends_with("GetRecordingRepositorySettings()");
    if is_history && !principal.history_allowed
        || is_recording && !principal.recordings_allowed
        || is_directory && !principal.directory_allowed
        || is_administration && !principal.administration_allowed
    {
        return Err(forbidden());
    }
    if is_administration && !["system_owners", "system_admins"].contains(&principal.role.as_str()) {
        return Err(forbidden());
    }
    match principal.role.as_str() {
        // Seen on a live PBX: this one set needs the owner.
        "system_admins" if kind == PathKind::View => Err(forbidden()),
        "system_owners" | "system_admins" => Ok(None),
        "group_owners" | "managers" => own.map(Some).ok_or_else(forbidden),
        "group_admins" if !is_history && !is_recording => own.map(Some).ok_or_else(forbidden),
        _ => Err(forbidden()),
    }
}

fn finish(mut reply: Reply, faults: &[FaultKind], version: &str) -> Response<Body> {
    faults.iter().for_each(|fault| fault.bend(&mut reply));
    let mut length_claimed = None;
    let mut share = None;
    for fault in faults {
        match fault {
            FaultKind::CutBody { share: arrives } => share = Some(*arrives),
            FaultKind::LongerContentLength { extra } => length_claimed = Some(*extra),
            _ => {}
        }
    }
    if share.is_none() && length_claimed.is_none() {
        return reply.into_http(version);
    }
    let (whole, _) = reply.clone().bytes();
    let arrives = share
        .map_or(whole.len(), |share| (whole.len() as f64 * share) as usize)
        .min(whole.len());
    let mut response = reply.into_http(version);
    let claimed = whole.len() as u64 + length_claimed.unwrap_or(0);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(claimed));
    *response.body_mut() = Body::new(CutBody {
        part: Some(Bytes::from(whole).slice(..arrives)),
        waited: false,
    });
    response
}

/// A body that fails after its first part; hyper then drops the connection, as a cut line would.
struct CutBody {
    part: Option<Bytes>,
    waited: bool,
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        // One more turn of the event loop, so that the first part is on the wire before the connection goes.
        if !self.waited {
            self.waited = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("the line was cut"))))
    }
}
