//! Who asks: the bearer token of a request, and what its holder may see.

use super::names::Names;
use super::{Http, not_found, too_many, unauthorised};
use crate::recipient::Recipient;
use crate::tokens::{Role, TokenRow};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use std::sync::Arc;

/// Whoever has been told apart by a token.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) recipient: Recipient,
    /// Whom the token was given to.
    pub(super) name: String,
    /// Of the token.
    pub(super) sha256: [u8; 32],
}

impl Caller {
    /// The holder of the request's token.
    ///
    /// # Errors
    /// The answer, where there is no valid token or its holder asks too often.
    pub(super) fn of(headers: &HeaderMap, shown: &Http) -> Result<Caller, Box<Response>> {
        let token = token_of(headers).ok_or_else(|| Box::new(unauthorised()))?;
        let TokenRow { sha256, role, party, name, .. } =
            shown.desk.holder(token).ok_or_else(|| Box::new(unauthorised()))?;
        if !shown.rates.allows(sha256) {
            return Err(Box::new(too_many()));
        }
        Ok(Caller { recipient: Recipient { role, party }, name, sha256 })
    }
}

/// The token, from the one place that it is taken from.
pub(super) fn token_of(headers: &HeaderMap) -> Option<&[u8]> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let value = given.next().filter(|_| given.next().is_none())?;
    value.as_bytes().strip_prefix(b"Bearer ")
}

impl FromRequestParts<Arc<Http>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shown: &Arc<Http>) -> Result<Caller, Response> {
        let caller = Caller::of(&parts.headers, shown).map_err(|refusal| *refusal)?;
        // A page of somebody else's can make a browser send this, but not without its Origin, or under its own name.
        match parts.method == Method::POST && !is_own(&parts.headers, &shown.names()) {
            true => Err(not_found()),
            false => Ok(caller),
        }
    }
}

/// A caller who sees something of the market.
pub(super) struct Onlooker(pub(super) Caller);

/// A caller of the exchange.
pub(super) struct Exchange;

impl FromRequestParts<Arc<Http>> for Onlooker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shown: &Arc<Http>) -> Result<Onlooker, Response> {
        let caller = Caller::from_request_parts(parts, shown).await?;
        if caller.recipient.sees_market() { Ok(Onlooker(caller)) } else { Err(not_found()) }
    }
}

impl FromRequestParts<Arc<Http>> for Exchange {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shown: &Arc<Http>) -> Result<Exchange, Response> {
        let caller = Caller::from_request_parts(parts, shown).await?;
        if caller.recipient.role == Role::Exchange { Ok(Exchange) } else { Err(not_found()) }
    }
}

/// Whether a request that changes something is meant for here: its Host is a name of ours, and an Origin is that host.
pub(super) fn is_own(headers: &HeaderMap, names: &Names) -> bool {
    let one = |name: header::HeaderName| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().map(|value| value.to_str().unwrap_or_default());
        (first, all.next().is_some())
    };
    let (host, hosts) = one(header::HOST);
    let (origin, origins) = one(header::ORIGIN);
    let Some(host) = host.filter(|_| !hosts && !origins) else { return false };
    let of_origin =
        |origin: &str| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host);
    origin.is_none_or(of_origin) && names.has(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_foreign_host_or_origin_is_not_ours() {
        for (host, origin, expected) in [
            (Some("127.0.0.1:8600"), None, true),
            (Some("localhost:8600"), Some("http://localhost:8600"), true),
            (Some("[::1]:8600"), Some("https://[::1]:8600"), true),
            (Some("10.0.0.7"), Some("https://10.0.0.7"), true),
            (None, None, false),
            (Some("evil.example"), None, false),
            (Some("evil.example"), Some("http://evil.example"), false),
            (Some("127.0.0.1:8600"), Some("http://127.0.0.1:8601"), false),
            (Some("127.0.0.1:8600"), Some("null"), false),
            (Some("127.0.0.1.evil.example"), None, false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(is_own(&headers, &Names::Numbers), expected, "{host:?} {origin:?}");
        }
    }
}
