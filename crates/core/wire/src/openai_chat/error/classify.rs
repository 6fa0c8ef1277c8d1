//! A refusal as a fault. Texts and codes are those seen at providers by
//! 2026-11-20; what is particular to one provider is that provider's row.

use std::borrow::Cow;
use std::time::Duration;

use omniroute_domain::{Fault, FaultKind, Retry};

use super::Rejection;

/// The conversation does not fit.
const CONTEXT: &[&str] = &[
    "context_length_exceeded",
    "prompt is too long",
    "maximum context length",
    "input is too long",
    "content_length_exceeds_threshold",
    "exceeds the maximum number of tokens",
];

/// No credit. `exceeded_current_quota` is Kimi's word.
const CREDIT: &[&str] = &[
    "insufficient_quota",
    "insufficient balance",
    "insufficient credits",
    "credit balance is too low",
    "payment_method_required",
    "not_enough_balance",
    "creditserror",
    "arrearage",
    "exceeded_current_quota",
];

/// A quota that comes back with time.
const WINDOW: &[&str] = &[
    "usage_limit_reached",
    "usage limit",
    "quota_exhausted",
    "quota_exceeded",
    "plan_limit_reached",
    "daily free allocation",
];

/// The account can't use the model, or nobody can.
const MODEL: &[&str] = &[
    "model_not_found",
    "model_not_supported",
    "does not exist or you do not have access",
    "not found for account",
    "model_decommissioned",
    "degraded function",
    "no endpoints found",
];

/// Too busy, whatever the status says.
const CAPACITY: &[&str] = &["overloaded", "model_capacity_exhausted", "at capacity", "queue_exceeded"];

/// A refusal that came as an HTTP answer.
pub fn classify(status: u16, rejection: &Rejection, retry_after: Option<Duration>) -> Fault {
    let (kind, code) = kind_and_code(status, rejection);
    let mut fault = Fault::new(kind, code, rejection.message.clone()).after(retry_after);
    fault.param.clone_from(&rejection.param);
    fault.upstream_status = Some(status);
    // Another account or provider may well have the model that this one lacks.
    if kind == FaultKind::NotFound {
        fault.retry = Retry::NextTarget;
    }
    fault
}

/// A refusal inside an answer that had begun with status 200.
pub fn classify_event(rejection: &Rejection) -> Fault {
    let mut fault = classify(implied_status(rejection), rejection, None);
    fault.upstream_status = Some(200);
    fault
}

fn kind_and_code(status: u16, rejection: &Rejection) -> (FaultKind, Cow<'static, str>) {
    let hints = [Some(&rejection.message), rejection.code.as_ref(), rejection.kind_hint.as_ref()];
    let said = hints.into_iter().flatten().map(|text| text.to_ascii_lowercase()).collect::<Vec<_>>().join("\n");
    let any = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    // Zhipu's code for an empty balance comes with 429.
    let no_balance = rejection.code.as_deref() == Some("1113");
    match status {
        400 | 413 | 422 if any(CONTEXT) => (FaultKind::ContextLength, "context_length_exceeded".into()),
        402 => (FaultKind::Billing, "insufficient_quota".into()),
        400 | 403 | 429 if no_balance || any(CREDIT) => (FaultKind::Billing, "insufficient_quota".into()),
        403 | 429 if any(WINDOW) => (FaultKind::RateLimit, "quota_exhausted".into()),
        400 | 403 | 404 | 410 if any(MODEL) => (FaultKind::NotFound, "model_not_found".into()),
        400 | 422 => (FaultKind::BadRequest, own_code(rejection).unwrap_or("bad_request".into())),
        401 => (FaultKind::UpstreamAuth, "upstream_auth".into()),
        403 => (FaultKind::Permission, "permission_denied".into()),
        404 => (FaultKind::NotFound, "not_found".into()),
        410 => (FaultKind::NotFound, "gone".into()),
        408 | 504 => (FaultKind::Timeout, "gateway_timeout".into()),
        413 => (FaultKind::TooLarge, "request_too_large".into()),
        429 => (FaultKind::RateLimit, "rate_limit_exceeded".into()),
        503 | 529 => (FaultKind::Overloaded, "overloaded".into()),
        500.. if any(CAPACITY) => (FaultKind::Overloaded, "overloaded".into()),
        _ => (FaultKind::Upstream, "bad_gateway".into()),
    }
}

/// The provider's own code, where it is one a script can branch on.
fn own_code(rejection: &Rejection) -> Option<Cow<'static, str>> {
    let tame = |code: &&String| {
        (2..=64).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte))
            && code.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    rejection.code.as_ref().filter(tame).map(|code| code.clone().into())
}

/// The status a refusal would have had, by its code or its type.
fn implied_status(rejection: &Rejection) -> u16 {
    let number = rejection.code.as_deref().and_then(|code| code.parse().ok());
    if let Some(status) = number.filter(|status| (400..600).contains(status)) {
        return status;
    }
    const WORDS: &[(&str, u16)] = &[
        ("context_length", 400),
        ("insufficient_quota", 429),
        ("rate_limit", 429),
        ("1113", 429),
        ("overloaded", 529),
        ("invalid_api_key", 401),
        ("authentication", 401),
        ("permission", 403),
        ("not_found", 404),
        ("invalid_request", 400),
        ("timeout", 504),
    ];
    let hints = [rejection.code.as_deref(), rejection.kind_hint.as_deref()];
    let named = |(word, _): &&(&str, u16)| hints.iter().flatten().any(|hint| hint.to_ascii_lowercase().contains(word));
    WORDS.iter().find(named).map_or(502, |(_, status)| *status)
}
