//! One row per request and one per attempt, whatever becomes of the request.
//!
//! What comes in: what the steps learn. What goes out: a record to the log's writer, which never makes
//! anyone wait. A draft that is dropped unfinished is a client that went away, and is recorded as that.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use omniroute_domain::{Fault, Format, Mark, MicroUsd, Price, Usage};
use omniroute_store::log::{AttemptRecord, LogWriter, Outcome, RequestRecord};
use omniroute_wire::openai_chat::tap::{ReplyFacts, StreamTap};

use crate::call::{Ask, ClientCall};
use crate::gateway::Gateway;
use crate::request_id::REQUEST_ID;
use crate::shape::Target;
use crate::snapshot::{ClientKey, DatedPrice};

/// Bytes of text to a token, where nobody counted.
const BYTES_PER_TOKEN: u64 = 4;

/// A record in the making.
pub(crate) struct Draft {
    row: Option<Box<RequestRecord>>,
    log: LogWriter,
    started: Instant,
    open: Option<Attempt>,
    price: Option<DatedPrice>,
    /// Tokens of the request, worked out where the provider may not say.
    pub(crate) estimated_input: Option<u64>,
}

/// A try in the making.
struct Attempt {
    row: AttemptRecord,
    started: Instant,
}

impl Draft {
    /// Begins with the request's arrival.
    pub(crate) fn open(gateway: &Gateway, call: &ClientCall) -> Self {
        let mut row = RequestRecord::new(call.id, Format::OpenAiChat, "chat", String::new());
        row.client_id = call.head.headers.get(REQUEST_ID).and(call.request_id.to_str().ok()).map(str::to_owned);
        Self {
            row: Some(Box::new(row)),
            log: gateway.log.clone(),
            started: call.started,
            open: None,
            price: None,
            estimated_input: None,
        }
    }

    /// Who asks.
    pub(crate) fn admitted(&mut self, key: &Arc<ClientKey>) {
        self.with(|row| row.key = Some(key.id.clone()));
    }

    /// What is asked.
    pub(crate) fn asked(&mut self, ask: &Ask) {
        self.with(|row| {
            row.asked_model = ask.model.chars().take(200).collect();
            row.stream = ask.stream;
            row.bytes_in = ask.body.len() as u64;
        });
    }

    /// A target is tried.
    pub(crate) fn attempt(&mut self, target: &Target) {
        let tries = self.row.as_ref().map_or(0, |row| row.attempts.len());
        let row = AttemptRecord {
            n: u32::try_from(tries + 1).unwrap_or(u32::MAX),
            provider: target.provider_id(),
            account: target.account.id.clone(),
            model: target.model_id(),
            at_ms: now_ms(),
            duration_ms: 0,
            status: None,
            fault_kind: None,
            fault_code: None,
            message: None,
        };
        self.open = Some(Attempt { row, started: Instant::now() });
    }

    /// The target answers.
    pub(crate) fn won(&mut self, price: Option<DatedPrice>) {
        self.price = price;
        self.tried(|row| row.status = Some(200));
    }

    /// The target failed.
    pub(crate) fn lost(&mut self, fault: &Fault) {
        tracing::debug!(id = self.row.as_ref().map(|row| row.id.to_string()), ?fault, "An attempt failed.");
        self.tried(|row| {
            row.status = fault.upstream_status;
            blame(row, fault);
        });
    }

    /// Closes the open attempt.
    fn tried(&mut self, change: impl FnOnce(&mut AttemptRecord)) {
        let Some(mut attempt) = self.open.take() else { return };
        change(&mut attempt.row);
        attempt.row.duration_ms = millis(attempt.started);
        self.with(|row| {
            row.provider = Some(attempt.row.provider.clone());
            row.account = Some(attempt.row.account.clone());
            row.model = Some(attempt.row.model.clone());
            row.attempts.push(attempt.row);
        });
    }

    /// The client is about to get the first byte of an answer.
    pub(crate) fn first_byte(&mut self) {
        let waited = millis(self.started);
        self.with(|row| row.ttfb_ms = Some(waited));
    }

    /// The client is about to get so many bytes.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.with(|row| row.bytes_out += bytes as u64);
    }

    /// A whole answer is about to go out: it is counted.
    pub(crate) fn answered_whole(&mut self, facts: &ReplyFacts, bytes: usize) {
        self.first_byte();
        self.sent(bytes);
        self.count(&facts.usage, facts.text_bytes);
    }

    /// A whole answer goes out.
    pub(crate) fn done(mut self) {
        self.end(Outcome::Ok, 200, None);
    }

    /// Tells the client, in fields of the answer's head, who answered and what is known of its cost.
    pub(crate) fn tell_client(&self, fields: &mut HeaderMap) {
        let Some(row) = &self.row else { return };
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                fields.insert(HeaderName::from_static(name), value);
            }
        };
        set("x-omniroute-request-id", row.id.to_string());
        set("x-omniroute-fallback-attempts", row.attempts.len().saturating_sub(1).to_string());
        if let (Some(provider), Some(model)) = (&row.provider, &row.model) {
            set("x-omniroute-provider", provider.to_string());
            set("x-omniroute-model", model.to_string());
        }
        if let Some(mark) = row.usage_mark {
            set("x-omniroute-usage", mark.as_str().to_owned());
            set("x-omniroute-tokens-in", row.usage.input_total.unwrap_or(0).to_string());
            set("x-omniroute-tokens-out", row.usage.output_total.unwrap_or(0).to_string());
            if row.cost_mark != Mark::Unpriced {
                set("x-omniroute-response-cost", dollars(row.cost));
            }
        }
    }

    /// A stream came to its end, good or bad.
    pub(crate) fn streamed(mut self, tap: &StreamTap, fault: Option<&Fault>) {
        self.count(tap.usage(), tap.text_bytes());
        // The status was sent with the first byte; that the rest failed is the outcome's business.
        self.end(if fault.is_some() { Outcome::Error } else { Outcome::Ok }, 200, fault);
    }

    /// The client left in the middle of a stream.
    pub(crate) fn left(mut self, tap: &StreamTap) {
        self.count(tap.usage(), tap.text_bytes());
        self.end(Outcome::ClientClosed, 200, None);
    }

    /// The client gets an error.
    pub(crate) fn failed(mut self, fault: &Fault) {
        self.with(|row| row.cost_mark = Mark::Estimated);
        self.end(Outcome::Error, fault.status(), Some(fault));
    }

    /// Takes down tokens and cost, each with its mark.
    fn count(&mut self, reported: &Usage, text_bytes: u64) {
        let price = self.price.take();
        let input = self.estimated_input;
        self.with(|row| {
            let (usage, mark) = if reported.output_total.is_some() {
                (reported.clone(), Mark::Reported)
            } else {
                // Nothing was reported, or only the input before the answer broke off.
                (completed(reported, input, text_bytes), Mark::Estimated)
            };
            (row.cost, row.cost_mark) = match (usage.cost, &price) {
                (Some(said), _) => (said, Mark::Reported),
                (None, Some(DatedPrice { price, .. })) => (Price::cost(price, &usage), Mark::Estimated),
                (None, None) => (MicroUsd(0), Mark::Unpriced),
            };
            row.price_checked = price.filter(|_| usage.cost.is_none()).map(|price| price.checked);
            (row.usage, row.usage_mark) = (usage, Some(mark));
        });
    }

    fn end(&mut self, outcome: Outcome, status: u16, fault: Option<&Fault>) {
        // An attempt that is still open was left by the client or cut by the gateway.
        self.tried(|_| {});
        let Some(mut row) = self.row.take() else { return };
        row.outcome = outcome;
        row.status = status;
        row.duration_ms = millis(self.started);
        if let Some(fault) = fault {
            row.fault_kind = Some(fault.kind);
            row.fault_code = Some(fault.code.clone());
            row.message = Some(fault.message.clone());
            // A stream that broke after it began: the attempt that won has failed after all.
            if let Some(last) = row.attempts.last_mut().filter(|last| last.fault_kind.is_none()) {
                blame(last, fault);
            }
        }
        tell(&row);
        self.log.record(*row);
    }

    fn with(&mut self, change: impl FnOnce(&mut RequestRecord)) {
        if let Some(row) = &mut self.row {
            change(row);
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.end(Outcome::ClientClosed, 499, None);
    }
}

fn blame(row: &mut AttemptRecord, fault: &Fault) {
    row.fault_kind = Some(fault.kind);
    row.fault_code = Some(fault.code.clone());
    row.message = Some(fault.message.clone());
}

/// Tokens of a request from its length; `None` where pictures or other media stand in it, whose length
/// says nothing.
pub(crate) fn input_tokens(body: &[u8]) -> Option<u64> {
    let has_media = memchr::memmem::find(body, b";base64,").is_some();
    (!has_media).then(|| (body.len() as u64).div_ceil(BYTES_PER_TOKEN))
}

/// What was reported, and the rest worked out.
fn completed(reported: &Usage, input: Option<u64>, text_bytes: u64) -> Usage {
    let output = text_bytes.div_ceil(BYTES_PER_TOKEN);
    Usage { input_total: reported.input_total.or(input), output_total: Some(output), ..reported.clone() }
}

/// An amount in dollars with ten decimals, as the field is written.
fn dollars(amount: MicroUsd) -> String {
    format!("{}.{:06}0000", amount.0 / 1_000_000, amount.0 % 1_000_000)
}

/// The one line of the log about a request.
fn tell(row: &RequestRecord) {
    tracing::debug!(
        id = %row.id,
        model = %row.asked_model,
        provider = row.provider.as_ref().map(|provider| provider.as_str()),
        status = row.status,
        outcome = row.outcome.as_str(),
        code = row.fault_code.as_deref(),
        ms = row.duration_ms,
        tokens_in = row.usage.input_total,
        tokens_out = row.usage.output_total,
        "Answered a request."
    );
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
