//! A link to a real server on loopback.

use super::server::Server;
use crate::link::{HttpLink, LinkSettings, Token};
use secrecy::SecretString;

pub(super) const TOKEN: &str = "5ecre7";

pub(super) fn token() -> Token {
    Token::given(SecretString::from(TOKEN), "--token").expect("a good token")
}

pub(super) fn link(master: &str) -> HttpLink {
    let settings = LinkSettings::new(master, token()).expect("a good URL");
    HttpLink::new(settings).expect("a client")
}

pub(super) fn to(server: &Server) -> HttpLink {
    link(&server.url())
}
