//! A provider that sees pictures: it answers with an account of what reached it, so that a test, or
//! an official SDK, can tell whether images came through whole.

use serde_json::{Value, json};

use crate::chat;
use crate::request::Request;
use crate::script::Script;

/// Answers every chat with what it received: see [`account`].
pub fn inspector() -> Script {
    Script::inspect(|request| {
        let seen = account(request).to_string();
        let quoted = Value::String(seen).to_string();
        let usage = r#"{"prompt_tokens":300,"completion_tokens":20,"total_tokens":320,"prompt_tokens_details":{"image_tokens":255}}"#;
        chat::says(&[&quoted[1..quoted.len() - 1]], usage).script_for(request)
    })
}

/// What a request holds: its texts, and of every picture the type, the size in bytes and a check sum
/// of what its base64 says, or its address, and its `detail`; and every other field of the request but
/// `messages` and `model`.
pub fn account(request: &Request) -> Value {
    let body = request.json();
    let mut texts = Vec::new();
    let mut images = Vec::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        match &message["content"] {
            Value::String(text) => texts.push(text.clone()),
            Value::Array(parts) => {
                texts.extend(parts.iter().filter_map(|part| part["text"].as_str().map(str::to_owned)));
                images.extend(parts.iter().filter_map(image));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
        }
    }
    let others =
        body.as_object().into_iter().flatten().filter(|(name, _)| !["messages", "model"].contains(&name.as_str()));
    let fields: serde_json::Map<_, _> = others.map(|(name, value)| (name.clone(), value.clone())).collect();
    json!({ "texts": texts, "images": images, "fields": fields })
}

fn image(part: &Value) -> Option<Value> {
    let image = part.get("image_url")?;
    let url = image["url"].as_str()?;
    let detail = image["detail"].clone();
    let Some((kind, data)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) else {
        return Some(json!({ "url": url, "detail": detail }));
    };
    let bytes = decode_base64(data)?;
    Some(json!({ "type": kind, "bytes": bytes.len(), "sum": fletcher(&bytes), "detail": detail }))
}

/// Fletcher's sum of 32 bits over bytes: order counts, and Python and JavaScript need three lines for it.
pub fn fletcher(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((0_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65535;
        (low, (high + low) % 65535)
    });
    (high << 16) | low
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        bits = (bits << 6) | u32::try_from(ALPHABET.iter().position(|known| *known == letter)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{account, decode_base64, fletcher};
    use crate::http::Inbound;
    use crate::request::Request;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        for (text, bytes) in [("", &b""[..]), ("TWFu", b"Man"), ("TWE=", b"Ma"), ("TQ==", b"M"), ("/+8", b"\xff\xef")] {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes), "{text}");
        }
        assert_eq!(decode_base64("T*Fu"), None);
    }

    #[test]
    fn the_sum_changes_with_the_order() {
        assert_eq!(fletcher(b"abcde"), 0x05C3_01EF, "the sums 495 and 1475, by hand");
        assert_ne!(fletcher(b"ab"), fletcher(b"ba"));
    }

    #[tokio::test]
    async fn tells_texts_and_pictures() {
        let head = Inbound::new(&b"POST /v1/chat/completions HTTP/1.1\r\n\r\n"[..]).head().await.unwrap().unwrap();
        let body = br#"{"model":"m","n":2,"messages":[{"content":"a"},{"content":[{"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"data:image/png;base64,TWFu","detail":"low"}},{"type":"image_url","image_url":{"url":"https://pictures.example/x.png"}}]}]}"#;
        let seen = account(&Request::new(1, 1, head, body.to_vec()));
        let images = json!([{"type":"image/png","bytes":3,"sum":fletcher(b"Man"),"detail":"low"},{"url":"https://pictures.example/x.png","detail":null}]);
        assert_eq!(seen, json!({ "texts": ["a", "b"], "images": images, "fields": { "n": 2 } }));
    }
}
