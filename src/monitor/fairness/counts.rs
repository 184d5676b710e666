//! One group counted: how many were selected, and how many of those who turned out good or bad.
//! Never sees another group.

use crate::monitor::estimate::{Share, Z_95};
use crate::monitor::fairness::settings::FairnessSettings;
use crate::monitor::performance::Figure;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Selected of all decided.
    pub(super) selected: Share,
    /// Selected of those known to be good, and of those known to be bad.
    pub(super) of_good: Share,
    pub(super) of_bad: Share,
}

impl Counts {
    pub(super) fn add(&mut self, selected: bool, bad: Option<bool>) {
        self.selected.add(selected);
        match bad {
            Some(true) => self.of_bad.add(selected),
            Some(false) => self.of_good.add(selected),
            None => {}
        }
    }

    pub(super) fn known(&self) -> u64 {
        self.of_good.of + self.of_bad.of
    }

    pub(super) fn known_selected(&self) -> u64 {
        self.of_good.count + self.of_bad.count
    }

    /// `by_outcome`: whether outcomes are known on both sides of the decision.
    pub(super) fn figures(&self, by_outcome: bool, settings: &FairnessSettings) -> Vec<Figure> {
        let given = |share: Share, least: u64, wanted: bool| {
            let share = Some(share).filter(|share| wanted && share.of >= least);
            share.and_then(|share| share.estimate(Z_95))
        };
        let missed = |share: Share| Share { count: share.of - share.count, of: share.of };
        let right = Share { count: self.of_good.count + missed(self.of_bad).count, of: self.known() };
        let good = Share { count: self.of_good.of, of: self.known() };
        let rates = [
            ("selection_rate", self.selected, settings.min_group, true),
            ("tpr", self.of_good, settings.min_class, by_outcome),
            ("fpr", self.of_bad, settings.min_class, by_outcome),
            ("tnr", missed(self.of_bad), settings.min_class, by_outcome),
            ("fnr", missed(self.of_good), settings.min_class, by_outcome),
            ("accuracy", right, settings.min_class, by_outcome),
            ("base_rate", good, settings.min_class, true),
        ];
        let figure = |(name, share, least, wanted): (&str, Share, u64, bool)| {
            Figure::of(name, given(share, least, wanted), share.of)
        };
        rates.map(figure).into()
    }
}
