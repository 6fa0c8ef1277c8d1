//! Why a model name leads nowhere, in words that say what to do.

use std::fmt;

use omniroute_catalog::Date;
use omniroute_domain::{Fault, FaultKind, ProviderId};

/// Why there is no plan. The text is for the client; lists hold at most a handful of full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request names no model.
    NoModel,
    /// The name can't be a model's.
    BadName {
        /// As part of a sentence: `it holds a control character`.
        why: &'static str,
    },
    /// What stands before the slash is no provider.
    UnknownPrefix {
        /// What stands there.
        prefix: String,
        /// Full names or prefixes that may have been meant.
        candidates: Vec<String>,
    },
    /// The provider is known, but nothing is connected to it.
    NoAccount {
        /// The provider.
        provider: ProviderId,
        /// Full names under which connected providers have the same model.
        elsewhere: Vec<String>,
    },
    /// Several connected providers have a model of this name.
    Ambiguous {
        /// The name.
        name: String,
        /// The full names to choose from.
        candidates: Vec<String>,
    },
    /// Nothing connected has a model of this name.
    UnknownModel {
        /// The name.
        name: String,
        /// Full names that may have been meant.
        nearest: Vec<String>,
        /// Providers that have the model but are not connected.
        offered_by: Vec<ProviderId>,
    },
    /// The address names one provider, the model another.
    WrongProvider {
        /// The provider of the address.
        provider: ProviderId,
        /// The provider of the model.
        named: ProviderId,
    },
    /// The provider, or this model of it, needs something the gateway does not have yet.
    Later {
        /// The provider.
        provider: ProviderId,
        /// What is missing, as part of a sentence.
        why: String,
    },
    /// The provider is gone.
    Retired {
        /// The provider.
        provider: ProviderId,
        /// Since when.
        since: Option<Date>,
        /// The provider to use in its place.
        instead: Option<ProviderId>,
    },
}

impl Refusal {
    /// The stable code a script can branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoModel => "model_required",
            Self::BadName { .. } => "invalid_model_name",
            Self::UnknownPrefix { .. } => "unknown_provider",
            Self::NoAccount { .. } => "no_account",
            Self::Ambiguous { .. } => "ambiguous_model",
            Self::UnknownModel { .. } => "model_not_found",
            Self::WrongProvider { .. } => "wrong_provider",
            Self::Later { .. } => "not_supported_yet",
            Self::Retired { .. } => "provider_retired",
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::NoModel | Self::BadName { .. } | Self::Ambiguous { .. } | Self::WrongProvider { .. } => {
                FaultKind::BadRequest
            }
            Self::UnknownPrefix { .. } | Self::NoAccount { .. } | Self::UnknownModel { .. } | Self::Retired { .. } => {
                FaultKind::NotFound
            }
            Self::Later { .. } => FaultKind::Unsupported,
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind(), refusal.code(), refusal.to_string()).param("model")
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoModel => {
                out.write_str("the request names no model; set `model` to `prefix/model`, e.g. `demo/echo`")
            }
            Self::BadName { why } => write!(out, "the model name can't be used: {why}"),
            Self::UnknownPrefix { prefix, candidates } => {
                write!(out, "`{prefix}` is no provider")?;
                either(out, "; try ", candidates)?;
                if candidates.is_empty() {
                    out.write_str("; `/v1/models` lists what is connected")?;
                }
                Ok(())
            }
            Self::NoAccount { provider, elsewhere } => {
                write!(out, "no account is connected for `{provider}`")?;
                either(out, "; connect one, or try ", elsewhere)?;
                if elsewhere.is_empty() {
                    write!(out, "; connect one with `omniroute providers add {provider}`")?;
                }
                Ok(())
            }
            Self::Ambiguous { name, candidates } => {
                write!(out, "model `{name}` is offered by several connected providers")?;
                either(out, "; say which: ", candidates)
            }
            Self::UnknownModel { name, nearest, offered_by } => unknown_model(out, name, nearest, offered_by),
            Self::WrongProvider { provider, named } => write!(
                out,
                "the address asks `{provider}`, but the model belongs to `{named}`; use a model of `{provider}` or the \
                 address without a provider"
            ),
            Self::Later { provider, why } => write!(out, "`{provider}` can't be used yet: it {why}"),
            Self::Retired { provider, since, instead } => {
                write!(out, "`{provider}` is gone")?;
                if let Some(since) = since {
                    write!(out, " since {since}")?;
                }
                match instead {
                    Some(instead) => write!(out, "; use `{instead}`"),
                    None => Ok(()),
                }
            }
        }
    }
}

fn unknown_model(
    out: &mut fmt::Formatter<'_>,
    name: &str,
    nearest: &[String],
    offered_by: &[ProviderId],
) -> fmt::Result {
    write!(out, "model `{name}` matches no connected provider")?;
    match offered_by.first() {
        Some(first) => {
            either(out, "; it is offered by ", offered_by)?;
            write!(out, ": connect with `omniroute providers add {first}`")
        }
        None if nearest.is_empty() => out.write_str("; use `prefix/model`, `/v1/models` lists what is connected"),
        None => either(out, "; did you mean ", nearest),
    }
}

/// `` `a`, `b` or `c` `` after a few words; nothing where there is nothing to choose from.
fn either(out: &mut fmt::Formatter<'_>, before: &str, names: &[impl fmt::Display]) -> fmt::Result {
    for (index, name) in names.iter().enumerate() {
        let glue = match index {
            0 => before,
            _ if index + 1 == names.len() => " or ",
            _ => ", ",
        };
        write!(out, "{glue}`{name}`")?;
    }
    Ok(())
}
