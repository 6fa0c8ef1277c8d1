use std::collections::HashSet;
use std::time::Duration;

use super::{Environment, LogLevel, Read, SettingError, Settings, VARIABLES, environment_page, limits_page};

fn settings(variables: &[(&str, &str)]) -> Result<Settings, SettingError> {
    Settings::read(&Environment::of(variables))
}

#[test]
fn nothing_set_gives_what_the_table_says() {
    let without = format!("{:?}", settings(&[]).unwrap());
    for variable in VARIABLES {
        if matches!(variable.read, Read::Setting(_)) && !variable.default.is_empty() {
            let given = settings(&[(variable.name, variable.default)]).unwrap();
            // The default of this one holds for streams; set by hand it holds for both.
            if variable.name != "OMNIROUTE_FIRST_BYTE_TIMEOUT_MS" {
                assert_eq!(format!("{given:?}"), without, "{}", variable.name);
            }
        }
    }
}

#[test]
fn a_value_that_is_not_allowed_names_the_variable_the_value_and_what_is() {
    let bad = [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "http"),
        ("MAX_BODY_SIZE_BYTES", "0"),
        ("MAX_BODY_SIZE_BYTES", "32MiB"),
        ("FETCH_TIMEOUT_MS", "0"),
        ("FETCH_CONNECT_TIMEOUT_MS", "86400001"),
        ("CALL_LOG_RETENTION_DAYS", "0"),
        ("CALL_LOGS_TABLE_MAX_ROWS", "99"),
        ("APP_LOG_LEVEL", "loud"),
    ];
    for (name, value) in bad {
        let error = settings(&[(name, value)]).unwrap_err().to_string();
        let allowed = VARIABLES.iter().find(|variable| variable.name == name).unwrap().allowed;
        for part in [name, value, allowed] {
            assert!(error.contains(part), "`{part}` is missing in: {error}");
        }
    }
}

#[test]
fn every_setting_lands_in_its_place() {
    let set = settings(&[
        ("PORT", "0"),
        ("HOSTNAME", "::1"),
        ("MAX_BODY_SIZE_BYTES", "2048"),
        ("OMNIROUTE_HEADER_TIMEOUT_MS", "1"),
        ("OMNIROUTE_BODY_TIMEOUT_MS", "2"),
        ("SHUTDOWN_TIMEOUT_MS", "3"),
        ("FETCH_CONNECT_TIMEOUT_MS", "4"),
        ("STREAM_IDLE_TIMEOUT_MS", "5"),
        ("CALL_LOG_RETENTION_DAYS", "8"),
        ("CALL_LOGS_TABLE_MAX_ROWS", "900"),
        ("APP_LOG_LEVEL", "DEBUG"),
        ("OMNIROUTE_VAULT_KEY", " a key "),
    ])
    .unwrap();
    let ms = Duration::from_millis;
    assert_eq!((set.port, set.host.as_str(), set.gateway.body_bytes), (0, "::1", 2048));
    assert_eq!([set.gateway.head, set.gateway.body_idle, set.gateway.drain], [ms(1), ms(2), ms(3)]);
    assert_eq!([set.upstream.connect, set.upstream.idle], [ms(4), ms(5)]);
    assert_eq!((set.log_days, set.log_rows, set.log_level), (8, 900, LogLevel::Debug));
    assert!(set.vault_key.is_some_and(|key| key == omniroute_domain::Secret::new("a key".into())));
}

#[test]
fn the_first_byte_wait_holds_for_both_until_the_other_is_set() {
    let waits = |variables: &[(&str, &str)]| {
        let upstream = settings(variables).unwrap().upstream;
        (upstream.first_byte.as_secs(), upstream.whole_answer.as_secs())
    };
    assert_eq!(waits(&[]), (120, 600));
    assert_eq!(waits(&[("OMNIROUTE_FIRST_BYTE_TIMEOUT_MS", "7000")]), (7, 7));
    assert_eq!(waits(&[("FETCH_TIMEOUT_MS", "9000")]), (120, 9));
    assert_eq!(waits(&[("OMNIROUTE_FIRST_BYTE_TIMEOUT_MS", "7000"), ("FETCH_TIMEOUT_MS", "9000")]), (7, 9));
}

#[test]
fn the_name_of_a_container_is_no_host() {
    assert_eq!(settings(&[("HOSTNAME", "f00dcafe")]).unwrap().host, "127.0.0.1");
    assert_eq!(settings(&[("HOSTNAME", "localhost")]).unwrap().host, "localhost");
    assert_eq!(settings(&[("PORT", "  ")]).unwrap().port, 20128, "blank is not set");
}

#[test]
fn debug_shows_no_value() {
    let shown = format!("{:?}", Environment::of(&[("OMNIROUTE_VAULT_KEY", "correct horse")]));
    assert!(shown.contains("OMNIROUTE_VAULT_KEY") && !shown.contains("horse"), "{shown}");
}

#[test]
fn the_pages_have_every_row_once() {
    let page = environment_page();
    let names: HashSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(names.len(), VARIABLES.len(), "no variable twice");
    for name in names {
        assert_eq!(page.matches(&format!("| `{name}` |")).count(), 1, "{name}");
    }
    let limits = limits_page();
    for part in ["| a request's body, size | 32 MiB | `MAX_BODY_SIZE_BYTES` |", "| silence within an answer | 5 min |"]
    {
        assert!(limits.contains(part), "{limits}");
    }
}
