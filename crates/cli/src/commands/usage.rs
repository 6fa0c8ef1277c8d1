//! `omniroute usage`: tokens and costs, in all, by provider and by model.

use std::collections::BTreeMap;

use omniroute_domain::MicroUsd;
use serde::Deserialize;
use serde_json::Value;

use crate::args::Usage;
use crate::failure::Failure;
use crate::figures::{count, dollars};
use crate::output::Answer;
use crate::session::{Session, view};
use crate::since::Since;
use crate::table::{Column, table};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    total_requests: u64,
    total_errors: u64,
    total_prompt_tokens: u64,
    total_completion_tokens: u64,
    total_cost_micro_usd: i64,
    unpriced_requests: u64,
    estimated_requests: u64,
    by_provider: BTreeMap<String, Sums>,
    by_model: BTreeMap<String, Sums>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sums {
    requests: u64,
    errors: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    cost_micro_usd: i64,
    unpriced_requests: u64,
    estimated_requests: u64,
}

/// Sums them up.
pub(crate) async fn run(session: &Session, flags: &Usage) -> Result<Answer, Failure> {
    answer(session.get(&format!("/api/usage/stats?since={}", flags.since)).await?, flags.since)
}

fn answer(document: Value, since: Since) -> Result<Answer, Failure> {
    let stats: Stats = view(&document)?;
    let text = match stats.total_requests {
        0 => format!("no requests in the last {since}\n"),
        _ => report(stats, since),
    };
    Ok(Answer::new(document, text))
}

const NOTE: &str = "\
Counted in whole hours. Costs are the vendor's own figure where it gives one, else tokens at list prices;
requests without a known price are in no sum.
";

fn report(stats: Stats, since: Since) -> String {
    let total = Sums {
        requests: stats.total_requests,
        errors: stats.total_errors,
        prompt_tokens: stats.total_prompt_tokens,
        completion_tokens: stats.total_completion_tokens,
        cost_micro_usd: stats.total_cost_micro_usd,
        unpriced_requests: stats.unpriced_requests,
        estimated_requests: stats.estimated_requests,
    };
    let all = BTreeMap::from([(format!("last {since}"), total)]);
    let parts = [("total", all), ("provider", stats.by_provider), ("model", stats.by_model)];
    let tables = parts.map(|(title, sums)| rows(title, &sums));
    format!("{}\n{NOTE}", tables.join("\n"))
}

fn rows(title: &'static str, sums: &BTreeMap<String, Sums>) -> String {
    let columns = [
        Column::Words(title),
        Column::Figures("requests"),
        Column::Figures("errors"),
        Column::Figures("tokens in"),
        Column::Figures("tokens out"),
        Column::Figures("cost"),
        Column::Words("marks"),
    ];
    let row = |(name, sums): (&String, &Sums)| {
        [
            // Requests that were refused before a provider was chosen have none.
            if name.trim_matches('/').is_empty() { "-".to_owned() } else { name.clone() },
            count(sums.requests),
            count(sums.errors),
            count(sums.prompt_tokens),
            count(sums.completion_tokens),
            sums.cost(),
            sums.marks(),
        ]
    };
    table(columns, sums.iter().map(row))
}

impl Sums {
    /// Money, unless no request of them has a known price: then it is not zero but unknown.
    fn cost(&self) -> String {
        match self.requests.saturating_sub(self.unpriced_requests) {
            0 => "-".to_owned(),
            _ => dollars(MicroUsd(self.cost_micro_usd)),
        }
    }

    /// How far the figures can be trusted.
    fn marks(&self) -> String {
        let mark = |number: u64, word: &str| match number {
            0 => None,
            all if all == self.requests => Some(word.to_owned()),
            some => Some(format!("{} {word}", count(some))),
        };
        let marks = [mark(self.unpriced_requests, "unpriced"), mark(self.estimated_requests, "estimated")];
        marks.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::answer;

    fn sums(requests: u64, cost: i64, unpriced: u64, estimated: u64) -> Value {
        json!({
            "requests": requests, "errors": 1, "promptTokens": 12_345, "completionTokens": 678, "costMicroUsd": cost,
            "unpricedRequests": unpriced, "estimatedRequests": estimated, "avgTtfbMs": null,
        })
    }

    fn stats(total: u64) -> Value {
        json!({
            "totalRequests": total, "totalErrors": 1, "totalPromptTokens": 12_345, "totalCompletionTokens": 678,
            "totalCostMicroUsd": 123_450, "unpricedRequests": 2, "estimatedRequests": 1,
            "byProvider": {"": sums(1, 0, 1, 0), "openai": sums(4, 123_450, 0, 1), "mk": sums(2, 0, 2, 0)},
            "byModel": {"/": sums(1, 0, 1, 0), "mk/m": sums(2, 0, 2, 0), "openai/x": sums(4, 123_450, 0, 1)},
            "byHour": [], "last10Minutes": [],
        })
    }

    #[test]
    fn every_cost_has_its_mark_and_an_unknown_cost_is_not_zero() {
        insta::assert_snapshot!(answer(stats(7), "24h".parse().unwrap()).unwrap().text);
    }

    #[test]
    fn the_document_is_what_was_answered() {
        let answered = answer(stats(7), "24h".parse().unwrap()).unwrap();
        assert_eq!(answered.document, stats(7));
    }

    #[test]
    fn no_requests_are_said_in_words() {
        assert_eq!(answer(stats(0), "7d".parse().unwrap()).unwrap().text, "no requests in the last 7d\n");
    }
}
