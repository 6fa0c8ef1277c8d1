//! Which core does what, and how many files may be open: set by starting this program again through
//! `sh` and `taskset`, because a process can't do either for itself without unsafe code.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};

use crate::machine;

/// Two thousand streams need three times as many sockets in all.
const RAISE_LIMIT: &str = "ulimit -S -n 16384 2>/dev/null || ulimit -S -n \"$(ulimit -H -n)\"; exec \"$@\"";

/// Starts this program again with the same arguments in its place, and waits for it.
pub(crate) fn start_again() -> Result<ExitCode> {
    let own = std::env::current_exe().context("this program has a path")?;
    let mut command = Command::new("sh");
    command.args(["-c", RAISE_LIMIT, "sh"]);
    let cores = machine::cores();
    let pair = cores.first().zip(cores.get(1)).filter(|_| has_taskset());
    match pair {
        Some((_, load)) => drop(command.args(["taskset", "-c", &load.to_string()])),
        None => eprintln!("not pinned: it takes two cores and `taskset` (util-linux); ratios will be less steady"),
    }
    command.arg(own).args(std::env::args_os().skip(1)).arg("--placed");
    if let Some((gateways, _)) = pair {
        command.args(["--gateway-core", &gateways.to_string()]);
    }
    if let Some(binary) = std::env::var_os("OMNIROUTE_BIN") {
        // The product is started in a folder of its own, where a relative path leads nowhere.
        let binary = std::path::absolute(&binary).context("OMNIROUTE_BIN is a path")?;
        command.env("OMNIROUTE_BIN", binary);
    }
    let status = command.status().context("starting this program again")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn has_taskset() -> bool {
    let asked = Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}
