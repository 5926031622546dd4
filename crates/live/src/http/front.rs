//! Several processes that have a shard of the market each, shown as one page and one API.
//!
//! A front has no token, no registry and no figures of its own. It hands on the caller's token to every shard, and puts
//! together what they let him see; a shard that does not answer is named in the answer, or the answer is that it is away: what
//! is missing is never left out in silence.

mod ask;
mod events;
mod merge;

use super::auth::{is_own, token_of};
use super::{
    ANSWER_WITHIN, BODY_BYTES_MAX, Names, accept, elsewhere_of_front, error, healthz, json, listen, not_found, page,
    too_many, unauthorised, with_type, without_methods,
};
use crate::address::resolve;
use crate::bad_usage;
use crate::feed::Stop;
use crate::serve::{Ready, stop_on_signals};
use crate::tls::Tls;
use anyhow::{Context, Result};
use ask::{Asked, Shards};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// What is shown, and where.
#[derive(Clone, Debug)]
pub struct FrontOptions {
    /// The shards: `http://HOST:PORT` or `https://HOST[:PORT]` each.
    pub shards: Vec<String>,
    /// Where to answer HTTP.
    pub http: SocketAddr,
    /// Certificates and their key, both as PEM: HTTP is answered over TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Answer HTTP beyond loopback without TLS, and ask shards there so.
    pub insecure_http: bool,
}

/// What answers are made from.
struct Front {
    shards: Shards,
    names: Names,
}

type Shared = State<Arc<Front>>;

/// Shows shards as one until the process is asked to end. `ready` is told what has been bound.
///
/// # Errors
/// [`crate::BadUsage`] where the options make no sense; otherwise what has stopped it.
pub fn front(options: &FrontOptions, ready: impl FnOnce(Ready) -> Result<()>) -> Result<()> {
    check(options)?;
    let tls = options.tls.as_ref().map(|(certificates, key)| Tls::read(certificates, key)).transpose()?;
    let names = match &tls {
        Some(tls) => Names::Certificate(tls.certificate.clone()),
        None if options.insecure_http => Names::Any,
        None => Names::Numbers,
    };
    let shown = Arc::new(Front { shards: Shards::new(&options.shards)?, names });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting")?;
    runtime.block_on(async {
        let address = options.http;
        let listener = listen(address).with_context(|| format!("listening at {address}"))?;
        let http = Some(listener.local_addr().context("listening")?);
        let stop = Stop::new();
        stop_on_signals(&stop)?;
        ready(Ready { http, listen: None })?;
        let listener = tokio::net::TcpListener::from_std(listener).context("listening")?;
        let acceptor = tls.map(|tls| tls.acceptor);
        accept(listener, router(shown), || acceptor.clone(), &stop).await;
        Ok(())
    })
}

/// Refuses what makes no sense before anything is bound.
fn check(options: &FrontOptions) -> Result<()> {
    let FrontOptions { http, tls, insecure_http, .. } = options;
    if !http.ip().is_loopback() && tls.is_none() && !insecure_http {
        return Err(bad_usage(format!(
            "--http {http} beyond loopback without TLS, expected --tls-cert and --tls-key, or --insecure-http to allow it"
        )));
    }
    for (number, shard) in options.shards.iter().enumerate() {
        let host = shard.strip_prefix("http://").map(|host| (host, true));
        let host = host.or_else(|| shard.strip_prefix("https://").map(|host| (host, false)));
        let expected = "expected http://HOST:PORT or https://HOST[:PORT]";
        let wrong = || bad_usage(format!("--join {shard:?}, {expected}"));
        let (host, is_plain) = host.ok_or_else(wrong)?;
        let host = host.trim_end_matches('/');
        if host.is_empty() || host.contains(['/', '@', '?', '#', ' ']) {
            return Err(wrong());
        }
        if is_plain && !insecure_http && !resolve(host)?.ip().is_loopback() {
            return Err(bad_usage(format!(
                "--join {shard}: callers' tokens would go there in the clear, expected https://, or --insecure-http to allow it"
            )));
        }
        if options.shards[..number].contains(shard) {
            return Err(bad_usage(format!("--join {shard} twice, expected each shard once")));
        }
    }
    Ok(())
}

/// Every route there is. What a shard says of its own process (`/metrics`) is asked of the shard.
fn routes() -> Vec<(&'static str, MethodRouter<Arc<Front>>)> {
    vec![
        ("/", get(page::index)),
        ("/page.css", get(page::style)),
        ("/page.js", get(page::script)),
        ("/healthz", get(healthz)),
        ("/readyz", get(readyz)),
        ("/api/v1/openapi.json", get(page::description)),
        ("/api/v1/state", get(state)),
        ("/api/v1/issues/{issue}/market-makers/{market_maker}", get(issue)),
        ("/api/v1/days/{date}/daily.csv", get(day)),
        ("/api/v1/days/{date}/breaches.csv", get(day)),
        ("/api/v1/events", get(events::events)),
        ("/api/v1/acknowledgements", get(acknowledgements).post(of_one)),
        ("/api/v1/fast-market", post(of_all)),
        ("/api/v1/registry/reload", post(of_all)),
    ]
}

fn router(shown: Arc<Front>) -> Router {
    let all = routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let all = all
        .fallback(elsewhere_of_front)
        .method_not_allowed_fallback(elsewhere_of_front)
        .layer(axum::middleware::from_fn(log_access))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN))
        .with_state(shown);
    Router::new().fallback_service(all).layer(axum::middleware::map_response(without_methods))
}

/// Takes note of each request by its route, never by its path.
async fn log_access(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let response = next.run(request).await;
    if !matches!(route.as_str(), "/healthz" | "/readyz") {
        tracing::info!(%method, route, status = response.status().as_u16(), "asked");
    }
    response
}

/// What a caller has asked for: his token, and where.
struct Caller {
    asked: Asked,
}

impl FromRequestParts<Arc<Front>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shown: &Arc<Front>) -> Result<Caller, Response> {
        // Whose it is, and whether it is valid, is for the shards to say.
        if token_of(&parts.headers).is_none() {
            return Err(unauthorised());
        }
        if parts.method == Method::POST && !is_own(&parts.headers, &shown.names) {
            return Err(not_found());
        }
        let token = parts.headers.get(header::AUTHORIZATION).cloned().ok_or_else(unauthorised)?;
        let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        Ok(Caller { asked: Asked { method: parts.method.clone(), path, token, body: Bytes::new() } })
    }
}

/// Whether every shard follows its source.
async fn readyz(State(shown): Shared) -> Response {
    let all = shown.shards.are_ready().await;
    if all {
        json(StatusCode::OK, "{\"status\":\"ready\"}\n".to_owned())
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, "{\"status\":\"waiting\"}\n".to_owned())
    }
}

/// The one answer where a shard would have to be asked that does not answer.
fn away() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "a shard is away")
}

/// What a shard has answered; nothing where it is away.
type Given = Option<(StatusCode, Bytes)>;

fn is_done(given: &Given) -> bool {
    given.as_ref().is_some_and(|(status, _)| status.is_success())
}

/// The answer of those that refuse, where nobody else has one: of whoever says more than that there is nothing.
fn refused(all: &[Given]) -> Response {
    let mut answered = all.iter().flatten();
    match answered.clone().find(|(status, _)| *status != StatusCode::NOT_FOUND).or_else(|| answered.next()) {
        None => away(),
        Some((StatusCode::UNAUTHORIZED, _)) => unauthorised(),
        Some((StatusCode::TOO_MANY_REQUESTS, _)) => too_many(),
        Some((StatusCode::NOT_FOUND, _)) if all.contains(&None) => away(),
        Some((StatusCode::NOT_FOUND, _)) => not_found(),
        Some((status, body)) => with_type(*status, "application/json", body.to_vec()),
    }
}

async fn state(State(shown): Shared, caller: Caller) -> Response {
    let all = shown.shards.ask_all(&caller.asked).await;
    if !all.iter().any(is_done) {
        return refused(&all);
    }
    match merge::state(&all) {
        Ok(text) => json(StatusCode::OK, text + "\n"),
        Err(problem) => super::failed(&problem),
    }
}

/// What one shard has.
async fn issue(State(shown): Shared, caller: Caller) -> Response {
    first(&shown.shards.ask_all(&caller.asked).await)
}

fn first(all: &[Given]) -> Response {
    match all.iter().find(|given| is_done(given)) {
        Some(Some((status, body))) => with_type(*status, "application/json", body.to_vec()),
        _ => refused(all),
    }
}

/// A file is whole or not there: it has no place to say what is missing.
async fn day(State(shown): Shared, caller: Caller, request: Request) -> Response {
    let all = shown.shards.ask_all(&caller.asked).await;
    if !all.iter().any(is_done) {
        return refused(&all);
    }
    if all.contains(&None) {
        return away();
    }
    if !all.iter().all(is_done) {
        return error(StatusCode::SERVICE_UNAVAILABLE, "not every shard has this day");
    }
    let body = match merge::lines(&all) {
        Ok(body) => body,
        Err(problem) => return super::failed(&problem),
    };
    let digits: String = Sha256::digest(&body)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{digits}\"");
    let is_known =
        request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let kind = "text/csv; charset=utf-8";
    let mut response = match is_known {
        true => with_type(StatusCode::NOT_MODIFIED, kind, Vec::new()),
        false => with_type(StatusCode::OK, kind, body),
    };
    if let Ok(value) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

async fn acknowledgements(State(shown): Shared, caller: Caller) -> Response {
    let all = shown.shards.ask_all(&caller.asked).await;
    if !all.iter().any(is_done) {
        return refused(&all);
    }
    match merge::acknowledgements(&all) {
        Ok(text) => json(StatusCode::OK, text + "\n"),
        Err(problem) => super::failed(&problem),
    }
}

/// What is for one shard to do: the others have no such thing.
async fn of_one(State(shown): Shared, Caller { asked }: Caller, body: Bytes) -> Response {
    first(&shown.shards.ask_all(&Asked { body, ..asked }).await)
}

/// What is for every shard to do: where not all have done it, that is said, with what each has answered.
async fn of_all(State(shown): Shared, Caller { asked }: Caller, body: Bytes) -> Response {
    let all = shown.shards.ask_all(&Asked { body, ..asked }).await;
    if all.iter().all(is_done) {
        return first(&all);
    }
    if !all.iter().any(is_done) && !all.contains(&None) {
        return refused(&all);
    }
    if all.iter().all(Option::is_none) {
        return away();
    }
    match merge::not_all(&all) {
        Ok(text) => json(StatusCode::BAD_GATEWAY, text + "\n"),
        Err(problem) => super::failed(&problem),
    }
}
