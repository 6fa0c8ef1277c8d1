//! Which addresses may be connected, and how an address that a person typed is read.
//!
//! The check runs on resolved addresses, inside the connector: what was checked is what is connected,
//! so a name that resolves differently a moment later gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::{Authority, Scheme};

/// How far an account may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Public addresses only.
    Public,
    /// Loopback and private addresses too: the user marked the provider as local.
    Local,
}

impl Reach {
    /// Whether an address may be connected. Link-local and metadata addresses never are.
    pub fn allows(self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Public => true,
            Kind::Private => self == Self::Local,
            Kind::Never => false,
        }
    }
}

/// Whether an address lies in the user's own network.
pub(crate) fn is_private(address: IpAddr) -> bool {
    kind(address) == Kind::Private
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Never,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| kind_v6(v6), kind_v4),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        // Cloud metadata services outside 169.254.0.0/16.
        (100, 100, 100, 200) | (192, 0, 0, 192) | (168, 63, 129, 16) => Kind::Never,
        (0, ..) | (169, 254, ..) | (224.., ..) => Kind::Never,
        (127 | 10, ..) | (172, 16..=31, ..) | (192, 168, ..) | (100, 64..=127, ..) => Kind::Private,
        (192, 0, 0, _) | (198, 18..=19, ..) => Kind::Private,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    // Metadata services of AWS and Google Cloud.
    const METADATA: [Ipv6Addr; 3] = [
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    ];
    let [head, second, third, ..] = address.segments();
    // Teredo and local NAT64 carry an IPv4 address that nobody here can check.
    let is_carrier = (head, second) == (0x2001, 0) || (head, second, third) == (0x64, 0xff9b, 1);
    if METADATA.contains(&address)
        || is_carrier
        || address.is_unspecified()
        || address.is_multicast()
        || head & 0xffc0 == 0xfe80
    {
        Kind::Never
    } else if address.is_loopback() || head & 0xfe00 == 0xfc00 || head & 0xffc0 == 0xfec0 {
        Kind::Private
    } else {
        Kind::Public
    }
}

/// The IPv4 address an IPv6 address stands for: mapped, compatible, NAT64 and 6to4 forms.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let low = || Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(low()),
        (0, 0, 0, 0, 0, 0) if (g, h) != (0, 0) && (g, h) != (0, 1) => Some(low()),
        (0x2002, ..) => Some(Ipv4Addr::from((u32::from(b) << 16) | u32::from(c))),
        _ => None,
    }
}

/// What is wrong with an address a person typed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address.
    #[error("`{0}` is not a web address; it looks like `https://api.example.com/v1`")]
    Unreadable(String),
    /// Neither http nor https.
    #[error("`{0}` is neither http nor https")]
    Scheme(String),
    /// A name or password inside the address.
    #[error("the address holds a name or a password before the `@`; give the key as the key instead")]
    UserInfo,
    /// A query or a fragment.
    #[error("the address must end with its path; leave out what follows `?` or `#`")]
    Query,
    /// Plain http to a place that is not marked local.
    #[error(
        "`{0}` would send the key unencrypted; use https, or mark the provider as local if it runs in your own network"
    )]
    Insecure(String),
    /// A private address of a provider that is not marked local.
    #[error("`{0}` is a private address; mark the provider as local if it runs in your own network")]
    Blocked(String),
    /// A link-local or metadata address.
    #[error("`{0}` is a link-local, metadata or reserved address, which is never reached")]
    Never(String),
    /// A placeholder nobody filled in.
    #[error("`{0}` still holds a placeholder in braces; give the full address")]
    Placeholder(String),
}

impl AddressError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::Scheme(_) | Self::UserInfo | Self::Query | Self::Placeholder(_) => {
                "invalid_base_url"
            }
            Self::Insecure(_) => "insecure_base_url",
            Self::Blocked(_) | Self::Never(_) => "URL_GUARD_BLOCKED",
        }
    }
}

/// Reads a base address: trims it, takes off an endpoint's path that was pasted with it, and checks
/// scheme and literal addresses against the reach. Names are checked when they are resolved.
pub fn read_base(typed: &str, reach: Reach) -> Result<String, AddressError> {
    let text = typed.trim();
    // First of all, so that no other text repeats a password.
    if text.split(['/', '\\']).nth(2).is_some_and(|authority| authority.contains('@')) {
        return Err(AddressError::UserInfo);
    }
    if text.contains(['{', '}']) {
        return Err(AddressError::Placeholder(text.into()));
    }
    if text.contains(['?', '#']) {
        return Err(AddressError::Query);
    }
    let uri: Uri = text.parse().map_err(|_| AddressError::Unreadable(text.into()))?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(AddressError::Unreadable(text.into()));
    };
    if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
        return Err(AddressError::Scheme(text.into()));
    }
    let is_plain = *scheme == Scheme::HTTP;
    match literal(authority).map(kind) {
        Some(Kind::Never) => return Err(AddressError::Never(authority.host().into())),
        Some(Kind::Private) if reach == Reach::Public => return Err(AddressError::Blocked(authority.host().into())),
        Some(Kind::Public) if is_plain => return Err(AddressError::Insecure(text.into())),
        None if is_plain && reach == Reach::Public => return Err(AddressError::Insecure(text.into())),
        Some(Kind::Private | Kind::Public) | None => {}
    }
    Ok(format!("{scheme}://{authority}{}", base_path(uri.path())))
}

/// The path without a trailing slash and without an endpoint that was pasted along.
fn base_path(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    ["/chat/completions", "/completions", "/responses", "/messages", "/models"]
        .iter()
        .find_map(|endpoint| path.strip_suffix(endpoint))
        .unwrap_or(path)
        .trim_end_matches('/')
}

/// The IP address a host is written as, where it is one.
fn literal(authority: &Authority) -> Option<IpAddr> {
    authority.host().trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The port of an address, given or implied by its scheme.
pub(crate) fn port(uri: &Uri) -> u16 {
    let implied = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    uri.port_u16().unwrap_or(implied)
}

#[cfg(test)]
mod tests;
