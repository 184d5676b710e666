//! The leak guard: features that can only be known after the outcome, refused by name.
//! Judges names and figures; who may waive a refusal is decided elsewhere.

use serde::{Deserialize, Serialize};

use crate::data::contract::{Contract, Role};
use crate::data::label::{LabelError, find_outcomes};
use crate::data::profile::group::{Group, PureGroup};
use crate::data::profile::signal::{Outcomes, Signal};
use crate::data::table::Table;

/// A single column that ranks this well knows the answer.
pub const AUC_REFUSED: f64 = 0.95;
/// So does one that is named like an afterthought and still ranks this well.
pub const AUC_REFUSED_BY_NAME: f64 = 0.70;
/// A pure group that holds this share of its outcome is a copy of the outcome.
pub const CLASS_SHARE_REFUSED: f64 = 0.10;
/// Less suffices where the mere presence of a value makes the group pure, or the name speaks too.
pub const CLASS_SHARE_SUSPECT: f64 = 0.01;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakLevel {
    /// Worth a look; training goes on.
    Suspect,
    /// Training stops unless someone waives it by name and reason.
    Refuse,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum LeakReason {
    /// The contract itself says so.
    Role,
    /// Near perfect alone, or strong under a name that gives it away.
    Telling {
        auc: f64,
    },
    PureGroup(PureGroup),
    PostOutcomeName {
        pattern: String,
    },
}

impl LeakReason {
    pub fn message(&self) -> String {
        match self {
            Self::Role => "the contract gives it the role `leak`".to_string(),
            Self::Telling { auc } => format!("it alone foretells the outcome with an AUC of {auc:.4}"),
            Self::PureGroup(pure) => format!(
                "where it is {}, {:.1} % of {} rows are positive: {:.1} % of all such outcomes",
                pure.group,
                100.0 * pure.positive_rate,
                pure.rows,
                100.0 * pure.class_share
            ),
            Self::PostOutcomeName { pattern } => {
                format!("its name ({pattern}) says it is known only after the outcome")
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakSuspicion {
    pub column: String,
    pub level: LeakLevel,
    pub reasons: Vec<LeakReason>,
}

impl LeakSuspicion {
    pub fn message(&self) -> String {
        let reasons: Vec<String> = self.reasons.iter().map(LeakReason::message).collect();
        format!("{:?}: {}", self.column, reasons.join("; "))
    }
}

/// Looks at each feature of the table alone; those with a suspicion, in the order given.
pub fn guard(
    contract: &Contract,
    features: &[String],
    table: &Table,
    positive: &str,
) -> Result<Vec<LeakSuspicion>, LabelError> {
    let outcomes = Outcomes::new(&find_outcomes(table, &contract.target().name, positive)?);
    let judge_one = |name: &String| {
        let is_leak = contract.find(name).is_some_and(|spec| spec.role == Role::Leak);
        let signal = table.find_column(name).map(|column| Signal::of(column, &outcomes));
        judge(name, is_leak, signal.as_ref())
    };
    Ok(features.iter().filter_map(judge_one).collect())
}

/// One column by its role, its name and its signal.
pub fn judge(name: &str, is_leak: bool, signal: Option<&Signal>) -> Option<LeakSuspicion> {
    let mut reasons = Vec::new();
    let mut level = LeakLevel::Suspect;
    let pattern = find_post_outcome_pattern(name);
    if is_leak {
        reasons.push(LeakReason::Role);
        level = LeakLevel::Refuse;
    }
    let bound = if pattern.is_some() { AUC_REFUSED_BY_NAME } else { AUC_REFUSED };
    if let Some(signal) = signal.filter(|s| s.auc >= bound) {
        reasons.push(LeakReason::Telling { auc: signal.auc });
        level = LeakLevel::Refuse;
    }
    if let Some(pure) = signal.and_then(|s| s.pure.as_ref()) {
        let by_presence = matches!(pure.group, Group::Present | Group::Missing);
        let speaks = pure.class_share >= CLASS_SHARE_SUSPECT && (by_presence || pattern.is_some());
        if pure.class_share >= CLASS_SHARE_REFUSED || (speaks && pattern.is_some()) {
            level = LeakLevel::Refuse;
        }
        if pure.class_share >= CLASS_SHARE_REFUSED || speaks {
            reasons.push(LeakReason::PureGroup(pure.clone()));
        }
    }
    if let Some(pattern) = pattern {
        reasons.push(LeakReason::PostOutcomeName { pattern: pattern.to_string() });
    }
    (!reasons.is_empty()).then(|| LeakSuspicion { column: name.to_string(), level, reasons })
}

/// What begins or is contained in the names of columns that are filled in once the outcome is known.
fn find_post_outcome_pattern(name: &str) -> Option<&'static str> {
    const BEGIN: [(&str, &str); 9] = [
        ("recover", "recover*"),
        ("total_rec_", "total_rec_*"),
        ("out_prncp", "out_prncp*"),
        ("collection_", "collection_*"),
        ("chargeoff", "chargeoff*"),
        ("charge_off", "charge_off*"),
        ("last_", "last_*"),
        ("churn_", "churn_*"),
        ("exit_", "exit_*"),
    ];
    const WITHIN: [(&str, &str); 8] = [
        ("_pymnt", "*_pymnt*"),
        ("settlement", "*settlement*"),
        ("complain", "*complain*"),
        ("writeoff", "*writeoff*"),
        ("write_off", "*write_off*"),
        ("repossess", "*repossess*"),
        ("hardship", "*hardship*"),
        ("cancellation", "*cancellation*"),
    ];
    let plain = name.to_lowercase().replace([' ', '-', '.'], "_");
    let begins = BEGIN.iter().find(|(start, _)| plain.starts_with(start));
    begins.or_else(|| WITHIN.iter().find(|(part, _)| plain.contains(part))).map(|(_, pattern)| *pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;
    use crate::data::contract::{ColumnSpec, RawContract};
    use crate::data::table::{Cell, Kind, TableBuilder};

    const COLUMNS: [(&str, Kind); 9] = [
        ("grade", Kind::Text),
        ("credit_history", Kind::Number),
        ("products", Kind::Integer),
        ("recoveries", Kind::Number),
        ("copy", Kind::Integer),
        ("refund", Kind::Number),
        ("settlement_status", Kind::Text),
        ("declared", Kind::Number),
        ("last_contact", Kind::Number),
    ];

    /// 6,000 loans, one in five bad; some columns are filled in after the fact.
    fn loans() -> Table {
        let mut random = Random::new(5, "loans");
        let names = COLUMNS.into_iter().chain([("bad", Kind::Boolean)]);
        let mut builder = TableBuilder::new(names);
        for row in 0..6_000 {
            let grade = row % 5;
            let bad = random.unit() < 0.05 + 0.075 * f64::from(grade);
            let history = random.unit() < if bad { 0.6 } else { 0.97 };
            // The last level is all bad, as it happens, but only three in a hundred bad loans have it.
            let products = if bad && row % 33 == 0 { 4 } else { 1 + row % 3 };
            let recovered = if bad && row % 3 != 0 { 100.0 * random.unit() + 1.0 } else { 0.0 };
            let refund = if !bad && row % 4 == 0 { 5.0 } else { 0.0 };
            let settled = bad && row % 30 == 1;
            let copy = if random.unit() < 0.004 { !bad } else { bad };
            builder.push_row([
                Cell::Text(["A", "B", "C", "D", "E"][grade as usize]),
                Cell::Number(f64::from(history)),
                Cell::Number(f64::from(products)),
                Cell::Number(recovered),
                Cell::Number(f64::from(copy)),
                Cell::Number(refund),
                if settled { Cell::Text("ACTIVE") } else { Cell::Missing },
                Cell::Number(random.unit()),
                Cell::Number(random.unit()),
                Cell::Number(f64::from(bad)),
            ]);
        }
        builder.finish()
    }

    fn contract() -> Contract {
        let role = |name: &str| if name == "declared" { Role::Leak } else { Role::Feature };
        let mut columns: Vec<ColumnSpec> =
            COLUMNS.iter().map(|(name, kind)| ColumnSpec::new(name, *kind, role(name))).collect();
        columns.push(ColumnSpec::new("bad", Kind::Boolean, Role::Target));
        RawContract { columns }.check().unwrap()
    }

    #[test]
    fn leaks_are_refused_by_name_and_honest_features_pass() {
        let features: Vec<String> = COLUMNS.iter().map(|(name, _)| name.to_string()).collect();
        for positive in ["true", "false"] {
            let found = guard(&contract(), &features, &loans(), positive).unwrap();
            let levels: Vec<(&str, LeakLevel)> = found.iter().map(|s| (s.column.as_str(), s.level)).collect();
            let expected = [
                ("recoveries", LeakLevel::Refuse),
                ("copy", LeakLevel::Refuse),
                ("refund", LeakLevel::Refuse),
                ("settlement_status", LeakLevel::Refuse),
                ("declared", LeakLevel::Refuse),
                ("last_contact", LeakLevel::Suspect),
            ];
            assert_eq!(levels, expected, "positive is {positive}: {found:?}");
        }
        let found = guard(&contract(), &["recoveries".to_string()], &loans(), "true").unwrap();
        let message = found[0].message();
        assert!(message.starts_with("\"recoveries\": ") && message.contains("not zero"), "{message}");
    }

    #[test]
    fn names_of_ordinary_fields_raise_no_suspicion() {
        let ordinary = [
            "PaymentMethod",
            "PAY_AMT1",
            "inq_last_6mths",
            "collections_12_mths",
            "default_history",
            "duration",
        ];
        assert!(ordinary.iter().all(|name| judge(name, false, None).is_none()));
        let late = ["Recoveries", "total-pymnt", "Last Payment", "debt_settlement_flag", "Complain"];
        assert!(late.iter().all(|name| judge(name, false, None).is_some()));
    }
}
