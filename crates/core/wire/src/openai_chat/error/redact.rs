//! Taking keys, tokens and addresses of people out of a provider's text before anyone sees it.
//! OpenAI, for one, repeats a part of the key it refuses.

const MARK: &str = "[redacted]";

/// How credentials of the known vendors begin, in lower case.
const PREFIXES: [&str; 14] = [
    "sk-",
    "pk-",
    "rk-",
    "gsk_",
    "xai-",
    "aiza",
    "eyj",
    "ghp_",
    "gho_",
    "ghu_",
    "github_pat_",
    "hf_",
    "nvapi-",
    "ya29.",
];

/// Replaces every word that looks like a credential or a mail address.
pub(super) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_bearer = false;
    for word in text.split_inclusive(|letter: char| letter.is_whitespace() || "\"'`,;()<>=&".contains(letter)) {
        let core = word.trim_end_matches(|letter: char| letter.is_whitespace() || "\"'`,;()<>=&.:!?".contains(letter));
        if is_secret(core) || (after_bearer && core.len() >= 8) {
            out.push_str(MARK);
            out.push_str(&word[core.len()..]);
        } else {
            out.push_str(word);
        }
        after_bearer = core.eq_ignore_ascii_case("bearer");
    }
    out
}

fn is_secret(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let credential = word.len() >= 10 && PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
    let mail = word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    credential || mail
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn credentials_and_mail_addresses_are_taken_out() {
        check(
            "Incorrect API key provided: sk-abcd***wxyz. See below.",
            "Incorrect API key provided: [redacted]. See below.",
        );
        check("bad token 'Bearer abcdef123456'", "bad token 'Bearer [redacted]'");
        check("https://x.example/v1?key=AIzaSyA1234567&alt=sse", "https://x.example/v1?key=[redacted]&alt=sse");
        check("account jo@example.com is locked", "account [redacted] is locked");
    }

    #[test]
    fn ordinary_words_stay() {
        let plain = "model `openai/gpt-oss-120b` @ 3 req/s: skip-level asks, `sk-` alone and user@host stay";
        check(plain, plain);
    }
}
