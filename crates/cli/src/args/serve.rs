//! `omniroute serve`.

use clap::Args;

/// Run the gateway until it is told to stop.
#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on: 127.0.0.1, ::1 or localhost [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// The port to listen on, 0 for any free one [default: PORT, else 20128]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}
