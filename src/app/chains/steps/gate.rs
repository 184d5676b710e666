//! The gate as a step: the version's own rules, and what is in production, scored on the candidate's own test rows.
//! Moves nothing.

use crate::app::chains::hands::Done;
use crate::app::chains::steps::Begun;
use crate::app::registry::challenge::{self, Challenge};
use crate::app::registry::{promotion, versions};
use crate::base::fact::{Class, Fact, Failure};
use crate::config::steps::GateStep;
use crate::evaluate::compare::production::Tolerance;

#[derive(Debug, thiserror::Error)]
#[error(
    "{name}@{version} is worse than what is in production: AUC {candidate:.4} against {production:.4} on the same {rows} test rows, more than {tolerance} below"
)]
struct Worse {
    name: String,
    version: u64,
    candidate: f64,
    production: f64,
    rows: usize,
    tolerance: f64,
}

impl Fact for Worse {
    fn code(&self) -> &'static str {
        "gate.worse_than_production"
    }

    fn class(&self) -> Class {
        Class::GateRefused
    }
}

pub(in crate::app::chains) fn judge(begun: &Begun, plan: &GateStep) -> Result<Done, Failure> {
    let app = &begun.app;
    let (version, policy) = versions::resolve(app, &begun.candidate()?, false)?;
    promotion::judge(app, &version, policy, None)?;
    let name = format!("{}@{}", version.name, version.version);
    if !plan.against_production {
        return Ok(Done::well(format!("{name} passes its gates")));
    }
    let tolerance = Tolerance { auc: Some(plan.auc_drop), ..Tolerance::default() };
    match challenge::challenge(app, &version, &tolerance)? {
        Challenge::NoChampion => Ok(Done::well(format!("{name} passes its gates; nothing is in production"))),
        Challenge::Same => Ok(Done::well(format!("{name} passes its gates; it is in production already"))),
        Challenge::Judged { verdict, rows } => {
            let judged = verdict.judged.first();
            let (candidate, production) = judged.map_or((0.0, 0.0), |f| (f.candidate, f.production));
            if !verdict.standing.holds() {
                let tolerance = plan.auc_drop;
                let (name, version) = (version.name, version.version);
                return Err(Worse { name, version, candidate, production, rows, tolerance }.into());
            }
            let said = format!(
                "{name} passes its gates; AUC {candidate:.4} against {production:.4} of production on {rows} rows"
            );
            Ok(Done::well(said))
        }
    }
}
