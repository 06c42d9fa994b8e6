//! Who asks: the address at the other end, or the one that a proxy names, when it is one that is believed.

use crate::state::Http;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Proxies that are believed about who asks: those on this host, and the networks that were named. Nobody else is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// A network, or a single address as the smallest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl TrustedProxies {
    /// Addresses and networks, parted by commas: `10.0.0.5, 172.30.84.0/24, fd00::/8`. Nothing when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let networks = text.split(',').map(|network| network.trim().parse());
        networks.collect::<Result<_, _>>().ok().map(Self)
    }

    fn believes(&self, peer: IpAddr) -> bool {
        peer.is_loopback() || self.0.iter().any(|network| network.holds(peer))
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits().into(), other.to_bits().into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let differing: u128 = own ^ other;
        // A network of zero bits holds everything, and a shift by the whole width has no result.
        differing
            .checked_shr(width - u32::from(self.bits))
            .unwrap_or(0)
            == 0
    }
}

/// Says only that it is none: who parses the whole list has better words.
struct NoNetwork;

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| NoNetwork)?,
            None => width,
        };
        (bits <= width)
            .then_some(Self { address, bits })
            .ok_or(NoNetwork)
    }
}

/// Where a request comes from. A proxy that is believed names it last in `X-Forwarded-For`.
pub(crate) fn remote_address(
    headers: &HeaderMap,
    extensions: &Extensions,
    proxies: &TrustedProxies,
) -> Option<IpAddr> {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip().to_canonical())?;
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    match forwarded {
        Some(forwarded) if proxies.believes(peer) => forwarded
            .to_str()
            .ok()
            .and_then(|list| list.rsplit(',').next())
            .and_then(|last| last.trim().parse().ok()),
        _ => Some(peer),
    }
}

/// The address that a request comes from, as the key under which failures are counted.
pub(crate) struct Remote(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Remote
where
    Http: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let http = Http::from_ref(state);
        let proxies = &http.options.trusted_proxies;
        let address = remote_address(&parts.headers, &parts.extensions, proxies);
        Ok(Self(
            address.map_or_else(|| "unknown".to_owned(), |a| a.to_string()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn address(peer: &str, forwarded: Option<&'static str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(forwarded) = forwarded {
            headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
        }
        let mut extensions = Extensions::new();
        let peer: SocketAddr = peer.parse().expect("an address");
        extensions.insert(ConnectInfo(peer));
        let proxies = TrustedProxies::parse("172.30.84.10, 10.1.0.0/16,fd00::/8").expect("a list");
        remote_address(&headers, &extensions, &proxies).map(|address| address.to_string())
    }

    #[test]
    fn only_proxies_on_this_host_and_those_named_are_believed() {
        for (peer, forwarded, expected) in [
            ("10.0.0.9:1", Some("1.2.3.4"), Some("10.0.0.9")),
            ("127.0.0.1:1", Some("6.6.6.6, 1.2.3.4"), Some("1.2.3.4")),
            ("127.0.0.1:1", None, Some("127.0.0.1")),
            ("[::ffff:10.0.0.9]:1", None, Some("10.0.0.9")),
            ("127.0.0.1:1", Some("nonsense"), None),
            ("172.30.84.10:1", Some("1.2.3.4"), Some("1.2.3.4")),
            ("172.30.84.11:1", Some("1.2.3.4"), Some("172.30.84.11")),
            ("10.1.255.7:1", Some("1.2.3.4"), Some("1.2.3.4")),
            ("10.2.0.1:1", Some("1.2.3.4"), Some("10.2.0.1")),
            ("[fd12::1]:1", Some("1.2.3.4"), Some("1.2.3.4")),
            ("[fe80::1]:1", Some("1.2.3.4"), Some("fe80::1")),
        ] {
            assert_eq!(
                address(peer, forwarded).as_deref(),
                expected,
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn lists_that_are_none_are_refused() {
        for bad in [
            "",
            "nginx",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.1,",
            "::/129",
        ] {
            assert_eq!(TrustedProxies::parse(bad), None, "{bad:?}");
        }
        assert!(
            TrustedProxies::parse("0.0.0.0/0").is_some_and(|all| all.believes([1, 2, 3, 4].into()))
        );
    }
}
