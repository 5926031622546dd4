//! Asking shards, each with the caller's own token.

use super::Given;
use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::http::{HeaderValue, Method, StatusCode, header};
use futures_util::future::join_all;
use std::time::Duration;

/// A shard that cannot be reached within this time is away.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// A shard that has not answered within this time is away; whoever orders waits for the day measured again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const ORDER_WITHIN: Duration = Duration::from_secs(55);

/// What is asked of every shard.
pub(super) struct Asked {
    pub(super) method: Method,
    /// With the query.
    pub(super) path: String,
    /// The header that holds the token.
    pub(super) token: HeaderValue,
    pub(super) body: Bytes,
}

/// The shards, in the order in which they were named.
pub(super) struct Shards {
    urls: Vec<String>,
    client: reqwest::Client,
}

impl Shards {
    pub(super) fn new(urls: &[String]) -> Result<Shards> {
        // Somebody else may have said by what TLS is done: then that stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let client = client.connect_timeout(CONNECT_WITHIN).build().context("making ready to ask shards")?;
        let urls = urls.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
        Ok(Shards { urls, client })
    }

    pub(super) fn count(&self) -> usize {
        self.urls.len()
    }

    /// What each shard answers.
    pub(super) async fn ask_all(&self, asked: &Asked) -> Vec<Given> {
        join_all(self.urls.iter().map(|url| self.ask(url, asked))).await
    }

    async fn ask(&self, url: &str, asked: &Asked) -> Given {
        let within = if asked.method == Method::GET { ANSWER_WITHIN } else { ORDER_WITHIN };
        let request = self.client.request(asked.method.clone(), format!("{url}{}", asked.path)).timeout(within);
        let request = request.header(header::AUTHORIZATION, asked.token.clone()).body(asked.body.clone());
        let response = request.send().await.ok()?;
        let status = response.status();
        Some((status, response.bytes().await.ok()?))
    }

    /// Opens a shard's stream of events.
    pub(super) async fn listen(
        &self,
        shard: usize,
        token: &HeaderValue,
        after: Option<u64>,
    ) -> Option<reqwest::Response> {
        let request = self.client.get(format!("{}/api/v1/events", self.urls.get(shard)?));
        let mut request = request.header(header::AUTHORIZATION, token.clone());
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        tokio::time::timeout(ANSWER_WITHIN, request.send()).await.ok()?.ok()
    }

    /// Whether every shard says that it is ready.
    pub(super) async fn are_ready(&self) -> bool {
        let ready = async |url: &String| {
            let request = self.client.get(format!("{url}/readyz")).timeout(ANSWER_WITHIN);
            request.send().await.is_ok_and(|response| response.status() == StatusCode::OK)
        };
        join_all(self.urls.iter().map(ready)).await.into_iter().all(|is_ready| is_ready)
    }
}
