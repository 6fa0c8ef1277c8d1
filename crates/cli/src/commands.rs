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
use crate::session::Session;

/// Runs one command to its end.
pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let answer = match command {
        Command::Serve(flags) => return serve::run(context, &flags).await,
        Command::Doctor(flags) => doctor::run(context, &flags).await?,
        Command::Providers(command) => providers::run(context, &command).await?,
        Command::Keys(command) => keys::run(context, &command).await?,
        Command::Models(flags) => {
            in_session(Session::open(context), async |session| models::run(session, &flags).await).await?
        }
        Command::Usage(flags) => {
            in_session(Session::open(context), async |session| usage::run(session, &flags).await).await?
        }
    };
    context.output.answer(answer)
}

/// Opens the data folder, does the work, and closes the folder however the work ended.
async fn in_session<T>(
    opening: impl Future<Output = Result<Session, Failure>>,
    work: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let session = opening.await?;
    let outcome = work(&session).await;
    session.close().await;
    outcome
}
