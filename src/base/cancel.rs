//! A flag that asks long work to stop between two steps. Never interrupts anything by force.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::fact::{Class, Fact};

#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

/// The work was asked to stop and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl Fact for Cancelled {
    fn code(&self) -> &'static str {
        "cancelled"
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

impl CancelFlag {
    pub fn new() -> Self {
        Self::default()
    }

    /// The shared flag itself, for a signal handler to set.
    pub fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}
