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
    let answer = match command {
        Command::Serve(flags) => return serve::run(context, &flags).await,
        Command::Doctor(flags) => doctor::run(context, &flags).await?,
        Command::Providers(command) => {
            in_session(context, async |session| providers::run(context, session, &command).await).await?
        }
        Command::Keys(command) => {
            in_session(context, async |session| keys::run(context, session, &command).await).await?
        }
        Command::Models(flags) => in_session(context, async |session| models::run(session, &flags).await).await?,
        Command::Usage(flags) => in_session(context, async |session| usage::run(session, &flags).await).await?,
    };
    context.output.answer(answer)
}

/// Opens the data folder, does the work, and closes the folder however the work ended.
async fn in_session(
    context: &Context,
    work: impl AsyncFnOnce(&Session) -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    let session = Session::open(context).await?;
    let outcome = work(&session).await;
    session.close().await;
    outcome
}
