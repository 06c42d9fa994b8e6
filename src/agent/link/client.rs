//! The HTTP client: no redirects, no proxy but the one that is set, a limit on every connection.

use super::LinkSettings;
use backupx_core::{Error, Result};
use reqwest::{Certificate, Client, Proxy, redirect};
use secrecy::ExposeSecret;
use std::time::Duration;

/// Builds the client.
pub(super) fn build(settings: &LinkSettings) -> Result<Client> {
    let mut builder = Client::builder()
        .user_agent(concat!("backupx-agent/", env!("CARGO_PKG_VERSION")))
        // A token must not follow a redirect to another host (never 33).
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(Duration::from_secs(10))
        .tcp_keepalive(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(4);
    if let Some(proxy) = &settings.proxy_url {
        let proxy = Proxy::all(proxy.expose_secret()).map_err(|_| {
            bad("proxyUrl is not the URL of a proxy; write http://proxy.example:3128")
        })?;
        builder = builder.proxy(proxy);
    }
    if let Some(file) = &settings.ca_cert_file {
        let shown = file.display();
        let pem = std::fs::read(file).map_err(|cause| {
            bad(format!(
                "the certificate file {shown} can't be read: {cause}"
            ))
        })?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|found| !found.is_empty())
            .ok_or_else(|| bad(format!("{shown} holds no PEM certificate")))?;
        builder = builder.tls_certs_merge(certificates);
    }
    if settings.insecure_tls {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.build().map_err(|cause| {
        bad("the HTTP client can't be made with these settings").with_source(cause)
    })
}

fn bad(message: impl Into<String>) -> Error {
    Error::invalid("bad_setting", message)
}
