//! Addresses of services, as people give them.

use backupx_core::domain::access::TargetAccess;
use backupx_core::{Error, Result};
use reqwest::Url;
use std::net::IpAddr;

/// A plain setting that was given.
pub(super) fn given<'a>(access: &'a TargetAccess, field: &str) -> Option<&'a str> {
    let value = access.config.get(field)?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

/// A secret setting that was given.
pub(super) fn secret<'a>(access: &'a TargetAccess, field: &str) -> Option<&'a str> {
    let value = access.secrets.get(field)?.expose();
    Some(value).filter(|value| !value.is_empty())
}

/// The folder of the target as OpenDAL wants it.
pub(super) fn root(access: &TargetAccess) -> Option<String> {
    given(access, "prefix").map(|prefix| format!("/{}", prefix.trim_matches('/')))
}

/// The setting `endpoint`, checked, without a slash at its end.
pub(super) fn endpoint(access: &TargetAccess) -> Result<Option<String>> {
    let url = given(access, "endpoint").map(parse_endpoint).transpose()?;
    Ok(url.map(|url| url.as_str().trim_end_matches('/').to_owned()))
}

fn parse_endpoint(text: &str) -> Result<Url> {
    let wrong = |why: &str| {
        Err(Error::field(
            "config.endpoint",
            format!(
                "{text:?} {why}; one looks like https://s3.example.com or http://minio.example:9000"
            ),
        ))
    };
    let Ok(url) = Url::parse(text) else {
        return wrong("is not a URL");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("does not begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return wrong("must not hold credentials or a query");
    }
    let address: Option<IpAddr> = url
        .host_str()
        .and_then(|host| host.trim_matches(['[', ']']).parse().ok());
    if address.is_some_and(is_link_local) {
        return wrong("is a link-local address, where clouds answer with their metadata");
    }
    Ok(url)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|v4| v4.is_link_local())
        }
    }
}
