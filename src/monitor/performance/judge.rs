//! Whether the figures have left what training measured and what the probabilities promise, by more than chance explains.
//! Never judges what has no value: then the verdict is that nothing can be said.

use crate::monitor::estimate::Estimate;
use crate::monitor::performance::settings::PerformanceSettings;
use crate::monitor::performance::{Figure, Reference};
use crate::monitor::verdict::Verdict;

/// The worse of two: how well the classes are told apart, and whether as many were bad as was foretold.
pub(super) fn judge(figures: &[Figure], reference: &Reference, settings: &PerformanceSettings) -> Verdict {
    told_apart(figures, reference, settings).max(foretold(figures, settings))
}

fn told_apart(figures: &[Figure], reference: &Reference, settings: &PerformanceSettings) -> Verdict {
    match (reference.auc, find(figures, "auc")) {
        (Some(before), Some(now)) => before.less(&now).against(settings.auc_drop),
        _ => Verdict::Insufficient,
    }
}

/// The gap in either direction, against a part of the rarer class's rate.
fn foretold(figures: &[Figure], settings: &PerformanceSettings) -> Verdict {
    let (Some(came), Some(mean)) = (find(figures, "bad_rate"), find(figures, "mean_probability")) else {
        return Verdict::Insufficient;
    };
    // What was foretold of these very cases is known without doubt; what came of them might have come otherwise.
    let promised = Estimate::exact(mean.value);
    let gap = if mean.value >= came.value { promised.less(&came) } else { came.less(&promised) };
    gap.against(settings.calibration_gap * came.value.min(1.0 - came.value))
}

pub(super) fn find(figures: &[Figure], name: &str) -> Option<Estimate> {
    let figure = figures.iter().find(|figure| figure.name == name)?;
    let value = figure.value?;
    // An AUC without an interval is one of classes wholly apart, or not apart at all.
    Some(Estimate { value, low: figure.low.unwrap_or(value), high: figure.high.unwrap_or(value) })
}
