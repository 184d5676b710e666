//! Groups compared: differences and ratios as Fairlearn defines them between groups, with intervals that hold although
//! the pair furthest apart was picked.
//! Never compares a group with too few cases.

use crate::monitor::estimate::{Estimate, Share, z_for};
use crate::monitor::fairness::counts::Counts;
use crate::monitor::fairness::settings::FairnessSettings;
use crate::monitor::performance::Figure;
use crate::monitor::verdict::Verdict;

/// The group with the highest rate against the one with the lowest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    difference: Estimate,
    /// Lowest over highest; nothing where all rates are 0.
    ratio: Option<(f64, Option<(f64, f64)>)>,
    n: u64,
}

impl Gap {
    /// Between those of `shares` that count at least `least`, and that are at least two. `families` of such gaps are
    /// looked at for one figure.
    fn of(shares: impl Iterator<Item = Share>, least: u64, families: u64) -> Option<Self> {
        let shares: Vec<Share> = shares.filter(|share| share.of >= least.max(1)).collect();
        let groups = shares.len() as u64;
        let z = z_for(families * groups * groups.saturating_sub(1) / 2);
        let by_value = |a: &&Share, b: &&Share| a.value().total_cmp(&b.value());
        let (lowest, highest) = (shares.iter().min_by(by_value)?, shares.iter().max_by(by_value)?);
        (groups > 1).then_some(())?;
        Some(Self {
            difference: highest.estimate(z)?.less(&lowest.estimate(z)?),
            ratio: lowest.ratio(highest, z),
            n: shares.iter().map(|share| share.of).sum(),
        })
    }

    fn difference(gap: Option<Self>, name: &str) -> Figure {
        Figure::of(name, gap.map(|gap| gap.difference), gap.map_or(0, |gap| gap.n))
    }

    fn ratio(gap: Option<Self>, name: &str) -> Figure {
        let ratio = gap.and_then(|gap| gap.ratio);
        let interval = ratio.and_then(|(_, interval)| interval);
        Figure {
            name: name.into(),
            value: ratio.map(|(value, _)| value),
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            n: gap.map_or(0, |gap| gap.n),
        }
    }
}

pub(super) struct Gaps {
    selection: Option<Gap>,
    opportunity: Option<Gap>,
    /// The rates among good cases and among bad ones.
    odds: Option<[Gap; 2]>,
}

impl Gaps {
    pub(super) fn between(groups: &[Counts], by_outcome: bool, settings: &FairnessSettings) -> Self {
        let of = |share: fn(&Counts) -> Share, least: u64, families: u64| {
            Gap::of(groups.iter().map(share), least, families)
        };
        let by_outcome = |share: fn(&Counts) -> Share, families: u64| {
            if by_outcome { of(share, settings.min_class, families) } else { None }
        };
        let good = by_outcome(|group| group.of_good, 2);
        let bad = by_outcome(|group| group.of_bad, 2);
        Self {
            selection: of(|group| group.selected, settings.min_group, 1),
            opportunity: by_outcome(|group| group.of_good, 1),
            odds: good.zip(bad).map(|(good, bad)| [good, bad]),
        }
    }

    pub(super) fn figures(&self) -> Vec<Figure> {
        vec![
            Gap::difference(self.selection, "demographic_parity_difference"),
            Gap::ratio(self.selection, "demographic_parity_ratio"),
            Gap::difference(self.wider_odds(), "equalized_odds_difference"),
            Gap::ratio(self.lower_odds(), "equalized_odds_ratio"),
            Gap::difference(self.opportunity, "equal_opportunity_difference"),
        ]
    }

    fn wider_odds(&self) -> Option<Gap> {
        let by_difference = |a: &Gap, b: &Gap| a.difference.value.total_cmp(&b.difference.value);
        self.odds.and_then(|odds| odds.into_iter().max_by(by_difference))
    }

    fn lower_odds(&self) -> Option<Gap> {
        let ratio = |gap: &Gap| gap.ratio.map_or(f64::INFINITY, |(value, _)| value);
        self.odds.and_then(|odds| odds.into_iter().min_by(|a, b| ratio(a).total_cmp(&ratio(b))))
    }

    /// The worse of two: selection by the ratio of rates, and the rates by outcome by their difference. Neither counts
    /// where the difference may be chance.
    pub(super) fn judge(&self, settings: &FairnessSettings) -> Verdict {
        let Some(selection) = self.selection else { return Verdict::Insufficient };
        // Where nobody is selected nobody is passed over.
        let ratio = selection.ratio.map_or(1.0, |(value, _)| value);
        let short = Estimate { value: 1.0 - ratio, ..selection.difference };
        let by_selection = short.against(1.0 - settings.selection_ratio);
        // Both: the wider one may be chance where the other is not.
        let by_odds =
            self.odds.into_iter().flatten().map(|gap| gap.difference.against(settings.odds_difference));
        by_odds.fold(by_selection, Verdict::max)
    }
}
