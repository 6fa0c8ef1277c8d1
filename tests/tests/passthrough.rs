//! What a tool sends arrives at the provider as sent, and what the provider answers arrives as
//! answered: only model and credentials are exchanged, and a stream is asked to report its usage.

use omniroute_testkit::{Call, Script, chat, vision};
use omniroute_tests::Scene;
use omniroute_tests::scene::{PROVIDER_KEY, ask, ask_counted_stream, ask_stream};
use serde_json::{Value, json};

/// Stands for the model's name in a body: the client writes one, the provider reads another.
const MODEL: &str = "@MODEL@";

/// Sends a body and checks that exactly it arrives, but for the model's name.
async fn arrives_as_sent(scene: &Scene, body: &str) {
    let before = scene.provider.chats().len();
    let answer = scene.chat(body.replace(MODEL, "mk/m")).send().await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.text());
    let chats = scene.provider.chats();
    assert_eq!(chats.len(), before + 1, "one request in, one request out");
    assert_eq!(chats[before].body_text(), body.replace(MODEL, "m"));
}

#[tokio::test]
async fn a_body_arrives_byte_for_byte_but_for_the_model() {
    let scene = Scene::start().await;
    let bodies = [
        r#"{"model":"@MODEL@","messages":[]}"#,
        r#"{"messages":[{"role":"user","content":"Hi"}],"temperature":0.10,"model":"@MODEL@"}"#,
        "{\r\n\t\"model\" :\t\"@MODEL@\" ,\n \"messages\" : [ ] }\n",
        r#"{"zeta":1,"alpha":{"model":"mk/other","b":[1,2.50,-0,1e5,1E-7]},"model":"@MODEL@","messages":[{"role":"user","content":"\"model\":\"mk/m\""}]}"#,
        r#"{"model":"@MODEL@","messages":[],"seed":98765432109876543210,"big":12345678901234567890123456789.000100}"#,
        r#"{"model":"@MODEL@","messages":[{"role":"user","content":"\u0041\/\ud834\udd1e \u00e9 é 𐍈"}],"":null,"x\u0079":true}"#,
        r#"{"model":"@MODEL@","messages":[{"role":"assistant","content":null,"reasoning_content":"r","reasoning_details":[{"type":"reasoning.encrypted","data":"b64=="}]}],"vendor":{"unknown":[[],{}]},"extra_body":{"top_k":1}}"#,
        r#"{"model":"@MODEL@","messages":[],"vendor":1,"vendor":2,"stream":false,"stream_options":null}"#,
    ];
    for body in bodies {
        arrives_as_sent(&scene, body).await;
    }
}

#[tokio::test]
async fn a_model_name_written_with_escapes_is_exchanged_too() {
    let scene = Scene::start().await;
    let answer = scene.chat(r#"{"model":"\u006dk\/m","messages":[]}"#).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(scene.provider.only_chat().body_text(), r#"{"model":"m","messages":[]}"#);
}

#[tokio::test]
async fn tools_formats_and_every_other_field_arrive_as_sent() {
    let scene = Scene::start().await;
    let tool = r#"{"type":"function","function":{"name":"get_weather","description":"d","strict":true,"parameters":{"$schema":"x","type":"object","properties":{"city":{"type":"string","enum":["Paris",1]}},"required":["city"],"additionalProperties":false}}}"#;
    let custom = r#"{"type":"custom","custom":{"name":"sql","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: /a/"}}}}"#;
    let turns = r#"{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Weather?"}]},{"role":"assistant","content":"","tool_calls":[{"id":"call_a","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}},{"id":"call_b","type":"function","function":{"name":"get_weather","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_b","content":"<18\u00b0C> & \"fine\"\n"},{"role":"tool","tool_call_id":"call_a","content":[{"type":"text","text":"ok"}]}"#;
    let bodies = [
        format!(
            r#"{{"model":"{MODEL}","messages":[{turns}],"tools":[{tool},{custom}],"tool_choice":{{"type":"function","function":{{"name":"get_weather"}}}},"parallel_tool_calls":false}}"#
        ),
        format!(
            r#"{{"model":"{MODEL}","messages":[],"response_format":{{"type":"json_schema","json_schema":{{"name":"n","strict":true,"schema":{{"type":"object","properties":{{"b":{{"type":"number"}},"a":{{"const":1.0}}}}}}}}}},"stop":["Observation:"],"logit_bias":{{"50256":-100}}}}"#
        ),
        format!(
            r#"{{"model":"{MODEL}","messages":[],"functions":[{{"name":"f","parameters":{{}}}}],"function_call":"auto","n":2,"logprobs":true,"top_logprobs":3,"modalities":["text","audio"],"audio":{{"voice":"alloy","format":"wav"}},"prediction":{{"type":"content","content":"x"}},"metadata":{{"k":"v"}},"service_tier":"flex","prompt_cache_key":"p","max_completion_tokens":1,"max_tokens":2}}"#
        ),
    ];
    for body in bodies {
        arrives_as_sent(&scene, &body).await;
    }
}

#[tokio::test]
async fn pictures_arrive_whole() {
    let scene = Scene::start().await;
    scene.provider.always(vision::inspector());
    let picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let large = "QUJD".repeat(500_000);
    let parts = format!(
        r#"[{{"type":"text","text":"What is this?"}},{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{picture}","detail":"high"}}}},{{"type":"image_url","image_url":{{"url":"data:image/webp;base64,{large}"}}}},{{"type":"image_url","image_url":{{"url":"https://pictures.example/a.png?x=1&y=2"}}}}]"#
    );
    let body = format!(r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":{parts}}}]}}"#);
    arrives_as_sent(&scene, &body).await;
    let told = scene.chat(body.replace(MODEL, "mk/m")).send().await.json();
    let told: Value = serde_json::from_str(told["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
    assert_eq!(told["texts"], json!(["What is this?"]));
    let sizes: Vec<_> = told["images"].as_array().unwrap().iter().map(|image| image["bytes"].as_u64()).collect();
    assert_eq!(sizes, [Some(70), Some(1_500_000), None]);
    assert_eq!(told["images"][2]["url"], "https://pictures.example/a.png?x=1&y=2");
}

#[tokio::test]
async fn a_stream_is_asked_to_report_usage_and_nothing_else_is_touched() {
    let scene = Scene::start().await;
    let cases = [
        (r#"{"model":"@","stream":true,"messages":[],"seed":98765432109876543210}"#, json!({"include_usage": true})),
        (r#"{"stream":true,"stream_options":{},"messages":[],"model":"@"}"#, json!({"include_usage": true})),
        (r#"{"stream":true,"stream_options":null,"messages":[],"model":"@"}"#, json!({"include_usage": true})),
        (
            r#"{"model":"@","stream":true,"stream_options":{"include_obfuscation":false},"messages":[]}"#,
            json!({"include_obfuscation": false, "include_usage": true}),
        ),
        (
            r#"{"model":"@","stream":true,"stream_options":{"include_usage":false,"x":[1]},"messages":[]}"#,
            json!({"include_usage": true, "x": [1]}),
        ),
    ];
    for (number, (body, options)) in cases.into_iter().enumerate() {
        let mut stream = scene.chat(body.replace('@', "mk/m")).stream().await;
        assert_eq!(stream.status, 200, "{body}");
        let events = stream.rest().await;
        assert!(!events.iter().any(|event| event.text().contains("\"usage\"")), "usage stays hidden: {events:?}");
        let seen = scene.provider.chats()[number].clone();
        let mut expected: Value = serde_json::from_str(&body.replace('@', "m")).unwrap();
        expected["stream_options"] = options;
        assert_eq!(seen.json(), expected, "{}", seen.body_text());
        assert!(seen.body_text().contains("\"messages\":[]"), "the rest keeps its bytes: {}", seen.body_text());
    }
    let first = scene.provider.chats()[0].body_text();
    assert!(first.contains("98765432109876543210"), "integers of any size keep their digits: {first}");
    let left = first
        .replace(r#","stream_options":{"include_usage":true}"#, "")
        .replace(r#""stream_options":{"include_usage":true},"#, "");
    assert_eq!(left, r#"{"model":"m","stream":true,"messages":[],"seed":98765432109876543210}"#);
}

#[tokio::test]
async fn a_stream_that_asks_for_usage_itself_is_not_edited_and_gets_it() {
    let scene = Scene::start().await;
    let body = ask_counted_stream("mk/m");
    let mut stream = scene.chat(body.clone()).stream().await;
    stream.rest().await;
    assert_eq!(
        String::from_utf8_lossy(stream.raw()),
        String::from_utf8_lossy(&chat::stream_bytes(&chat::greeting().stream_with_usage()))
    );
    assert_eq!(scene.provider.only_chat().body_text(), body.replace("mk/m", "m"));
}

#[tokio::test]
async fn nothing_of_the_client_but_the_body_is_forwarded() {
    let scene = Scene::start().await;
    let call =
        Call::post(scene.gateway.url(), &format!("/v1/chat/completions?key={}&x=1", scene.gateway.key()), ask("mk/m"))
            .key(scene.gateway.key())
            .header("x-api-key", scene.gateway.key())
            .header("x-goog-api-key", scene.gateway.key())
            .header("cookie", "session=secret-cookie")
            .header("proxy-authorization", "Basic secret-proxy")
            .header("user-agent", "SomeTool/1.0 secret-agent")
            .header("x-stainless-lang", "python")
            .header("x-forwarded-for", "192.0.2.7")
            .header("forwarded", "for=192.0.2.7")
            .header("x-real-ip", "192.0.2.7")
            .header("referer", "http://secret-referer.example/")
            .header("te", "trailers")
            .header("keep-alive", "timeout=5")
            .header("upgrade-insecure-requests", "1")
            .header("accept-encoding", "gzip, br")
            .header("accept-language", "secret-language")
            .header("x-relay-host", "evil.example")
            .header("connection", "keep-alive, x-hop")
            .header("x-hop", "secret-hop")
            .header("x-request-id", "client-chosen-id-1");
    let answer = call.send().await;
    assert_eq!((answer.status, answer.header("x-request-id")), (200, Some("client-chosen-id-1")), "{}", answer.text());
    let seen = scene.provider.only_chat();
    let head = String::from_utf8_lossy(seen.head_bytes()).to_ascii_lowercase();
    for word in
        ["secret-", "192.0.2.7", "evil.example", "x-stainless", "cookie", "trailers", "gzip", "x-api-key", "key="]
    {
        assert!(!head.contains(word), "`{word}` stays here: {head}");
    }
    assert!(!head.contains(&scene.gateway.key().to_ascii_lowercase()), "so does the client's key");
    assert_eq!((seen.target.as_str(), seen.bearer()), ("/v1/chat/completions", Some(PROVIDER_KEY)));
    assert_eq!(seen.header_all("authorization").len(), 1, "one credential");
    assert_eq!(seen.header("host"), scene.provider.origin().strip_prefix("http://"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("content-length"), Some(&*seen.body.len().to_string()));
}

#[tokio::test]
async fn an_answer_arrives_byte_for_byte() {
    let scene = Scene::start().await;
    for exchange in [chat::odd_fields(), chat::weather(), chat::parallel_tools(), chat::structured(), chat::refusal()] {
        scene.provider.script(exchange.script().clone());
        let answer = scene.ask().await;
        assert_eq!((answer.status, answer.text()), (200, exchange.reply.clone()));
        scene.provider.script(exchange.script());
        let mut stream = scene.chat(ask_counted_stream("mk/m")).stream().await;
        stream.rest().await;
        let expected = chat::stream_bytes(&exchange.stream_with_usage());
        assert_eq!(String::from_utf8_lossy(stream.raw()), String::from_utf8_lossy(&expected));
    }
}

#[tokio::test]
async fn a_client_that_did_not_ask_gets_the_stream_without_the_usage_event() {
    let scene = Scene::start().await;
    for exchange in [chat::odd_fields(), chat::weather(), chat::parallel_tools()] {
        let hidden = chat::stream_bytes(&exchange.stream());
        let whole_in_one_write = Script::sse_raw([chat::stream_bytes(&exchange.stream_with_usage())]);
        for script in [Script::sse(exchange.stream_with_usage()), whole_in_one_write] {
            scene.provider.script(script);
            let mut stream = scene.ask_stream().stream().await;
            stream.rest().await;
            assert_eq!(String::from_utf8_lossy(stream.raw()), String::from_utf8_lossy(&hidden));
        }
    }
}

#[tokio::test]
async fn useful_fields_of_the_answer_come_along_and_others_do_not() {
    let scene = Scene::start().await;
    let dress = |script: Script| {
        script
            .header("x-request-id", "req-of-provider")
            .header("x-ratelimit-remaining-requests", "41")
            .header("openai-processing-ms", "7")
            .header("set-cookie", "__cf=secret-cookie")
            .header("access-control-allow-origin", "*")
            .header("server", "secret-server")
            .header("alt-svc", "h3=\":443\"")
    };
    scene.provider.script(dress(chat::greeting().whole()));
    scene.provider.script(dress(Script::sse(chat::greeting().stream())));
    let whole = scene.ask().await;
    let stream = scene.ask_stream().stream().await;
    let fields = |get: &dyn Fn(&str) -> Option<String>| {
        [
            "x-ratelimit-remaining-requests",
            "openai-processing-ms",
            "set-cookie",
            "access-control-allow-origin",
            "server",
            "alt-svc",
        ]
        .map(get)
    };
    let expected = [Some("41".to_owned()), Some("7".to_owned()), None, None, None, None];
    assert_eq!(fields(&|name| whole.header(name).map(str::to_owned)), expected);
    assert_eq!(fields(&|name| stream.header(name).map(str::to_owned)), expected);
    assert_ne!(whole.header("x-request-id"), Some("req-of-provider"), "the request's name is ours");
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(stream.header("content-length"), None, "a stream has no length");
}

#[tokio::test]
async fn the_same_answer_is_reached_by_every_form_of_the_address() {
    let scene = Scene::start().await;
    let url = scene.gateway.url();
    let forms = [
        ("/v1/chat/completions", "mk/m"),
        ("/chat/completions", "mk/m"),
        ("/api/v1/chat/completions", "mk/m"),
        ("/v1/providers/mk/chat/completions", "m"),
        ("/v1/providers/mk/chat/completions", "mk/m"),
    ];
    for (path, model) in forms {
        let answer = Call::post(url, path, ask(model)).key(scene.gateway.key()).send().await;
        assert_eq!((answer.status, answer.text()), (200, chat::greeting().reply), "{path} {model}");
    }
    assert!(
        scene.provider.chats().iter().all(|seen| seen.model().as_deref() == Some("m")),
        "all ask for the same model"
    );
}

#[tokio::test]
async fn a_key_is_taken_in_every_form_that_tools_send_it() {
    let scene = Scene::start().await;
    let (url, key) = (scene.gateway.url(), scene.gateway.key());
    let plain = Call::post(url, "/v1/chat/completions", ask("mk/m"));
    let calls = [
        plain.clone().key(key),
        plain.clone().header("authorization", &format!("bearer {key}")),
        plain.clone().header("x-api-key", key),
        plain.header("x-goog-api-key", key),
        Call::post(url, &format!("/v1/chat/completions?key={key}"), ask("mk/m")),
    ];
    for call in calls {
        assert_eq!(call.send().await.status, 200, "{call:?}");
    }
}

#[tokio::test]
async fn models_are_listed_in_the_shape_of_both_sdk_families() {
    let scene = Scene::start().await;
    for path in ["/v1/models", "/models"] {
        let listed = Call::get(scene.gateway.url(), path).key(scene.gateway.key()).send().await.json();
        assert_eq!((&listed["object"], &listed["has_more"]), (&json!("list"), &json!(false)), "{listed}");
        let demo = listed["data"].as_array().unwrap().iter().find(|model| model["id"] == "demo/echo");
        let demo = demo.unwrap_or_else(|| panic!("the demo needs no account: {listed}"));
        assert_eq!((&demo["object"], &demo["type"]), (&json!("model"), &json!("model")));
        assert!(demo["created"].is_u64() && demo["owned_by"].is_string() && demo["display_name"].is_string(), "{demo}");
    }
}

#[tokio::test]
async fn a_conversation_with_a_tool_goes_both_ways() {
    let scene = Scene::start().await;
    scene.provider.script(chat::weather().script());
    scene.provider.script(chat::weather_told().script());
    let first = scene.chat(ask_stream("mk/m")).stream().await.rest().await;
    let call = first.iter().map(|event| serde_json::from_str::<Value>(event.text()).unwrap_or_default());
    assert!(call.clone().any(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["id"] == "call_1"), "{first:?}");
    let next = r#"{"model":"@MODEL@","messages":[{"role":"user","content":"Weather in Paris?"},{"role":"assistant","content":"Checking.","reasoning_content":"Need tool.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"18C"}]}"#;
    arrives_as_sent(&scene, next).await;
}
