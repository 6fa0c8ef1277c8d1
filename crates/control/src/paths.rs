//! Where the data folder is: the flag, else `DATA_DIR`, else the platform's place. Desktop and
//! headless share it, so nobody else may work it out.

use std::path::{Path, PathBuf};

use crate::env::Environment;
use crate::error::StartError;

/// The data folder. Nothing is made or looked at on the disk.
pub fn data_dir(flag: Option<&Path>, environment: &Environment) -> Result<PathBuf, StartError> {
    if let Some(folder) = flag {
        return Ok(folder.to_owned());
    }
    if let Some(folder) = environment.path("DATA_DIR") {
        return Ok(folder);
    }
    platform(environment).ok_or(StartError::NoHome)
}

#[cfg(target_os = "macos")]
fn platform(environment: &Environment) -> Option<PathBuf> {
    environment.path("HOME").map(|home| home.join("Library/Application Support/OmniRoute"))
}

#[cfg(windows)]
fn platform(environment: &Environment) -> Option<PathBuf> {
    environment.path("APPDATA").map(|data| data.join("OmniRoute"))
}

#[cfg(not(any(target_os = "macos", windows)))]
fn platform(environment: &Environment) -> Option<PathBuf> {
    // A relative XDG path is to be ignored (XDG Base Directory Specification 0.8).
    let data = environment.path("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
    let data = data.or_else(|| environment.path("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("omniroute"))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::data_dir;
    use crate::env::Environment;

    #[track_caller]
    fn check(flag: Option<&str>, variables: &[(&str, &str)], expected: Option<&str>) {
        let found = data_dir(flag.map(Path::new), &Environment::of(variables));
        assert_eq!(found.ok(), expected.map(PathBuf::from));
    }

    #[test]
    fn the_flag_goes_before_the_variable_and_the_variable_before_the_platform() {
        let variables = [("DATA_DIR", "/var/data"), ("HOME", "/h"), ("APPDATA", "/h")];
        check(Some("here"), &variables, Some("here"));
        check(None, &variables, Some("/var/data"));
        check(None, &[], None);
        check(None, &[("DATA_DIR", "")], None);
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    #[test]
    fn the_platforms_place_follows_xdg() {
        check(None, &[("HOME", "/h")], Some("/h/.local/share/omniroute"));
        check(None, &[("HOME", "/h"), ("XDG_DATA_HOME", "/x")], Some("/x/omniroute"));
        check(None, &[("HOME", "/h"), ("XDG_DATA_HOME", "x")], Some("/h/.local/share/omniroute"));
    }
}
