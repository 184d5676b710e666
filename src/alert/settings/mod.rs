//! `alerts.toml`, raw and checked: the channels there are, and the routes that lead alerts to them.
//! Names secrets by their file or credential only; never holds one, never reads one.

pub mod channel;
pub mod duration;
pub mod error;
pub mod route;
pub mod url;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alert::limits;
use crate::alert::settings::channel::{Channel, RawChannel};
use crate::alert::settings::error::AlertSettingsError as Wrong;
use crate::alert::settings::route::{RawRoute, Route, Zone};
use crate::alert::settings::url::Url;

/// `alerts.toml` as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAlertSettings {
    /// In which digests are sent at their time of day; UTC where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Where people reach this server's pages, such as `https://box.bank.example:8443`; links need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<String>,
    #[serde(default)]
    pub channel: Vec<RawChannel>,
    #[serde(default)]
    pub route: Vec<RawRoute>,
}

/// Settings that hold together: every route leads to channels that exist.
#[derive(Clone, Debug, Default)]
pub struct AlertSettings {
    pages: Option<String>,
    channels: BTreeMap<String, Channel>,
    routes: Vec<Route>,
}

impl RawAlertSettings {
    pub fn check(self) -> Result<AlertSettings, Wrong> {
        at_most("channels", self.channel.len(), limits::CHANNELS_MAX)?;
        at_most("routes", self.route.len(), limits::ROUTES_MAX)?;
        let zone = Zone::parse(self.timezone.as_deref().unwrap_or("UTC"))?;
        let mut channels = BTreeMap::new();
        for raw in self.channel {
            let channel = raw.check()?;
            let name = channel.name.clone();
            if channels.insert(name.clone(), channel).is_some() {
                return Err(Wrong::Twice { name });
            }
        }
        let routes = self.route.into_iter().enumerate();
        let routes = routes.map(|(at, raw)| raw.check(at + 1, &channels, &zone));
        Ok(AlertSettings {
            pages: self.pages.map(|text| check_pages(&text)).transpose()?,
            routes: routes.collect::<Result<_, _>>()?,
            channels,
        })
    }
}

impl AlertSettings {
    pub fn pages(&self) -> Option<&str> {
        self.pages.as_deref()
    }

    pub fn find_channel(&self, name: &str) -> Option<&Channel> {
        self.channels.get(name)
    }

    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

fn check_pages(text: &str) -> Result<String, Wrong> {
    let url = Url::parse(text).ok().filter(|url| url.path() == "/");
    match url {
        Some(_) => Ok(text.trim_end_matches('/').to_string()),
        None => Err(Wrong::Pages { found: text.to_string() }),
    }
}

fn at_most(what: &'static str, found: usize, max: usize) -> Result<(), Wrong> {
    if found <= max { Ok(()) } else { Err(Wrong::TooMany { what, found, max }) }
}

#[cfg(test)]
mod tests;
