//! Weight of evidence and information value of a group of rows: the one place with their formulas.
//! Knows no code, no bin and no model.

/// The weight of a group's rows, by label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Of the positive class.
    pub events: f64,
    pub others: f64,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.others += other.others;
    }

    pub fn weight(&self) -> f64 {
        self.events + self.others
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The log-odds of the positive class in the group less those of all rows.
    pub woe: f64,
    /// The group's part of its column's information value.
    pub iv: f64,
}

impl Evidence {
    /// `woe = ln( (events + s r) / E  /  ((others + s (1 - r)) / O) )` and `iv = (events / E - others / O) woe`, with
    /// E and O the whole's weights, r = E / (E + O), and s the smoothing: that much weight of average rows is added to
    /// the group, so that a group of few rows says little and an empty one nothing.
    pub fn of(group: Tally, whole: Tally, smoothing: f64) -> Self {
        if group.weight() <= 0.0 {
            return Self::default();
        }
        let rate = whole.events / whole.weight();
        let events = (group.events + smoothing * rate) / whole.events;
        let others = (group.others + smoothing * (1.0 - rate)) / whole.others;
        let woe = (events / others).ln();
        Self { woe, iv: (group.events / whole.events - group.others / whole.others) * woe }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_and_information_value_are_those_of_a_hand_calculation() {
        // 300 rows of which 60 positive; a group of 100 with 40, no smoothing:
        // ln((40/60) / (60/240)) = ln(8/3) = 0.980829253; (2/3 - 1/4) of it = 0.408678855.
        let (group, whole) = (Tally { events: 40.0, others: 60.0 }, Tally { events: 60.0, others: 240.0 });
        let exact = Evidence::of(group, whole, 0.0);
        assert!((exact.woe - 0.980_829_253).abs() < 1e-9 && (exact.iv - 0.408_678_855).abs() < 1e-9);
        // Ten average rows more, 2 positive: ln((42/60) / (68/240)) = ln(42/17) = 0.904456274.
        let smooth = Evidence::of(group, whole, 10.0);
        assert!((smooth.woe - 0.904_456_274).abs() < 1e-9, "{smooth:?}");
        assert!((smooth.iv - 0.904_456_274 * 5.0 / 12.0).abs() < 1e-9);
    }

    #[test]
    fn an_empty_group_says_nothing_and_one_without_events_something_finite() {
        let whole = Tally { events: 60.0, others: 240.0 };
        assert_eq!(Evidence::of(Tally::default(), whole, 1.0), Evidence::default());
        let none = Evidence::of(Tally { events: 0.0, others: 50.0 }, whole, 1.0);
        assert!(none.woe.is_finite() && none.woe < -3.0 && none.iv > 0.0, "{none:?}");
    }
}
