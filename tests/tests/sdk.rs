//! The official OpenAI SDKs hold their conversations with the built binary (`tests/sdk/README.md`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use omniroute_testkit::provider::When;
use omniroute_testkit::{Request, Script, chat, command, failure, vision};
use omniroute_tests::Scene;

/// All conversations of one SDK take less.
const LIMIT: Duration = Duration::from_secs(120);

/// The provider that the conversations expect.
async fn stage() -> Scene {
    let scene = Scene::start().await;
    let model = |name: &str| When::Model(name.to_owned());
    let provider = &scene.provider;
    provider.always_when(model("chat"), chat::greeting().script());
    provider.always_when(model("tools"), Script::inspect(tools));
    provider.always_when(model("inspect"), vision::inspector());
    provider.always_when(model("busy"), failure::rate_limited(7));
    let half = [chat::role(), chat::text("Half an")].map(|data| format!("data: {data}\n\n"));
    let torn = [half[0].clone(), half[1].clone(), "data: {\"id\":\"c1\",\"obj".to_owned()];
    provider.always_when(model("breaks"), Script::sse_raw(torn).broken_after(3, omniroute_testkit::Ending::Reset));
    provider.always_when(model("fails"), failure::error_after_output());
    scene
}

/// Calls the tool, and once it has answered says what it said.
fn tools(request: &Request) -> Script {
    let body = request.json();
    let last = body["messages"].as_array().and_then(|messages| messages.last().cloned()).unwrap_or_default();
    match (last["role"].as_str(), last["tool_call_id"].as_str()) {
        (Some("tool"), Some("call_1")) => chat::weather_told().script_for(request),
        (Some("tool"), id) => {
            let text = format!("`{id:?}` is no call of this conversation");
            Script::error(400, failure::body(&text.replace('"', "'"), "invalid_request_error", "unknown_call"))
        }
        _ => chat::weather().script_for(request),
    }
}

async fn hold_conversations(program: PathBuf, script: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk");
    assert!(
        !program.is_absolute() || program.exists(),
        "`{}` is missing; `scripts/ensure.sh test` installs the SDKs",
        program.display()
    );
    let scene = stage().await;
    let mut run = Command::new(&program);
    run.arg(script).current_dir(folder);
    run.env("OMNIROUTE_URL", scene.gateway.url()).env("OMNIROUTE_KEY", scene.gateway.key());
    let said = command::run(script, run, LIMIT).await;
    assert!(said.ok(), "{said}");
    let last = said.stdout.trim_end().lines().last().unwrap_or_default();
    assert!(last.ends_with(" 0 failed") && !last.starts_with("0 "), "all of some conversations pass: {said}");
    assert!(!scene.provider.chats().is_empty(), "they reached the provider");
    for output in [&said.stdout, &said.stderr, &scene.gateway.stderr()] {
        assert!(!output.contains(scene.gateway.key()), "nobody prints the key");
    }
}

#[tokio::test]
async fn the_python_sdk_holds_its_conversations() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python/.venv/bin/python");
    hold_conversations(python, "python/conversations.py").await;
}

#[tokio::test]
async fn the_node_sdk_holds_its_conversations() {
    hold_conversations("node".into(), "node/conversations.mjs").await;
}
