//! Token counts of one exchange, as the provider reports them.

use serde::{Deserialize, Serialize};

use crate::money::MicroUsd;

/// Tokens of one exchange. Totals are inclusive: `input_total` holds the cached tokens too,
/// `output_total` the reasoning. A field that is `None` was not reported, which is not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All input tokens.
    pub input_total: Option<u64>,
    /// Input tokens served from a cache.
    pub cache_read: Option<u64>,
    /// Input tokens written to a cache that lives five minutes (or an unnamed time).
    pub cache_write_5m: Option<u64>,
    /// Input tokens written to a cache that lives an hour.
    pub cache_write_1h: Option<u64>,
    /// All output tokens.
    pub output_total: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<u64>,
    /// Audio tokens in the input.
    pub audio_in: Option<u64>,
    /// Audio tokens in the output.
    pub audio_out: Option<u64>,
    /// Image tokens in the input.
    pub image: Option<u64>,
    /// Input tokens of a hosted tool's own prompt.
    pub tool_prompt: Option<u64>,
    /// Uses of server-side tools, by name.
    pub server_tools: Vec<(String, u64)>,
    /// The service tier that answered.
    pub tier: Option<String>,
    /// The vendor's own figure for the cost, where it gives one.
    pub cost: Option<MicroUsd>,
}

impl Usage {
    /// All tokens written to a cache.
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m.unwrap_or(0).saturating_add(self.cache_write_1h.unwrap_or(0))
    }

    /// Whether the provider reported any token count.
    pub fn is_reported(&self) -> bool {
        self.input_total.is_some() || self.output_total.is_some()
    }

    /// Takes over what a later report says; what it leaves out stays. Reports are cumulative, so
    /// nothing is added up.
    pub fn update(&mut self, later: Self) {
        let keep = |now: &mut Option<u64>, next: Option<u64>| *now = next.or(*now);
        keep(&mut self.input_total, later.input_total);
        keep(&mut self.cache_read, later.cache_read);
        keep(&mut self.cache_write_5m, later.cache_write_5m);
        keep(&mut self.cache_write_1h, later.cache_write_1h);
        keep(&mut self.output_total, later.output_total);
        keep(&mut self.reasoning, later.reasoning);
        keep(&mut self.audio_in, later.audio_in);
        keep(&mut self.audio_out, later.audio_out);
        keep(&mut self.image, later.image);
        keep(&mut self.tool_prompt, later.tool_prompt);
        if !later.server_tools.is_empty() {
            self.server_tools = later.server_tools;
        }
        self.tier = later.tier.or(self.tier.take());
        self.cost = later.cost.or(self.cost);
    }
}

#[cfg(test)]
mod tests {
    use super::Usage;

    #[test]
    fn the_last_report_wins_field_by_field() {
        let mut usage = Usage { input_total: Some(43), cache_read: Some(7), ..Usage::default() };
        usage.update(Usage { input_total: Some(61), output_total: Some(5), ..Usage::default() });
        assert_eq!((usage.input_total, usage.cache_read, usage.output_total), (Some(61), Some(7), Some(5)));
    }
}
