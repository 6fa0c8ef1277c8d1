//! The headless binary `omniroute`.

use std::process::ExitCode;

fn main() -> ExitCode {
    omniroute_cli::run(std::env::args_os())
}
