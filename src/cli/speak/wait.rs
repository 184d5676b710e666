//! Waiting for what answers later: a command is one question, asked on one thread.

use std::future::Future;
use std::path::Path;

use crate::base::fact::Failure;
use crate::base::files::at;

/// The answer of a use case that does not answer at once.
pub fn wait_for<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(at(Path::new("the event loop")))?.block_on(answer)
}
