//! The way of a request, step by step. Each step is the file of its name.
//!
//! Until the provider's first useful event the client has received nothing, so any failure can still
//! move on to the next target or become an honest HTTP error. That point is a type: `attempt` gives a
//! `First`, and only a `First` can be relayed.

use std::sync::Arc;

use axum::response::Response;
use omniroute_domain::{Fault, Retry};

use crate::attempt::{self, First};
use crate::call::ClientCall;
use crate::gateway::Gateway;
use crate::record::Draft;
use crate::{admit, drain, ingress, record, reject, relay, shape};

/// Answers a chat request.
pub(crate) async fn answer(gateway: Arc<Gateway>, call: ClientCall) -> Response {
    let mut draft = Draft::open(&gateway, &call);
    let request_id = call.request_id.clone();
    let cut = gateway.drain.cut_token();
    let outcome = tokio::select! {
        outcome = first_useful(&gateway, call, &mut draft) => outcome,
        () = cut.cancelled() => Err(drain::stopping()),
    };
    match outcome {
        Ok(first) => relay::begin(&gateway, first, draft, request_id),
        Err(fault) => reject::finish(&fault, draft, &request_id),
    }
}

/// Everything up to the commit point: the one attempt loop of the product.
async fn first_useful(gateway: &Gateway, call: ClientCall, draft: &mut Draft) -> Result<First, Fault> {
    let snapshot = gateway.live.load_full();
    let key = admit::admit(&snapshot, &call.head)?;
    draft.admitted(&key);
    let ask = ingress::read(&call.head.headers, call.body, &gateway.limits).await?;
    draft.asked(&ask);
    let plan = shape::plan(&snapshot, &ask, call.provider.as_deref())?;
    let mut last = None;
    for target in plan.targets(&snapshot).take(gateway.limits.attempts) {
        draft.attempt(&target);
        match attempt::run(gateway, &target, &ask, &call.head.headers).await {
            Ok(first) => {
                draft.won(snapshot.price(target.provider(), target.model()));
                draft.estimated_input = first.needs_estimate().then(|| record::input_tokens(&ask.body)).flatten();
                return Ok(first);
            }
            Err(fault) => {
                draft.lost(&fault);
                if fault.retry == Retry::Never {
                    return Err(fault);
                }
                last = Some(fault);
            }
        }
    }
    Err(last.unwrap_or_else(|| plan.nobody()))
}
