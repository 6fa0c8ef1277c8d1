//! `cargo xtask`: the repository's rules and generators at the command line.

use std::env;
use std::process::ExitCode;

use anyhow::Result;
use omniroute_xtask::{generated, tidy, tree};

const USAGE: &str = "usage: cargo xtask <task>

  tidy   check the repository's own rules (`cargo test` checks them too)
  gen    write the generated pages";

fn main() -> Result<ExitCode> {
    match env::args().nth(1).as_deref() {
        Some("tidy") => check(),
        Some("gen") => generate(),
        _ => {
            say(USAGE);
            Ok(ExitCode::from(2))
        }
    }
}

fn check() -> Result<ExitCode> {
    let tree = tree::Tree::read(&tree::repository_root())?;
    let mut problems = tidy::problems(&tree);
    problems.extend(generated::stale(&tree, &generated::all()));
    for problem in &problems {
        say(&problem.to_string());
    }
    say(&format!("tidy: {} problems in {} files", problems.len(), tree.files.len()));
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn generate() -> Result<ExitCode> {
    let root = tree::repository_root();
    for path in generated::write(&root, &generated::all())? {
        say(&format!("wrote {path}"));
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "this program's output is for the person or the script that runs it")]
fn say(line: &str) {
    println!("{line}");
}
