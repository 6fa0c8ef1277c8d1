//! The headless binary `omniroute`.

use std::process::ExitCode;

/// Gives memory of large prompts back in a form that the next one can use, where the system's allocator
/// maps and unmaps each of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    omniroute_cli::run(std::env::args_os())
}
