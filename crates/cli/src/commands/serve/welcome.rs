//! What a person reads once the gateway answers.

use omniroute_control::{Ready, VaultChoice};

/// Stands for a key that is not known any more.
const KEY_PLACE: &str = "YOUR_KEY";

/// Where everything is, the first key, and a line to try it with. `more_keys` is the command that
/// makes another key.
pub(super) fn text(ready: &Ready, more_keys: &str) -> String {
    let key = match &ready.client_key {
        Some(key) => format!("{key}\n                shown this once; tools send it as their API key"),
        None => format!("shown when it was made; another one: {more_keys}"),
    };
    let try_it = match ready.client_key {
        Some(_) => "Try it:",
        None => "Try it with your key:",
    };
    let curl = curl(&ready.url, ready.client_key.as_deref().unwrap_or(KEY_PLACE));
    format!(
        "OmniRoute answers at {url}\n\n  dashboard     {dashboard}\n  data folder   {folder}\n  credentials   {vault}\n  \
         client key    {key}\n\n{try_it}\n\n{curl}\n\n",
        url = ready.url,
        dashboard = ready.dashboard,
        folder = ready.data_dir.display(),
        vault = protection(ready.vault),
    )
}

/// How credentials are protected, without making it sound better than it is.
fn protection(vault: VaultChoice) -> &'static str {
    match vault {
        VaultChoice::Keychain => "sealed; the key is in the operating system's keychain",
        VaultChoice::File => {
            "sealed; the key is in the file vault.key of the data folder.\n                \
             The operating system does not protect it: who can read your files can open them"
        }
        VaultChoice::Env => {
            "sealed; the key is in OMNIROUTE_VAULT_KEY.\n                \
             The operating system does not protect it: who can read the environment can open them"
        }
    }
}

/// A line to paste.
fn curl(url: &str, key: &str) -> String {
    const ASK: &str = r#"{"model":"demo/echo","stream":true,"messages":[{"role":"user","content":"Hello from curl"}]}"#;
    let words = ["Authorization: Bearer ", key].concat();
    let [key, kind, body] = [&words, "Content-Type: application/json", ASK].map(shell_word);
    format!("curl -N {url}/v1/chat/completions -H {key} -H {kind} -d {body}")
}

/// A text without single quotes as one word of this system's shell.
fn shell_word(text: &str) -> String {
    if cfg!(windows) { format!("\"{}\"", text.replace('"', "\\\"")) } else { format!("'{text}'") }
}

#[cfg(test)]
mod tests {
    use omniroute_control::{Ready, VaultChoice};

    use super::text;

    fn ready(client_key: Option<&str>, vault: VaultChoice) -> Ready {
        Ready {
            url: "http://127.0.0.1:20128".into(),
            dashboard: "http://127.0.0.1:20128/".into(),
            client_key: client_key.map(str::to_owned),
            data_dir: "/data".into(),
            vault,
            notices: Vec::new(),
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_first_start_shows_the_key_and_a_line_that_works_as_pasted() {
        insta::assert_snapshot!(text(
            &ready(Some("sk-omni-x"), VaultChoice::Keychain),
            "omniroute keys add --name NAME"
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_later_start_says_where_to_get_a_key_and_a_file_vault_says_what_it_is() {
        insta::assert_snapshot!(text(&ready(None, VaultChoice::File), "omniroute keys add --name NAME --data-dir d"));
    }

    #[test]
    fn a_key_in_the_environment_is_called_unprotected_too() {
        assert!(text(&ready(None, VaultChoice::Env), "").contains("OMNIROUTE_VAULT_KEY.\n"));
    }
}
