//! Rows of alerts and of how each stands with each channel.

use serde::{Deserialize, Serialize};

use crate::alert::queue::Delivery;
use crate::alert::raised::Alert;
use crate::store::rows::JsonRow;
use crate::store::rows::key::Key;
use crate::store::tables::{ALERTS, DELIVERIES, Table};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertRow(pub Alert);

impl AlertRow {
    pub fn key_of(id: &str) -> Vec<u8> {
        Key::new().text(id).finish()
    }
}

impl JsonRow for AlertRow {
    const TABLE: Table = ALERTS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.0.id)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryRow(pub Delivery);

impl DeliveryRow {
    pub fn prefix(alert: &str) -> Vec<u8> {
        Key::new().text(alert).finish()
    }
}

impl JsonRow for DeliveryRow {
    const TABLE: Table = DELIVERIES;

    fn key(&self) -> Vec<u8> {
        Key::new().text(&self.0.alert).text(&self.0.channel).finish()
    }
}
