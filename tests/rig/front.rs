//! Something that stands before the simulated PBX and answers some questions in its own way: for habits of real PBXs
//! that the simulated one doesn't have.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use tokio::sync::oneshot;

/// What is answered in the PBX's place: a status and a JSON body; `None` lets the PBX answer.
pub type Habit = dyn Fn(&str) -> Option<(u16, String)> + Send + Sync;

/// A running front; dropping it stops it.
pub struct Front {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Before the PBX at `target` (plain HTTP). `habit` is asked with each question's path and query.
    pub fn start(target: &str, habit: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) -> Front {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let (target, habit): (Arc<str>, Arc<Habit>) = (target.into(), Arc::new(habit));
        let router = Router::new().fallback(move |method, uri, headers, body| {
            let (target, habit) = (Arc::clone(&target), Arc::clone(&habit));
            async move {
                let asked =
                    tokio::task::spawn_blocking(move || ask(&target, &*habit, method, &uri, &headers, body));
                asked.await.unwrap()
            }
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        });
        Front {
            addr,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Its base address.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ask(
    target: &str,
    habit: &Habit,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path_and_query().map_or("/", |whole| whole.as_str());
    let mut answer = Response::builder();
    if let Some((status, text)) = habit(path) {
        answer = answer.status(status).header("content-type", "application/json");
        return answer.body(Body::from(text)).unwrap();
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .into();
    let url = format!("{target}{path}");
    let kept = ["authorization", "content-type"];
    let given: Vec<(&str, &str)> = kept
        .iter()
        .filter_map(|name| Some((*name, headers.get(*name)?.to_str().ok()?)))
        .collect();
    let asked = if method == Method::POST {
        let request = given
            .iter()
            .fold(agent.post(&url), |r, (name, value)| r.header(*name, *value));
        request.send(&body[..])
    } else {
        let request = given
            .iter()
            .fold(agent.get(&url), |r, (name, value)| r.header(*name, *value));
        request.call()
    };
    let mut real = asked.unwrap();
    for name in ["content-type", "x-3cx-version", "date"] {
        if let Some(value) = real.headers().get(name) {
            answer = answer.header(name, value.as_bytes());
        }
    }
    let bytes = real.body_mut().read_to_vec().unwrap();
    answer.status(real.status().as_u16()).body(Body::from(bytes)).unwrap()
}
