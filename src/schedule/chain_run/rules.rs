//! The four rules by which a step waits for others, as Airflow defines them, and where this differs.
//!
//! * `all_success`: runs when all succeeded; upstream_failed at the first that failed; skipped where one was skipped.
//!   Airflow skips at once; here the step waits until all have ended, so that the outcome does not depend on which
//!   ended first.
//! * `all_done`: runs when all ended, however.
//! * `one_failed`: runs at the first that failed; skipped when all ended and none did.
//! * `none_failed`: runs when all ended and none failed, skipped ones included; else upstream_failed.
//!
//! Failed means failed, upstream_failed or cancelled. A run fails when any step of it failed or is upstream_failed;
//! Airflow asks only the last steps, so that there a notice of a failure makes the run a success.

use crate::schedule::chain_run::StepState;
use crate::schedule::definition::Rule;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Going,
    Succeeded,
    Skipped,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Wait,
    Run,
    Skip,
    UpstreamFailed,
}

impl Before {
    pub(super) fn of(state: &StepState) -> Self {
        match state {
            StepState::Succeeded => Self::Succeeded,
            StepState::Skipped => Self::Skipped,
            StepState::Failed | StepState::UpstreamFailed | StepState::Cancelled => Self::Failed,
            _ => Self::Going,
        }
    }
}

pub(super) fn judge(rule: Rule, before: &[Before]) -> Judgement {
    let any = |wanted| before.contains(&wanted);
    let all_ended = !any(Before::Going);
    match rule {
        Rule::AllSuccess | Rule::NoneFailed if any(Before::Failed) => Judgement::UpstreamFailed,
        Rule::OneFailed if any(Before::Failed) => Judgement::Run,
        _ if !all_ended => Judgement::Wait,
        Rule::AllSuccess if any(Before::Skipped) => Judgement::Skip,
        Rule::OneFailed => Judgement::Skip,
        Rule::AllSuccess | Rule::NoneFailed | Rule::AllDone => Judgement::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::Before::{Failed, Going, Skipped, Succeeded};
    use super::{Before, Judgement, judge};
    use crate::schedule::definition::Rule;

    #[test]
    fn each_rule_judges_as_the_table_says() {
        use Judgement::{Run, Skip, UpstreamFailed, Wait};
        let table: [(&[Before], [Judgement; 4]); 9] = [
            (&[], [Run, Run, Skip, Run]),
            (&[Succeeded, Succeeded], [Run, Run, Skip, Run]),
            (&[Succeeded, Going], [Wait, Wait, Wait, Wait]),
            (&[Succeeded, Failed], [UpstreamFailed, Run, Run, UpstreamFailed]),
            (&[Going, Failed], [UpstreamFailed, Wait, Run, UpstreamFailed]),
            (&[Succeeded, Skipped], [Skip, Run, Skip, Run]),
            (&[Going, Skipped], [Wait, Wait, Wait, Wait]),
            (&[Skipped, Failed], [UpstreamFailed, Run, Run, UpstreamFailed]),
            (&[Skipped], [Skip, Run, Skip, Run]),
        ];
        for (before, wanted) in table {
            let rules = [Rule::AllSuccess, Rule::AllDone, Rule::OneFailed, Rule::NoneFailed];
            assert_eq!(rules.map(|rule| judge(rule, before)), wanted, "{before:?}");
        }
    }
}
