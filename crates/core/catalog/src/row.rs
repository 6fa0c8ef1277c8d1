//! A provider as its file writes it, and the check that makes it a `Provider`.
//!
//! What a single field must look like is checked while it is read, so that the message names the
//! line; what fields must be together is checked after.

use std::collections::BTreeMap;
use std::sync::Arc;

use omniroute_domain::{ModelId, ProviderId};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::date::Date;
use crate::endpoint::{Address, Endpoint, HeaderTemplate, Method, Wire};
use crate::model::{Feature, Features, Kind, Model, Thinking};
use crate::price::PriceRow;
use crate::provider::{
    AuthKind, BaseUrl, Header, OutputLimit, Provider, Retired, Status, Terms, TestRule, Tier, Variant,
};

/// Why a row that can be read is no provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RowError {
    /// An endpoint with a path has nothing to stand on.
    #[error("endpoint `{endpoint}` is a path, but the row has no `base_urls`")]
    NoBase {
        /// The endpoint.
        endpoint: String,
    },
    /// An endpoint says neither `get` nor `post`, or both.
    #[error("endpoint `{endpoint}` needs either `get` or `post`")]
    NoMethod {
        /// The endpoint.
        endpoint: String,
    },
    /// `prefers` or `test` names an endpoint that is not there.
    #[error("`{field}` names the endpoint `{endpoint}`, which the row does not have")]
    NoEndpoint {
        /// The field.
        field: &'static str,
        /// The endpoint.
        endpoint: String,
    },
    /// An address that a key must not be sent to.
    #[error("address `{address}` must begin with `https://`; only a row with `local = true` may use `http://`")]
    BadAddress {
        /// The address.
        address: String,
    },
    /// A header that can't be sent.
    #[error("header `{name}` has characters that no header may have")]
    BadHeader {
        /// The header.
        name: String,
    },
    /// A credential header without a place for the key, or with several.
    #[error("the value of header `{name}` must hold `{{key}}` once")]
    NoKey {
        /// The header.
        name: String,
    },
    /// Two models have one id.
    #[error("model `{model}` stands in the row twice")]
    Twice {
        /// The model.
        model: String,
    },
    /// More models than a row may have.
    #[error("a row may have at most 65535 models")]
    TooMany,
}

/// A provider's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    id: Name,
    name: Box<str>,
    #[serde(default)]
    prefixes: Vec<Name>,
    tier: Tier,
    checked: Date,
    source: Arc<str>,
    signup: Option<Box<str>>,
    free: Option<Box<str>>,
    auth: Box<[AuthKind]>,
    auth_header: Option<HeaderTemplate>,
    #[serde(default)]
    headers: Box<[Header]>,
    status: Status,
    terms: Terms,
    #[serde(default)]
    base_urls: Vec<BaseUrl>,
    #[serde(default)]
    variants: Vec<Variant>,
    #[serde(default)]
    endpoints: BTreeMap<Box<str>, EndpointRow>,
    prefers: Option<Box<str>>,
    test: Option<TestRow>,
    #[serde(default = "yes")]
    stream_usage: bool,
    #[serde(default)]
    output_limit: OutputLimit,
    #[serde(default)]
    notional_prices: bool,
    #[serde(default)]
    local: bool,
    #[serde(default)]
    template: bool,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    retired: Box<[Retired]>,
    #[serde(default)]
    models: Vec<ModelRow>,
}

fn yes() -> bool {
    true
}

/// A provider's id or a prefix: what can stand before the slash of a model name.
#[derive(Debug)]
struct Name(Box<str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(source)?;
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > 40 || !text.bytes().all(fits) {
            return Err(D::Error::custom("ids and prefixes are at most 40 lower-case letters, digits and dashes"));
        }
        Ok(Self(text))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointRow {
    get: Option<Box<str>>,
    post: Option<Box<str>>,
    base: Option<Arc<str>>,
    wire: Option<Wire>,
    auth_header: Option<HeaderTemplate>,
    #[serde(default)]
    unconfirmed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestRow {
    get: Option<Box<str>>,
    chat: Option<ModelId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelRow {
    id: ModelId,
    name: Option<Box<str>>,
    #[serde(default)]
    kind: Kind,
    wire: Option<Wire>,
    context: Option<u32>,
    max_output: Option<u32>,
    price: Option<PriceRow>,
    features: Option<Vec<Feature>>,
    thinking: Option<Box<Thinking>>,
    released: Option<Date>,
    shutdown: Option<Date>,
    about: Option<Box<str>>,
    #[serde(default)]
    unconfirmed: bool,
    #[serde(default)]
    hidden: bool,
    source: Option<Box<str>>,
    checked: Option<Date>,
}

impl Row {
    /// Checks what the fields must be together.
    pub(crate) fn check(self) -> Result<Provider, RowError> {
        let base = self.base_urls.first().map(|base| Arc::clone(&base.url));
        let endpoints = self
            .endpoints
            .into_iter()
            .map(|(name, row)| row.check(name, base.as_ref()))
            .collect::<Result<Box<[_]>, _>>()?;
        let chat = chat(&endpoints, self.prefers.as_deref())?;
        let test = test(self.test, &endpoints, base.as_ref())?;
        let models = models(self.models, &self.source, self.checked);
        let by_id = order(&models)?;
        let provider = Provider {
            id: ProviderId::from(&*self.id.0),
            name: self.name,
            prefixes: self.prefixes.into_iter().map(|name| name.0).collect(),
            tier: self.tier,
            status: self.status,
            auth: self.auth,
            auth_header: self.auth_header,
            headers: self.headers,
            base_urls: self.base_urls.into_boxed_slice(),
            variants: self.variants.into_boxed_slice(),
            endpoints,
            chat,
            models,
            retired: self.retired,
            template: self.template,
            closed: self.closed,
            terms: self.terms,
            test,
            stream_usage: self.stream_usage,
            output_limit: self.output_limit,
            notional_prices: self.notional_prices,
            local: self.local,
            signup: self.signup,
            free: self.free,
            checked: self.checked,
            source: self.source,
            by_id,
        };
        safe_addresses(&provider)?;
        safe_headers(&provider)?;
        Ok(provider)
    }
}

/// Keys travel over TLS or stay on the machine.
fn safe_addresses(provider: &Provider) -> Result<(), RowError> {
    let fixed = provider.endpoints.iter().map(Endpoint::url);
    let bases = provider.base_urls.iter().map(|base| base.url.to_string());
    let variants = provider.variants.iter().map(|variant| variant.base_url.to_string());
    for address in bases.chain(variants).chain(fixed) {
        let open = provider.template && address.starts_with("{base}");
        let sound = address.starts_with("https://") || (provider.local && address.starts_with("http://")) || open;
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '@';
        if !sound || address.chars().any(odd) {
            return Err(RowError::BadAddress { address });
        }
    }
    Ok(())
}

/// Headers hold visible ASCII only, and credential headers a place for the key.
fn safe_headers(provider: &Provider) -> Result<(), RowError> {
    let own = provider.endpoints.iter().filter_map(|endpoint| endpoint.auth_header.as_ref());
    let templates = || provider.auth_header.iter().chain(own.clone());
    let fixed = provider.headers.iter().map(|header| (&header.name, &header.value));
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let text = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    for (name, value) in templates().map(|template| (&template.name, &template.value)).chain(fixed) {
        if name.is_empty() || !name.bytes().all(token) || !value.bytes().all(text) {
            return Err(RowError::BadHeader { name: name.to_string() });
        }
    }
    match templates().find(|template| template.value.matches("{key}").count() != 1) {
        Some(template) => Err(RowError::NoKey { name: template.name.to_string() }),
        None => Ok(()),
    }
}

impl EndpointRow {
    fn check(self, name: Box<str>, base: Option<&Arc<str>>) -> Result<Endpoint, RowError> {
        let (method, place) = match (self.get, self.post) {
            (Some(place), None) => (Method::Get, place),
            (None, Some(place)) => (Method::Post, place),
            (None, None) | (Some(_), Some(_)) => return Err(RowError::NoMethod { endpoint: name.into() }),
        };
        let own = self.base;
        let address = address(&name, place, own.as_ref().or(base))?;
        Ok(Endpoint {
            name,
            method,
            wire: self.wire,
            auth_header: self.auth_header,
            unconfirmed: self.unconfirmed,
            address,
        })
    }
}

fn address(name: &str, place: Box<str>, base: Option<&Arc<str>>) -> Result<Address, RowError> {
    if !place.starts_with('/') {
        return Ok(Address::Fixed(place));
    }
    let base = base.ok_or_else(|| RowError::NoBase { endpoint: name.to_owned() })?;
    Ok(Address::Below { base: Arc::clone(base), path: place })
}

/// The endpoint chat goes to: the one that speaks what the gateway speaks, else the vendor's favourite.
fn chat(endpoints: &[Endpoint], prefers: Option<&str>) -> Result<Option<Endpoint>, RowError> {
    let named = |name: &str| endpoints.iter().find(|endpoint| &*endpoint.name == name);
    let favourite = match prefers {
        Some(name) => {
            let missing = || RowError::NoEndpoint { field: "prefers", endpoint: name.to_owned() };
            Some(named(name).ok_or_else(missing)?)
        }
        None => None,
    };
    let open = named("chat").filter(|chat| chat.wire.as_ref().is_some_and(|wire| wire.as_str() == "openai-chat"));
    Ok(open.or(favourite).or_else(|| named("chat")).cloned())
}

fn test(row: Option<TestRow>, endpoints: &[Endpoint], base: Option<&Arc<str>>) -> Result<TestRule, RowError> {
    let Some(row) = row else { return Ok(TestRule::Nothing) };
    let Some(place) = row.get else { return Ok(TestRule::Chat { model: row.chat }) };
    let endpoint = if place.starts_with('/') || place.contains("://") {
        let address = address("test", place, base)?;
        Endpoint {
            name: "test".into(),
            method: Method::Get,
            wire: None,
            auth_header: None,
            unconfirmed: false,
            address,
        }
    } else {
        let missing = || RowError::NoEndpoint { field: "test", endpoint: place.to_string() };
        endpoints.iter().find(|endpoint| endpoint.name == place).cloned().ok_or_else(missing)?
    };
    Ok(TestRule::Get { endpoint: Box::new(endpoint), or_chat: row.chat })
}

/// Makes models of rows; equal texts of one provider's sources are stored once.
fn models(rows: Vec<ModelRow>, source: &Arc<str>, checked: Date) -> Box<[Model]> {
    let mut sources: Vec<Arc<str>> = vec![Arc::clone(source)];
    let mut shared = |text: Option<Box<str>>| -> Arc<str> {
        let Some(text) = text else { return Arc::clone(source) };
        if let Some(known) = sources.iter().find(|known| ***known == *text) {
            return Arc::clone(known);
        }
        let fresh: Arc<str> = Arc::from(text);
        sources.push(Arc::clone(&fresh));
        fresh
    };
    rows.into_iter()
        .map(|row| Model {
            id: row.id,
            name: row.name,
            kind: row.kind,
            wire: row.wire,
            context: row.context,
            max_output: row.max_output,
            price: row.price.map(Into::into),
            features: row.features.map(|features| Features::new(&features)),
            thinking: row.thinking,
            released: row.released,
            shutdown: row.shutdown,
            about: row.about,
            unconfirmed: row.unconfirmed,
            hidden: row.hidden,
            source: shared(row.source),
            checked: row.checked.unwrap_or(checked),
        })
        .collect()
}

/// The positions of the models, ordered by id.
fn order(models: &[Model]) -> Result<Box<[u16]>, RowError> {
    let count = u16::try_from(models.len()).map_err(|_| RowError::TooMany)?;
    let id = |position: u16| models.get(usize::from(position)).map(|model| &model.id);
    let mut positions: Box<[u16]> = (0..count).collect();
    positions.sort_unstable_by(|a, b| id(*a).cmp(&id(*b)));
    for pair in positions.windows(2) {
        if let [a, b] = pair
            && id(*a) == id(*b)
        {
            return Err(RowError::Twice { model: id(*a).map(ToString::to_string).unwrap_or_default() });
        }
    }
    Ok(positions)
}

#[cfg(test)]
mod tests;
