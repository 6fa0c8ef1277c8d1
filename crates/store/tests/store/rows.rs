//! Rows the store's tests share.

use omniroute_domain::{AccountId, Format, KeyId, Mark, MicroUsd, ModelId, ProviderId, Usage};
use omniroute_store::accounts::{Account, TestStatus};
use omniroute_store::keys::Key;
use omniroute_store::log::{AttemptRecord, RequestId, RequestRecord};

/// A day in November 2026, unix milliseconds.
pub(crate) const NOW: i64 = 1_795_000_000_000;

pub(crate) fn account(id: &str) -> Account {
    Account {
        id: AccountId::from(id),
        provider: ProviderId::from("openai"),
        node: None,
        name: "work".into(),
        auth_kind: "api-key".into(),
        sealed: Some("v1:00000000:nonce:ciphertext".into()),
        key_hint: Some("cdef".into()),
        base_url: None,
        local: false,
        priority: 0,
        is_active: true,
        default_model: Some(ModelId::from("gpt-x")),
        test_status: TestStatus::Ok,
        test_error: None,
        tested_at: Some(NOW),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn key(id: &str, first_byte: u8) -> Key {
    Key {
        id: KeyId::from(id),
        name: "laptop".into(),
        hash: [first_byte; 32],
        prefix: "sk-omni-AbCd".into(),
        last4: "wxyz".into(),
        scopes: "chat,manage".into(),
        is_active: true,
        created_at: NOW,
        rotated_at: None,
        expires_at: Some(NOW + 1),
    }
}

/// A streamed request that its second account answered.
pub(crate) fn request(sequence: u32) -> RequestRecord {
    let mut record = RequestRecord::new(RequestId::new(NOW, sequence), Format::OpenAiChat, "chat", "oa/gpt-x".into());
    record.key = Some(KeyId::from("key-1"));
    record.provider = Some(ProviderId::from("openai"));
    record.account = Some(AccountId::from("account-2"));
    record.model = Some(ModelId::from("gpt-x"));
    record.stream = true;
    record.status = 200;
    record.ttfb_ms = Some(120);
    record.duration_ms = 900;
    record.usage = Usage {
        input_total: Some(61),
        cache_read: Some(7),
        output_total: Some(5),
        server_tools: vec![("web_search".into(), 2)],
        tier: Some("default".into()),
        ..Usage::default()
    };
    record.usage_mark = Some(Mark::Reported);
    record.cost = MicroUsd(1234);
    record.cost_mark = Mark::Estimated;
    record.price_checked = Some("2026-11-20".into());
    (record.bytes_in, record.bytes_out) = (300, 4000);
    record.attempts = vec![failed_attempt(), last_attempt()];
    record
}

fn failed_attempt() -> AttemptRecord {
    AttemptRecord {
        n: 1,
        account: AccountId::from("account-1"),
        status: Some(429),
        fault_kind: Some(omniroute_domain::FaultKind::RateLimit),
        fault_code: Some("rate_limit_exceeded".into()),
        message: Some("slow down".into()),
        ..last_attempt()
    }
}

fn last_attempt() -> AttemptRecord {
    AttemptRecord {
        n: 2,
        provider: ProviderId::from("openai"),
        account: AccountId::from("account-2"),
        model: ModelId::from("gpt-x"),
        at_ms: NOW + 3,
        duration_ms: 800,
        status: Some(200),
        fault_kind: None,
        fault_code: None,
        message: None,
    }
}

/// Numbers that look random and are the same in every run (xorshift64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}
