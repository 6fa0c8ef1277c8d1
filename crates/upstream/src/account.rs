//! An account as a request needs it: where to send, and the credential, bound to its origin.

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use omniroute_catalog::{Endpoint, Header, HeaderTemplate, Provider, TestRule, Tier, Wire};
use omniroute_domain::{AccountId, Fault, FaultKind, Format, ProviderId, Retry, Secret};
use omniroute_vault::scan;
use zeroize::Zeroizing;

use crate::address::{self, AddressError, Reach};

/// One login or key at a provider, ready to be asked.
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// Its provider, or the custom node it belongs to.
    pub provider: ProviderId,
    /// The name the user gave it.
    pub name: String,
    /// Whether the provider takes `stream_options.include_usage`.
    pub stream_usage: bool,
    pub(crate) route: Route,
}

/// The ways to a provider.
pub(crate) enum Route {
    /// In this process.
    Demo,
    /// Over HTTP.
    Http(Box<HttpRoute>),
}

/// The way to a provider over HTTP.
pub(crate) struct HttpRoute {
    pub(crate) chat: Uri,
    /// The chat endpoint, where the account has no address of its own and so may be asked at another
    /// address of the same provider.
    movable: Option<Endpoint>,
    pub(crate) models: Option<Uri>,
    /// What shows whether the key is good; `None` where only a chat does.
    pub(crate) test: Option<Uri>,
    pub(crate) headers: HeaderMap,
    pub(crate) credential: Option<Credential>,
    pub(crate) reach: Reach,
}

/// The field that proves who we are.
pub(crate) struct Credential {
    key: Secret,
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// What makes up an account.
pub struct AccountSpec<'a> {
    /// The account's id.
    pub id: AccountId,
    /// The provider or node it belongs to.
    pub provider: ProviderId,
    /// The name the user gave it.
    pub name: String,
    /// The catalog row that says how to talk to it.
    pub row: &'a Provider,
    /// An address that takes the place of the row's.
    pub base_url: Option<&'a str>,
    /// A chat path that takes the place of the row's, relative to the base address.
    pub chat_path: Option<&'a str>,
    /// A path of the model list that takes the place of the row's.
    pub models_path: Option<&'a str>,
    /// How far it may reach.
    pub reach: Reach,
}

/// Why an account can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its address is not usable.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The provider has no address of its own and the account gives none.
    #[error("`{0}` needs an address; give one with `--base-url`")]
    NoAddress(ProviderId),
    /// The key can't stand in a header.
    #[error("the key holds characters that can't be sent, such as a line break; paste it again")]
    BadKey,
    /// The provider needs a key.
    #[error("`{0}` needs a key")]
    NoKey(ProviderId),
    /// The provider speaks something this version does not.
    #[error("`{0}` can't be used yet: {1}")]
    Later(ProviderId, String),
}

impl ConnectError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(why) => why.code(),
            Self::NoAddress(_) => "base_url_missing",
            Self::BadKey => "invalid_api_key_format",
            Self::NoKey(_) => "api_key_missing",
            Self::Later(..) => "provider_not_ready",
        }
    }
}

impl Account {
    /// Makes an account ready: fills in its addresses and binds its key to them.
    pub fn connect(spec: AccountSpec<'_>, key: Option<&Secret>) -> Result<Self, ConnectError> {
        let row = spec.row;
        let route = if row.tier == Tier::Demo { Route::Demo } else { Route::Http(Box::new(http_route(&spec, key)?)) };
        Ok(Self { id: spec.id, provider: spec.provider, name: spec.name, stream_usage: row.stream_usage, route })
    }
}

impl Account {
    /// Takes the account's key out of what a provider said about it: some repeat the key they refuse.
    #[must_use]
    pub fn redacted(&self, mut fault: Fault) -> Fault {
        if let Route::Http(route) = &self.route
            && let Some(credential) = &route.credential
        {
            fault.message = scan::redact(&fault.message, &credential.key);
        }
        fault
    }
}

fn http_route(spec: &AccountSpec<'_>, key: Option<&Secret>) -> Result<HttpRoute, ConnectError> {
    let row = spec.row;
    let later = |why: String| ConnectError::Later(spec.provider.clone(), why);
    let speaks_chat = |endpoint: &&Endpoint| endpoint.wire.as_ref().and_then(Wire::format) == Some(Format::OpenAiChat);
    let endpoint = row.chat.as_ref().filter(speaks_chat).ok_or_else(|| later(row.readiness().to_string()))?;
    let chat =
        address_of(spec, endpoint, spec.chat_path)?.ok_or_else(|| ConnectError::NoAddress(spec.provider.clone()))?;
    let models = match row.endpoint("models") {
        Some(endpoint) => address_of(spec, endpoint, spec.models_path)?.filter(|uri| same_origin(uri, &chat)),
        None => None,
    };
    let test = match &row.test {
        TestRule::Get { endpoint, .. } if &*endpoint.name == "models" => models.clone(),
        TestRule::Get { endpoint, .. } => address_of(spec, endpoint, None)?.filter(|uri| same_origin(uri, &chat)),
        TestRule::Chat { .. } | TestRule::Nothing => None,
    };
    let mut headers = HeaderMap::new();
    for Header { name, value, .. } in row.headers_for(Format::OpenAiChat) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.insert(name, value);
        }
    }
    let credential = credential(spec, row.auth_header_at(endpoint), key)?;
    let movable = spec.base_url.is_none().then(|| endpoint.clone());
    Ok(HttpRoute { chat, movable, models, test, headers, credential, reach: spec.reach })
}

/// An endpoint's address for this account; `None` where nobody gave one.
fn address_of(spec: &AccountSpec<'_>, endpoint: &Endpoint, path: Option<&str>) -> Result<Option<Uri>, ConnectError> {
    let base = spec.base_url.map(|base| address::read_base(base, spec.reach)).transpose()?;
    let url = match (&base, path) {
        (Some(base), Some(path)) => Some(format!("{base}/{}", path.trim_start_matches('/'))),
        (Some(base), None) => endpoint.url_at(base),
        (None, _) if endpoint.needs_base_url() || spec.row.template => None,
        (None, _) => Some(endpoint.url()),
    };
    let Some(url) = url else { return Ok(None) };
    if base.is_none() {
        address::read_base(&url, spec.reach)?;
    }
    url.parse().map(Some).map_err(|_| AddressError::Unreadable(url).into())
}

fn credential(
    spec: &AccountSpec<'_>,
    template: Option<&HeaderTemplate>,
    key: Option<&Secret>,
) -> Result<Option<Credential>, ConnectError> {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        let optional = spec.row.works_without_key() || spec.row.template;
        return if optional { Ok(None) } else { Err(ConnectError::NoKey(spec.provider.clone())) };
    };
    let Some(template) = template else { return Ok(None) };
    let (before, after) = template.around();
    let text = Zeroizing::new(format!("{before}{}{after}", key.expose().trim()));
    let name: HeaderName = template.name.parse().map_err(|_| ConnectError::BadKey)?;
    let mut value: HeaderValue = text.parse().map_err(|_| ConnectError::BadKey)?;
    value.set_sensitive(true);
    Ok(Some(Credential { key: key.clone(), name, value }))
}

fn same_origin(a: &Uri, b: &Uri) -> bool {
    a.scheme() == b.scheme() && a.authority() == b.authority()
}

impl HttpRoute {
    /// The chat endpoint, at another address of the provider where the model's prefix leads there.
    pub(crate) fn chat_at(&self, base: Option<&str>) -> Result<Uri, Fault> {
        let Some(url) = base.zip(self.movable.as_ref()).and_then(|(base, endpoint)| endpoint.url_at(base)) else {
            return Ok(self.chat.clone());
        };
        url.parse().ok().filter(|uri| same_origin(uri, &self.chat)).ok_or_else(|| {
            let text =
                "no account is connected for this prefix; the provider's other accounts belong to another address";
            let mut fault = Fault::new(FaultKind::NotFound, "no_account", text);
            fault.retry = Retry::NextTarget;
            fault
        })
    }

    /// The last line of defence: a credential leaves only for the origin it was given for.
    pub(crate) fn check_origin(&self, uri: &Uri) -> Result<(), Fault> {
        same_origin(uri, &self.chat).then_some(()).ok_or_else(|| {
            let text = "a credential was about to leave its origin; nothing was sent";
            Fault::new(FaultKind::Internal, "foreign_origin", text)
        })
    }
}
