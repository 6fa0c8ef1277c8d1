//! Who may knock at all: Host and Origin, before anything is routed.
//!
//! What comes in: a request's head. What goes out: leave to go on. What can refuse: a Host that is not
//! ours (a web page that made its own name point here, DNS rebinding) and an Origin that is not ours
//! (a web page that calls us directly). There are no CORS headers, so no page can read an answer.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};
use omniroute_domain::{Fault, FaultKind};

/// The names a listener goes by.
pub(crate) struct Guard {
    port: u16,
    bound: IpAddr,
}

impl Guard {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { port: address.port(), bound: address.ip() }
    }

    /// Lets a request in or says why not.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Fault> {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        // An absolute request target takes the place of the Host field (RFC 9112 §3.2.2).
        let host = uri.authority().map(|authority| authority.as_str()).or(text(HOST.as_str()));
        if headers.get_all(HOST).iter().nth(1).is_some() || !host.is_some_and(|host| self.is_ours(host)) {
            let message = "this address does not belong to the gateway; use 127.0.0.1 or localhost with its port";
            return Err(Fault::new(FaultKind::Misdirected, "host_not_allowed", message));
        }
        if text(ORIGIN.as_str()).is_some_and(|origin| !self.is_our_origin(origin)) {
            return Err(foreign("requests from web pages are not served"));
        }
        if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return Err(foreign("requests from other sites are not served"));
        }
        Ok(())
    }

    fn is_our_origin(&self, origin: &str) -> bool {
        origin.strip_prefix("http://").is_some_and(|host| self.is_ours(host))
    }

    /// Whether a `host[:port]` names this listener: `localhost` or an address, with our port.
    fn is_ours(&self, host: &str) -> bool {
        let Some((name, port)) = split(host) else { return false };
        if port.unwrap_or(80) != self.port {
            return false;
        }
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        // Only the plain forms of an address: `127.1` or `0x7f000001` are nobody's honest Host.
        let literal = name.strip_prefix('[').map_or(name, |rest| rest.trim_end_matches(']'));
        literal.parse::<IpAddr>().is_ok_and(|address| self.answers_for(address))
    }

    /// Loopback always; any literal address where the user opened the gateway to a network, since a
    /// rebinding page can't choose a literal address as its Host.
    fn answers_for(&self, address: IpAddr) -> bool {
        let plain_loopback = address.is_loopback();
        plain_loopback || address == self.bound || (self.bound.is_unspecified() && !address.is_unspecified())
    }
}

/// Splits `name:port`; `None` where the port is no number or the name is empty.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    let colon = host.rfind(':').filter(|&at| !host[at..].contains(']'));
    let (name, port) = match colon {
        Some(at) => (&host[..at], Some(host[at + 1..].parse().ok()?)),
        None => (host, None),
    };
    (!name.is_empty()).then_some((name, port))
}

fn foreign(message: &str) -> Fault {
    Fault::new(FaultKind::Forbidden, "origin_not_allowed", message)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Uri};

    use super::Guard;

    fn code(rows: &[(&'static str, &'static str)]) -> Option<String> {
        let guard = Guard::new("127.0.0.1:20128".parse().expect("an address"));
        let headers: HeaderMap = rows
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        guard.check(&Uri::from_static("/v1/models"), &headers).err().map(|fault| fault.code.into_owned())
    }

    #[test]
    fn only_our_own_names_are_answered() {
        for host in ["127.0.0.1:20128", "localhost:20128", "LOCALHOST:20128", "[::1]:20128", "127.0.0.2:20128"] {
            assert_eq!(code(&[("host", host)]), None, "{host}");
        }
        for host in [
            "evil.example:20128",
            "localhost.:20128",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.1:20128",
            "0x7f000001:20128",
            "2130706433:20128",
            "127.0.0.1.nip.example:20128",
            "user@127.0.0.1:20128",
            "[::ffff:127.0.0.1]:20128",
            "0.0.0.0:20128",
            "",
            ":20128",
        ] {
            assert_eq!(code(&[("host", host)]).as_deref(), Some("host_not_allowed"), "{host}");
        }
        assert_eq!(code(&[]).as_deref(), Some("host_not_allowed"), "no Host at all");
    }

    #[test]
    fn no_web_page_gets_in() {
        let host = ("host", "127.0.0.1:20128");
        for origin in ["http://evil.example", "null", "https://127.0.0.1:20128", "http://127.0.0.1:3000", "file://"] {
            assert_eq!(code(&[host, ("origin", origin)]).as_deref(), Some("origin_not_allowed"), "{origin}");
        }
        assert_eq!(code(&[host, ("origin", "http://127.0.0.1:20128")]), None);
        for (site, refused) in [("cross-site", true), ("same-site", true), ("same-origin", false), ("none", false)] {
            let refused = refused.then_some("origin_not_allowed");
            assert_eq!(code(&[host, ("sec-fetch-site", site)]).as_deref(), refused, "{site}");
        }
    }

    #[test]
    fn a_second_host_is_refused() {
        let rows = [("host", "127.0.0.1:20128"), ("host", "evil.example")];
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let guard = Guard::new("127.0.0.1:20128".parse().expect("an address"));
        assert!(guard.check(&Uri::from_static("/"), &headers).is_err());
    }
}
