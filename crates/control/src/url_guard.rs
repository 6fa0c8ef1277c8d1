//! An early look at where an address leads, so that a blocked one is refused when it is entered. The
//! connection layer checks again whenever it connects; this one only says it sooner and clearer.

use std::time::Duration;

use http::Uri;
use omniroute_upstream::address::Reach;

use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::Problem;

/// How long a name may take to resolve; a slow one is left to the connection layer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The code of a refusal.
const BLOCKED: &str = "URL_GUARD_BLOCKED";

/// How far an address may reach that a person calls local, or not.
pub(crate) fn reach(local: Option<bool>) -> Reach {
    if local == Some(true) { Reach::Local } else { Reach::Public }
}

/// Refuses an address whose name leads only to places that may not be reached. A name that does not
/// resolve here may resolve at a proxy.
pub(crate) async fn check(base_url: Option<&str>, reach: Reach) -> Result<(), Problem> {
    let Some(uri) = base_url.and_then(|url| url.parse::<Uri>().ok()) else { return Ok(()) };
    let Some(host) = uri.host().map(|host| host.trim_start_matches('[').trim_end_matches(']')) else { return Ok(()) };
    let lookup = tokio::net::lookup_host((host, 443));
    let Ok(Ok(found)) = tokio::time::timeout(PATIENCE, lookup).await else { return Ok(()) };
    let mut leads_somewhere = false;
    for address in found {
        if reach.allows(address.ip()) {
            return Ok(());
        }
        leads_somewhere = true;
    }
    if !leads_somewhere {
        return Ok(());
    }
    let text = match reach {
        Reach::Public => format!(
            "`{host}` leads to a private, link-local or metadata address; mark the provider as local if it runs in your own network"
        ),
        Reach::Local => format!("`{host}` leads to a link-local or metadata address, which is never reached"),
    };
    Err(Problem::unprocessable(BLOCKED, text).field("baseUrl"))
}

/// Writes a refusal by the guard into the audit log.
pub(crate) fn note(instance: &Instance, by: &Principal, what: &str, problem: Problem) -> Problem {
    if problem.code() == BLOCKED {
        instance.audit(by, "url_guard.blocked", what, Some(problem.message().to_owned()));
    }
    problem
}
