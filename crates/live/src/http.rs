//! What can be asked over HTTP: health for everybody, days and the present state for whoever has a token.
//!
//! The running day is looked at between two batches, on the engine's own thread; a stored day comes from the database.
//! What a caller may not see answers exactly as what is not there. HTTP has a thread of its own: whoever asks too much
//! costs the feed nothing but the looking.

mod acknowledgements;
mod auth;
mod days;
mod events;
mod front;
mod issue;
mod looking;
mod metrics;
mod names;
mod orders;
mod page;
mod rates;
mod state;

pub(crate) use events::{ALERTS_WITHIN, Told};
pub use front::{FrontOptions, front};
pub(crate) use looking::Looking;
pub(crate) use metrics::Requests;
pub(crate) use names::Names;
pub(crate) use rates::Rates;

use crate::alerting::{Alerting, Sight};
use crate::database::Database;
use crate::desk::Desk;
use crate::feed::{Inbox, Stop};
use crate::health::Health;
use crate::hub::Hub;
use crate::measure::{Facts, LiveDay, Look, Work, at_once};
use crate::standing::{Now, Present};
use anyhow::{Context, Result};
use auth::Caller;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use quoteclock_rules::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 64 << 10;
/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// How long a head may take to come.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer may take: measuring a day again has to fit in.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// What a socket holds of what has not been taken.
const SEND_BUFFER_BYTES: usize = 64 << 10;
/// Connections that wait to be accepted.
const WAITING_MAX: i32 = 1024;
/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// What answers are made from.
pub(crate) struct Http {
    pub(crate) db: Database,
    pub(crate) desk: Arc<Desk>,
    pub(crate) inbox: Inbox,
    pub(crate) health: Arc<Health>,
    /// The names under which it may be asked to change something, those of a certificate apart.
    pub(crate) names: Names,
    pub(crate) rates: Rates,
    pub(crate) looking: Looking,
    pub(crate) hub: Hub,
    pub(crate) told: Told,
    pub(crate) requests: Requests,
    pub(crate) alerting: Option<Arc<Alerting>>,
    /// One at a time reads the journal again.
    pub(crate) past: Arc<tokio::sync::Semaphore>,
    /// The clock on the wall.
    pub(crate) clock: fn() -> jiff::Timestamp,
}

impl Http {
    /// The names under which it may be asked to change something.
    fn names(&self) -> Names {
        self.desk.tls().map_or_else(|| self.names.clone(), |tls| Names::Certificate(tls.certificate))
    }

    /// What depends on the clock on the wall, where the last record took so long.
    fn now(&self, lag_us: u64) -> Now {
        Now::of((self.clock)(), &self.health, lag_us)
    }

    /// What alerts are told from.
    fn sight<'a>(&'a self, present: Option<&'a Present>, registry: &'a Registry) -> Sight<'a> {
        Sight { present, registry, health: &self.health, hub: &self.hub, now: (self.clock)() }
    }
}

/// The connection that a request came over: told when it is to be closed.
#[derive(Clone)]
struct Connection(Arc<tokio::sync::Notify>);

type Shared = State<Arc<Http>>;

/// Binds the address, if there is one, and answers on a thread of its own; gives the address that was bound. Alerts are looked
/// for there, too.
pub(crate) fn start(address: Option<SocketAddr>, shown: Http, stop: Stop) -> Result<Option<SocketAddr>> {
    if address.is_none() && shown.alerting.is_none() {
        return Ok(None);
    }
    let bind = |address| listen(address).with_context(|| format!("listening at {address}"));
    let listener = address.map(bind).transpose()?;
    let bound = listener.as_ref().map(std::net::TcpListener::local_addr).transpose().context("listening")?;
    let shown = Arc::new(shown);
    let work = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "starting to answer HTTP"),
        };
        runtime.block_on(async move {
            tokio::spawn(events::watch(Arc::clone(&shown)));
            match listener.map(tokio::net::TcpListener::from_std) {
                Some(Ok(listener)) => {
                    let desk = Arc::clone(&shown.desk);
                    // A certificate that is read again holds for new connections.
                    accept(listener, router(shown), || desk.tls().map(|tls| tls.acceptor), &stop).await;
                }
                Some(Err(error)) => tracing::error!(%error, "answering HTTP"),
                None => stop.wait().await,
            }
        });
    };
    std::thread::Builder::new().name("http".to_owned()).spawn(work).context("starting to answer HTTP")?;
    Ok(bound)
}

/// Binds an address.
fn listen(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(WAITING_MAX)?;
    Ok(socket.into())
}

/// Accepts connections until everything stops; `tls` gives what each is answered with, if over TLS.
async fn accept(listener: tokio::net::TcpListener, router: Router, tls: impl Fn() -> Option<TlsAcceptor>, stop: &Stop) {
    let room = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.wait() => return,
        };
        // What it does not take waits here, and is counted against it.
        let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
        let close = Arc::new(tokio::sync::Notify::new());
        let service = TowerToHyperService::new(router.clone().layer(Extension(Connection(Arc::clone(&close)))));
        let tls = tls();
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES_MAX);
            // Whoever breaks off or sends no HTTP is nobody's concern.
            tokio::select! {
                () = converse(stream, tls, &http, service) => {}
                () = close.notified() => {}
            }
            drop(place);
        });
    }
}

/// Answers what comes over one connection.
async fn converse(
    stream: tokio::net::TcpStream,
    tls: Option<TlsAcceptor>,
    http: &hyper::server::conn::http1::Builder,
    service: TowerToHyperService<Router>,
) {
    let Some(tls) = tls else { return drop(http.serve_connection(TokioIo::new(stream), service).await) };
    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_WITHIN, tls.accept(stream)).await {
        drop(http.serve_connection(TokioIo::new(stream), service).await);
    }
}

/// Every route there is.
fn routes() -> Vec<(&'static str, MethodRouter<Arc<Http>>)> {
    vec![
        ("/", get(page::index)),
        ("/page.css", get(page::style)),
        ("/page.js", get(page::script)),
        ("/healthz", get(healthz)),
        ("/readyz", get(readyz)),
        ("/metrics", get(metrics::metrics)),
        ("/api/v1/openapi.json", get(page::description)),
        ("/api/v1/state", get(state::state)),
        ("/api/v1/issues/{issue}/market-makers/{market_maker}", get(issue::issue)),
        ("/api/v1/days/{date}/daily.csv", get(days::daily)),
        ("/api/v1/days/{date}/breaches.csv", get(days::breaches)),
        ("/api/v1/events", get(events::events)),
        ("/api/v1/acknowledgements", get(acknowledgements::list).post(acknowledgements::add)),
        ("/api/v1/fast-market", post(orders::fast_market)),
        ("/api/v1/registry/reload", post(orders::reload)),
    ]
}

fn router(shown: Arc<Http>) -> Router {
    let all = routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let all = all
        .fallback(elsewhere)
        .method_not_allowed_fallback(elsewhere)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&shown), log_access))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN))
        .with_state(shown);
    // From out here the headers can be seen that a route adds to its answers.
    Router::new().fallback_service(all).layer(axum::middleware::map_response(without_methods))
}

/// Takes note of each request by its route, never by its path: that would tell who quotes what.
async fn log_access(State(shown): Shared, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let response = next.run(request).await;
    shown.requests.count(&route, response.status());
    if !matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") {
        tracing::info!(%method, route, status = response.status().as_u16(), "asked");
    }
    response
}

/// The methods of a route would tell what there is from what there is not.
async fn without_methods(mut response: Response) -> Response {
    response.headers_mut().remove(header::ALLOW);
    response
}

async fn healthz() -> Response {
    json(StatusCode::OK, "{\"status\":\"ok\"}\n".to_owned())
}

/// What there is not: a caller without a token is told so first, as everywhere below `/api`.
async fn elsewhere(State(shown): Shared, request: Request) -> Response {
    let path = request.uri().path();
    let is_below = path.starts_with("/api/") || path == "/metrics";
    match is_below.then(|| Caller::of(request.headers(), &shown)) {
        Some(Err(refusal)) => *refusal,
        _ => not_found(),
    }
}

/// The same of a front, which does not know whose a token is.
async fn elsewhere_of_front(request: Request) -> Response {
    let path = request.uri().path();
    let is_below = path.starts_with("/api/") || path == "/metrics";
    if is_below && auth::token_of(request.headers()).is_none() { unauthorised() } else { not_found() }
}

/// Whether the source is followed.
async fn readyz(State(shown): Shared) -> Response {
    if shown.health.is_following() {
        json(StatusCode::OK, "{\"status\":\"ready\"}\n".to_owned())
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, "{\"status\":\"waiting\"}\n".to_owned())
    }
}

/// The one answer for what is not there, and for what the caller may not see.
fn not_found() -> Response {
    json(StatusCode::NOT_FOUND, "{\"error\":\"not found\"}\n".to_owned())
}

/// The one answer for whoever has no valid token.
fn unauthorised() -> Response {
    let mut response = json(StatusCode::UNAUTHORIZED, "{\"error\":\"a valid token is required\"}\n".to_owned());
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// The one answer for whoever asks too often.
fn too_many() -> Response {
    let mut response = json(StatusCode::TOO_MANY_REQUESTS, "{\"error\":\"too many requests\"}\n".to_owned());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(error = %format!("{error:#}"), "answering a request");
    json(StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"internal error\"}\n".to_owned())
}

/// What is wrong with what was asked.
fn error(status: StatusCode, text: &str) -> Response {
    json(status, format!("{}\n", serde_json::json!({ "error": text })))
}

fn json(status: StatusCode, body: String) -> Response {
    with_type(status, "application/json", body.into_bytes())
}

fn with_type(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body).into_response()
}

/// What `look` sees of the running day; `None` if there is none.
async fn look<T: Send + 'static>(
    shown: &Http,
    look: impl FnOnce(&mut LiveDay, &Facts) -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let look = at_once(move |day, facts| {
        // Whoever asked may have gone.
        let _ = sender.send(look(day, facts));
    });
    ask_engine(shown, look).await?;
    receiver.await.ok()
}

/// Hands a look to the engine; `None` if there is none.
async fn ask_engine(shown: &Http, look: Look) -> Option<()> {
    ask_engine_for(shown, Work::Look(look)).await
}

/// Hands some work to the engine; `None` if there is none.
async fn ask_engine_for(shown: &Http, work: Work) -> Option<()> {
    let inbox = shown.inbox.lock().ok()?.clone()?;
    // A full inbox is waited for elsewhere than on the thread that answers the others.
    let sent = tokio::task::spawn_blocking(move || inbox.send(work).is_ok()).await;
    sent.ok()?.then_some(())
}

#[cfg(test)]
mod tests;
