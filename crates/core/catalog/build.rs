//! Embeds the provider rows: reads every `providers/*.toml` and writes them as one compact JSON array,
//! which is read many times faster at start than TOML. A file that is no TOML stops the build.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "a build script reads files; the crate it builds does not")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=providers");
    let mut files: Vec<PathBuf> =
        fs::read_dir("providers")?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut rows: Vec<serde_json::Value> = Vec::with_capacity(files.len());
    for file in files {
        let text = fs::read_to_string(&file)?;
        rows.push(toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?);
    }
    let target = PathBuf::from(env::var("OUT_DIR")?).join("providers.json");
    fs::write(target, serde_json::to_string(&rows)?)?;
    Ok(())
}
