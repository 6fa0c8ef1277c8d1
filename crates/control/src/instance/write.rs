//! The one way in which requests change the database.

use omniroute_store::{StoreError, Writer};

use crate::instance::{Instance, unlock};
use crate::problem::Problem;

impl Instance {
    /// Changes the database, all of it or nothing, and gives requests what it says then. What a change
    /// rests on has to be read in here: others may have changed it since. Blocks.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Writer<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        let mut refused = None;
        let written = self.core().write(|to| {
            let done = work(to).map_err(|problem| {
                refused = Some(problem);
                // Any error takes back what was written; this one is not shown.
                StoreError::Busy
            })?;
            unlock::adopt(to, self.vault())?;
            Ok(done)
        });
        if let Some(problem) = refused {
            return Err(problem);
        }
        let done = written?;
        self.refresh()?;
        Ok(done)
    }
}
