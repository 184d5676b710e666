//! The days before, as charts.
//! Never repeats their figures in words beyond what the charts themselves say.

use crate::monitor::report::page::limits;
use crate::monitor::report::page::markup::{escape, section};
use crate::monitor::trend::Series;
use crate::monitor::trend::picture::{draw_series, fixed_levels};

pub(super) fn write(series: &[Series]) -> String {
    if series.is_empty() {
        return String::new();
    }
    let chart = |(index, one): (usize, &Series)| {
        let label = match &one.about {
            Some(about) => format!("{} of {about}", one.name),
            None => one.name.clone(),
        };
        let svg = draw_series(&format!("trend-{index}"), one, fixed_levels(&one.name));
        let label = escape(&label);
        format!("<div class=\"chart\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">{svg}</div>\n")
    };
    let charts: String = series.iter().take(limits::TRENDS_DRAWN_MAX).enumerate().map(chart).collect();
    section("trends", "The days before", &format!("<div class=\"pairs\">{charts}</div>\n"))
}
