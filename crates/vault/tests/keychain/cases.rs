//! gnome-keyring on a session bus of its own, no bus at all, and a bus that never answers. Each case
//! runs in a process with its own home, so nobody's real keychain is touched.

use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use keyring::Entry;
use omniroute_domain::Secret;
use omniroute_vault::{Choice, Place, Sealed, Vault};
use sha2::{Digest as _, Sha256};

const FOLDER: &str = "OMNIROUTE_TEST_KEYCHAIN_FOLDER";
const PLANT: &str = "OMNIROUTE_TEST_KEYCHAIN_PLANT";
const PLACE: Place<'static> = Place { table: "accounts", column: "sealed", row: "row-1" };

/// The daemon, unlocked with a password; made on the first use of a home.
const UNLOCKED: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec \"$@\"";
/// The daemon as it is before anybody logged in.
const LOCKED: &str = "gnome-keyring-daemon --start --components=secrets >/dev/null && exec \"$@\"";

#[test]
fn without_a_session_bus_the_keychain_is_missing() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(run(&mut child(home.path())), ["code keychain_missing"]);
}

#[test]
fn a_bus_that_never_answers_counts_as_locked_after_five_seconds() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("bus");
    let _never_accepted = UnixListener::bind(&socket).unwrap();
    let address = format!("unix:path={}", socket.display());
    let said = run(child(home.path()).env("DBUS_SESSION_BUS_ADDRESS", address));
    assert_eq!(said, ["code keychain_locked"]);
}

#[test]
fn an_unlocked_keychain_keeps_the_key_and_a_locked_one_is_told_apart() {
    if !is_keyring_there() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let first = run(&mut in_session(home.path(), UNLOCKED));
    let kid = first[0].strip_prefix("kid ").expect("the key was made").to_owned();
    assert_eq!(first[1..], ["sealed"]);
    assert_eq!(run(&mut in_session(home.path(), UNLOCKED)), [format!("kid {kid}"), "opened".into()], "the next start");
    assert_eq!(run(&mut in_session(home.path(), LOCKED)), ["code keychain_locked"]);
    assert_eq!(run(&mut in_session(home.path(), UNLOCKED)), [format!("kid {kid}"), "opened".into()], "and after that");

    let other = home.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let other = run(in_session(home.path(), UNLOCKED).env(FOLDER, &other));
    assert_ne!(other[0], format!("kid {kid}"), "another data folder has another key");
}

#[test]
fn an_entry_that_is_no_key_is_left_as_it_is() {
    if !is_keyring_there() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let said = run(in_session(home.path(), UNLOCKED).env(PLANT, "somebody's words"));
    assert_eq!(said, ["code keychain_failed", "still somebody's words"]);
}

/// The child; without a folder, as in an ordinary run, it has nothing to do.
#[test]
fn probe() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let planted = std::env::var(PLANT).ok().map(|words| (plant(folder, &words), words));
    match Vault::open(Choice::Keychain, folder) {
        Ok(vault) => {
            say(&format!("kid {}", vault.kid()));
            seal_or_open(&vault, &folder.join("sealed"));
        }
        Err(error) => say(&format!("code {}", error.code())),
    }
    if let Some((entry, words)) = planted {
        assert_eq!(entry.get_password().unwrap(), words);
        say(&format!("still {words}"));
    }
}

fn plant(folder: &Path, words: &str) -> Entry {
    let hash = Sha256::digest(folder.canonicalize().unwrap().as_os_str().as_encoded_bytes());
    let name: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = Entry::new("omniroute", &format!("vault-key:{name}")).unwrap();
    entry.set_password(words).unwrap();
    entry
}

fn seal_or_open(vault: &Vault, file: &Path) {
    let secret = Secret::new("sk-canary".into());
    match std::fs::read_to_string(file) {
        Ok(text) => {
            assert_eq!(vault.open_sealed(PLACE, &Sealed::from_text(text)).unwrap(), secret);
            say("opened");
        }
        Err(_) => {
            std::fs::write(file, vault.seal(PLACE, &secret).unwrap().as_str()).unwrap();
            say("sealed");
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "\n>{line}").unwrap();
}

/// Runs a child and returns what it said.
#[track_caller]
fn run(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{out}{}", String::from_utf8_lossy(&output.stderr));
    out.lines().filter_map(|line| line.strip_prefix('>')).map(str::to_owned).collect()
}

/// This binary as a child that sees nothing of the person's own session.
fn child(home: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["cases::probe", "--exact", "--nocapture"]);
    strip(&mut command, home);
    command
}

/// The same on a bus of its own, behind a script that starts the daemon.
fn in_session(home: &Path, script: &str) -> Command {
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", script, "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["cases::probe", "--exact", "--nocapture"]);
    strip(&mut command, home);
    command
}

fn strip(command: &mut Command, home: &Path) {
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", FOLDER] {
        command.env(name, home);
    }
}

/// Whether there is a keyring to test with. The gates install one, so there its absence is a failure.
fn is_keyring_there() -> bool {
    let answers = |program| Command::new(program).arg("--version").output().is_ok();
    let is_there = answers("dbus-run-session") && answers("gnome-keyring-daemon");
    let is_gate = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(is_there || !is_gate, "install `dbus` and `gnome-keyring`: with CI=true this test must run");
    if !is_there {
        let mut err = std::io::stderr();
        let _unheard = writeln!(err, "not run: `dbus-run-session` or `gnome-keyring-daemon` is missing");
    }
    is_there
}
