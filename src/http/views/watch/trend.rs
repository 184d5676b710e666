//! Figures over days.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::clock::iso_date;
use crate::http::views::watch::report::verdict_word;
use crate::monitor::trend::{Point, Series};

/// A figure that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeriesName {
    #[schema(example = "psi")]
    pub name: String,
    /// The field, attribute or group that it is about; null where it is about the model.
    #[schema(example = "annual_inc")]
    pub about: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeriesList {
    pub model: String,
    /// Those that the newest report left.
    pub series: Vec<SeriesName>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesView {
    pub model: String,
    pub name: String,
    pub about: Option<String>,
    /// The oldest day first; a day without a report has none.
    pub points: Vec<PointView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PointView {
    #[schema(example = "2026-03-14")]
    pub day: String,
    /// Null where there was too little to tell.
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Rows, decisions or known outcomes behind it.
    pub n: u64,
    /// `insufficient`, `stable`, `watch` or `shifted`.
    pub verdict: String,
}

impl SeriesView {
    pub fn of(model: &str, series: &Series) -> Self {
        let point = |point: &Point| PointView {
            day: iso_date(point.day as f64).unwrap_or_else(|| point.day.to_string()),
            value: point.value,
            low: point.low,
            high: point.high,
            n: point.n,
            verdict: verdict_word(point.verdict).to_string(),
        };
        Self {
            model: model.to_string(),
            name: series.name.clone(),
            about: series.about.clone(),
            points: series.points.iter().map(point).collect(),
        }
    }
}
