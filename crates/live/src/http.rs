//! What can be asked over HTTP: health for everybody, days and the present state for whoever has a token.
//!
//! The running day is looked at between two batches, on the engine's own thread; a stored day comes from the database.
//! What a caller may not see answers exactly as what is not there. HTTP has a thread of its own: whoever asks too much
//! costs the feed nothing but the looking.

mod auth;
mod days;
mod orders;
mod state;

use crate::desk::Desk;
use crate::feed::{Inbox, Stop};
use crate::measure::{LiveDay, Work};
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
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
/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// How the program is.
#[derive(Debug, Default)]
pub(crate) struct Health {
    following: AtomicBool,
}

impl Health {
    pub(crate) fn set_following(&self, following: bool) {
        self.following.store(following, Ordering::Relaxed);
    }
}

/// What answers are made from.
pub(crate) struct Http {
    pub(crate) db: PathBuf,
    pub(crate) desk: Arc<Desk>,
    pub(crate) inbox: Inbox,
    pub(crate) health: Arc<Health>,
}

type Shared = State<Arc<Http>>;

/// Binds the address and answers on a thread of its own; gives the address that was bound.
pub(crate) fn start(address: SocketAddr, shown: Http, stop: Stop) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(address).with_context(|| format!("listening at {address}"))?;
    listener.set_nonblocking(true).context("listening")?;
    let bound = listener.local_addr().context("listening")?;
    let router = router(Arc::new(shown));
    let work = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "starting to answer HTTP"),
        };
        runtime.block_on(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => accept(listener, router, &stop).await,
                Err(error) => tracing::error!(%error, "answering HTTP"),
            }
        });
    };
    std::thread::Builder::new().name("http".to_owned()).spawn(work).context("starting to answer HTTP")?;
    Ok(bound)
}

/// Accepts connections until everything stops.
async fn accept(listener: tokio::net::TcpListener, router: Router, stop: &Stop) {
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
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES_MAX);
            // Whoever breaks off or sends no HTTP is nobody's concern.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(place);
        });
    }
}

fn router(shown: Arc<Http>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/api/v1/state", get(state::state))
        .route("/api/v1/days/{date}/daily.csv", get(days::daily))
        .route("/api/v1/days/{date}/breaches.csv", get(days::breaches))
        .route("/api/v1/fast-market", post(orders::fast_market))
        .route("/api/v1/registry/reload", post(orders::reload))
        .fallback(async || not_found())
        .method_not_allowed_fallback(async || not_found())
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN))
        .with_state(shown)
}

async fn healthz() -> Response {
    json(StatusCode::OK, "{\"status\":\"ok\"}\n".to_owned())
}

/// Whether the source is followed.
async fn readyz(State(shown): Shared) -> Response {
    if shown.health.following.load(Ordering::Relaxed) {
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

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(error = %format!("{error:#}"), "answering a request");
    json(StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"internal error\"}\n".to_owned())
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
async fn look<T: Send + 'static>(shown: &Http, look: impl FnOnce(&mut LiveDay) -> T + Send + 'static) -> Option<T> {
    let inbox = shown.inbox.lock().ok()?.clone()?;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = Work::Look(Box::new(move |day| {
        // Whoever asked may have gone.
        let _ = sender.send(look(day));
    }));
    // A full inbox is waited for elsewhere than on the thread that answers the others.
    let sent = tokio::task::spawn_blocking(move || inbox.send(work).is_ok()).await;
    if sent.ok()? { receiver.await.ok() } else { None }
}
