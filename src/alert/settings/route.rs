//! Which alerts go to which channels, when, and how often again.
//! Never sends; it says when a digest is due, told what time it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::alert::limits;
use crate::alert::raised::{Alert, Kind, Severity};
use crate::alert::settings::AlertSettings;
use crate::alert::settings::channel::Channel;
use crate::alert::settings::duration::{parse_duration_ms, parse_time_of_day};
use crate::alert::settings::error::AlertSettingsError as Wrong;
use crate::base::fact::nearest;

/// `[[route]]` as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRoute {
    /// `info` where absent: every alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_at_least: Option<Severity>,
    /// All where empty.
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// All where empty.
    #[serde(default)]
    pub projects: Vec<String>,
    pub channels: Vec<String>,
    /// Collected, and sent once a day at this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The same alert within this time only counts up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<String>,
    /// Sent again after this time while nobody acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resend_after: Option<String>,
}

/// The same alert is not told again within this time, where a route says nothing.
const QUIET_MS: i64 = 24 * 3_600_000;

/// A time zone by its name.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    pub fn parse(name: &str) -> Result<Self, Wrong> {
        let zone = if name == "UTC" { Ok(TimeZone::UTC) } else { TimeZone::get(name) };
        zone.map(Self).map_err(|_| Wrong::Zone { found: name.to_string() })
    }
}

/// The daily time of a digest.
#[derive(Clone, Debug)]
pub struct Daily {
    minute: u16,
    zone: Zone,
}

impl Daily {
    /// The first such time after now. A time that the clock jumps over is that much later on that day.
    pub fn next_after(&self, now_ms: i64) -> i64 {
        let later = now_ms.saturating_add(24 * 3_600_000);
        let Ok(now) = Timestamp::from_millisecond(now_ms) else { return later };
        let today = now.to_zoned(self.zone.0.clone()).date();
        let hour = i8::try_from(self.minute / 60).unwrap_or_default();
        let minute = i8::try_from(self.minute % 60).unwrap_or_default();
        let days = (0..=2).filter_map(|days| today.checked_add(i64::from(days).days()).ok());
        let times = days.filter_map(|day| day.at(hour, minute, 0, 0).to_zoned(self.zone.0.clone()).ok());
        times.map(|at| at.timestamp().as_millisecond()).find(|at_ms| *at_ms > now_ms).unwrap_or(later)
    }
}

#[derive(Clone, Debug)]
pub struct Route {
    severity_at_least: Severity,
    kinds: BTreeSet<Kind>,
    projects: BTreeSet<String>,
    channels: Vec<String>,
    plan: Plan,
}

/// When an alert goes over one channel, and when again.
#[derive(Clone, Debug)]
pub struct Plan {
    pub digest: Option<Daily>,
    pub quiet_ms: i64,
    pub resend_after_ms: Option<i64>,
}

impl Plan {
    /// What asks for more wins: at once before a digest, sooner before later.
    fn join(self, other: Self) -> Self {
        let resend = [self.resend_after_ms, other.resend_after_ms];
        Self {
            digest: self.digest.and(other.digest),
            quiet_ms: self.quiet_ms.min(other.quiet_ms),
            resend_after_ms: resend.into_iter().flatten().min(),
        }
    }
}

impl RawRoute {
    /// `route` is its number in the file, from one.
    pub fn check(
        self,
        route: usize,
        channels: &BTreeMap<String, Channel>,
        zone: &Zone,
    ) -> Result<Route, Wrong> {
        let wrong = |key, what| Wrong::Route { route, key, what };
        if self.channels.is_empty() {
            return Err(wrong("channels", "is empty; an alert would go nowhere"));
        }
        if self.projects.len() > limits::SETTING_CHARS_MAX {
            return Err(wrong("projects", "are too many"));
        }
        if let Some(channel) = self.channels.iter().find(|name| !channels.contains_key(*name)).cloned() {
            let nearest = nearest(&channel, channels.keys().map(String::as_str)).map(str::to_string);
            return Err(Wrong::NoChannel { route, channel, nearest });
        }
        let length = |key, text: Option<String>| match text {
            None => Ok(None),
            Some(text) => match parse_duration_ms(&text) {
                Some(ms) => Ok(Some(ms)),
                None => Err(wrong(key, "is no length of time such as \"15m\", \"4h\" or \"7d\"")),
            },
        };
        let minute = self.digest.map(|text| {
            parse_time_of_day(&text).ok_or(wrong("digest", "is no time of day such as \"09:00\""))
        });
        let digest = minute.transpose()?.map(|minute| Daily { minute, zone: zone.clone() });
        let quiet_ms = length("quiet", self.quiet)?.unwrap_or(QUIET_MS);
        let resend_after_ms = length("resend_after", self.resend_after)?;
        Ok(Route {
            severity_at_least: self.severity_at_least.unwrap_or(Severity::Info),
            kinds: self.kinds.into_iter().collect(),
            projects: self.projects.into_iter().collect(),
            channels: self.channels,
            plan: Plan { digest, quiet_ms, resend_after_ms },
        })
    }
}

impl Route {
    fn takes(&self, alert: &Alert) -> bool {
        let of_project = |project: &String| self.projects.contains(project);
        alert.severity >= self.severity_at_least
            && (self.kinds.is_empty() || self.kinds.contains(&alert.kind))
            && (self.projects.is_empty() || alert.subject.project.as_ref().is_some_and(of_project))
    }
}

impl AlertSettings {
    /// The channels an alert goes over, and how.
    pub fn plans(&self, alert: &Alert) -> BTreeMap<String, Plan> {
        let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
        for route in self.routes().iter().filter(|route| route.takes(alert)) {
            for channel in &route.channels {
                let plan = match plans.remove(channel) {
                    Some(known) => known.join(route.plan.clone()),
                    None => route.plan.clone(),
                };
                plans.insert(channel.clone(), plan);
            }
        }
        plans
    }

    /// How the news that a channel fails is told: by its routes over the others, or else over any other.
    pub fn plans_without(&self, alert: &Alert, failed: &str) -> BTreeMap<String, Plan> {
        let mut plans = self.plans(alert);
        plans.remove(failed);
        if plans.is_empty() {
            let at_once = Plan { digest: None, quiet_ms: QUIET_MS, resend_after_ms: None };
            let others = self.channels().filter(|channel| channel.name != failed);
            plans = others.map(|channel| (channel.name.clone(), at_once.clone())).collect();
        }
        plans
    }
}
