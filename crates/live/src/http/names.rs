//! The names under which this program may be asked to change something.
//!
//! A page of somebody else's, under a name that suddenly means this machine, would otherwise be as good as ours.

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use std::net::IpAddr;

/// Which names are ours, besides `localhost` and this machine's numbers.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    /// None.
    Numbers,
    /// Those of the certificate.
    Certificate(CertificateDer<'static>),
    /// Any: what stands in front decides.
    Any,
}

impl Names {
    /// Whether `host`, with or without a port, is one of ours.
    pub(crate) fn has(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let is_number = name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok();
        is_number
            || match self {
                Names::Numbers => false,
                Names::Any => !name.is_empty(),
                Names::Certificate(certificate) => is_named(certificate, name),
            }
    }
}

fn is_named(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let (Ok(parsed), Ok(name)) = (ParsedCertificate::try_from(certificate), ServerName::try_from(name)) else {
        return false;
    };
    verify_server_name(&parsed, &name).is_ok()
}
