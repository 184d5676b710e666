//! Every way the queue can be asked for what cannot be.
//! Never about a delivery that failed: that is a state, not an error.

use crate::alert::raised::AlertError;
use crate::base::fact::{Class, Fact};

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error(transparent)]
    Alert(#[from] AlertError),
    #[error("there is no alert {id}")]
    NoAlert { id: String },
    #[error("the alert {id} is there already")]
    IdTaken { id: String },
    #[error("the alerts {first} and {second} are both open for {key}")]
    KeyTwice { key: String, first: String, second: String },
    #[error("{max} alerts are open; no other is kept")]
    Full { max: usize },
    #[error("the message {parcel} {what}")]
    Parcel { parcel: String, what: &'static str },
    #[error("the alert {id} was never to go over {channel:?}")]
    NoDelivery { id: String, channel: String },
    #[error("the alert {id} {what}")]
    State { id: String, what: &'static str },
}

impl Fact for QueueError {
    fn code(&self) -> &'static str {
        match self {
            Self::Alert(error) => error.code(),
            Self::NoAlert { .. } => "alert.missing",
            Self::IdTaken { .. } => "alert.id_taken",
            Self::KeyTwice { .. } => "alert.key_twice",
            Self::Full { .. } => "alert.full",
            Self::Parcel { .. } => "alert.parcel",
            Self::NoDelivery { .. } => "alert.no_delivery",
            Self::State { .. } => "alert.state",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Alert(error) => error.class(),
            Self::Full { .. } => Class::Unavailable,
            Self::KeyTwice { .. } => Class::Integrity,
            Self::Parcel { .. } => Class::Failed,
            Self::NoAlert { .. } | Self::IdTaken { .. } | Self::NoDelivery { .. } | Self::State { .. } => {
                Class::Usage
            }
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Alert(error) => return error.next_step(),
            Self::NoAlert { .. } | Self::NoDelivery { .. } => "List the alerts to see which there are.",
            Self::IdTaken { .. } => "Draw another id.",
            Self::KeyTwice { .. } => "Check the store: these rows were not written by this program.",
            Self::Full { .. } => "Resolve alerts that are done with.",
            Self::Parcel { .. } => "Ask what is due again.",
            Self::State { .. } => "Look at the alert as it is now.",
        };
        Some(step.to_string())
    }
}
