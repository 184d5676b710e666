//! How bad something is, in the one order that every figure of the monitoring is judged in.
//! Never says what follows from it.

use serde::{Deserialize, Serialize};

/// Ordered by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Too few rows to say anything.
    Insufficient,
    Stable,
    /// Changed by more than chance explains, and enough to look at.
    Watch,
    /// Changed so much that the model was not made for it.
    Shifted,
}

impl Verdict {
    /// The most severe of them; `Insufficient` where there is none.
    pub fn worst(of: impl IntoIterator<Item = Self>) -> Self {
        of.into_iter().max().unwrap_or(Self::Insufficient)
    }

    pub fn is_judged(self) -> bool {
        self != Self::Insufficient
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn the_worst_is_the_most_severe_and_nothing_judged_is_insufficient() {
        use Verdict::{Insufficient, Shifted, Stable, Watch};
        assert_eq!(Verdict::worst([Stable, Shifted, Watch]), Shifted);
        assert_eq!(Verdict::worst([Insufficient, Stable]), Stable);
        assert_eq!(Verdict::worst([]), Insufficient);
        assert_eq!(serde_json::to_string(&Insufficient).unwrap(), "\"insufficient\"");
    }
}
