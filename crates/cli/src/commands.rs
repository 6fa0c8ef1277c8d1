//! What each command does: asks the management routes and says what they answered.
//!
//! Each command ends in one `Answer`; `serve`, which runs on, is the exception.

mod doctor;
mod keys;
mod models;
mod providers;
mod serve;
mod usage;

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

/// Runs one command to its end.
pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let asked = match command {
        Command::Serve(flags) => return Box::pin(serve::run(context, &flags)).await,
        Command::Doctor(flags) => return context.output.answer(doctor::run(context, &flags).await?),
        Command::Providers(command) => Asked::Providers(command),
        Command::Keys(command) => Asked::Keys(command),
        Command::Models(flags) => Asked::Models(flags),
        Command::Usage(flags) => Asked::Usage(flags),
    };
    let session = Session::open(context).await?;
    let answer = ask(context, &session, &asked).await;
    session.close().await;
    context.output.answer(answer?)
}
