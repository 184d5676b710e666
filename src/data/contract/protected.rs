//! Which names are those of protected characteristics, and whether a feature may carry one.
//! Judges names alone; what the values say, a fairness report tells.

use crate::data::contract::{ColumnSpec, Contract, ContractError, Role};

/// How strictly a project's purpose holds protected characteristics away from its features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Credit: never a feature, whoever gives a reason. Age as such may be one, with a reason: laws allow it in
    /// credit scoring on conditions that no program can judge.
    Barred,
    /// Anything else: a feature only with a reason, which is signed into the model.
    WithReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Characteristic {
    pub word: &'static str,
    /// Age as a number or a date of birth, but not as a group of people.
    pub is_age: bool,
}

const BARRED: [&str; 18] = [
    "sex",
    "gender",
    "race",
    "ethnicity",
    "ethnic",
    "religion",
    "nationality",
    "citizenship",
    "marital",
    "married",
    "marriage",
    "disability",
    "disabled",
    "pregnancy",
    "pregnant",
    "senior",
    "elderly",
    "birthplace",
];
/// Words that are harmless apart.
const BARRED_PAIRS: [([&str; 2], &str); 10] = [
    (["age", "group"], "age group"),
    (["age", "band"], "age group"),
    (["age", "bracket"], "age group"),
    (["age", "range"], "age group"),
    (["foreign", "worker"], "foreign worker"),
    (["foreign", "born"], "foreign born"),
    (["foreign", "national"], "foreign national"),
    (["birth", "place"], "place of birth"),
    (["birth", "country"], "place of birth"),
    (["place", "birth"], "place of birth"),
];
const AGE: [&str; 3] = ["age", "birth", "birthday"];

/// The protected characteristic that a name speaks of, if any.
pub fn find_characteristic(name: &str) -> Option<Characteristic> {
    let mut words = words_of(name);
    words.retain(|word| word != "of");
    let has = |word: &&&str| words.iter().any(|own| own == *word);
    let pair = BARRED_PAIRS.iter().find(|(pair, _)| words.windows(2).any(|own| own == pair));
    let barred = pair.map(|(_, what)| *what).or_else(|| BARRED.iter().find(has).copied());
    match barred {
        Some(word) => Some(Characteristic { word, is_age: false }),
        None => AGE.iter().find(has).map(|word| Characteristic { word, is_age: true }),
    }
}

/// Refuses features that are named, in the contract or in incoming files, like a protected characteristic.
pub fn check_features(contract: &Contract, strictness: Strictness) -> Result<(), ContractError> {
    contract.with_role(Role::Feature).try_for_each(|column| check_feature(column, strictness))
}

fn check_feature(column: &ColumnSpec, strictness: Strictness) -> Result<(), ContractError> {
    let names = || std::iter::once(&column.name).chain(&column.aliases);
    let found: Vec<Characteristic> = names().filter_map(|name| find_characteristic(name)).collect();
    // The worse of two names counts.
    let Some(found) = found.iter().find(|c| !c.is_age).or(found.first()) else { return Ok(()) };
    let (name, word) = (column.name.clone(), found.word);
    if strictness == Strictness::Barred && !found.is_age {
        Err(ContractError::ProtectedFeature { column: name, word })
    } else if column.reason.is_none() {
        Err(ContractError::ProtectedReason { column: name, word })
    } else {
        Ok(())
    }
}

/// Lower-case words of a name: `CustomerID`, `customer_id` and `Customer Id` are `customer`, `id`.
pub fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let next_is_lower = rest.peek().is_some_and(|n| n.is_lowercase());
        let begins = c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next_is_lower));
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::Fact as _;
    use crate::data::contract::RawContract;
    use crate::data::table::Kind;

    #[test]
    fn names_fall_into_words_however_they_are_written() {
        for name in ["CustomerID", "customer_id", "Customer Id", "customerId", "CUSTOMER-ID"] {
            assert_eq!(words_of(name), ["customer", "id"], "{name}");
        }
        assert_eq!(words_of("PAY_AMT1"), ["pay", "amt1"]);
        assert_eq!(words_of("mileage"), ["mileage"]);
    }

    #[test]
    fn a_characteristic_is_found_in_any_spelling_and_not_in_longer_words() {
        let barred = [
            "Gender",
            "SEX",
            "maritalStatus",
            "applicant_race",
            "SeniorCitizen",
            "age_group",
            "AgeBand",
            "foreign_worker",
            "country_ethnicity",
            "place_of_birth",
        ];
        for name in barred {
            assert!(find_characteristic(name).is_some_and(|c| !c.is_age), "{name}");
        }
        for name in ["Age", "customer_age", "date_of_birth"] {
            assert!(find_characteristic(name).is_some_and(|c| c.is_age), "{name}");
        }
        for name in ["mileage", "Essex_branch", "foreign_currency", "average_balance", "trace", "birthrate"] {
            assert_eq!(find_characteristic(name), None, "{name}");
        }
    }

    #[test]
    fn credit_bars_a_protected_feature_and_other_purposes_ask_for_a_reason() {
        let judge = |column: ColumnSpec, strictness| {
            let target = ColumnSpec::new("bad", Kind::Boolean, Role::Target);
            let contract = RawContract { columns: vec![target, column] }.check().unwrap();
            check_features(&contract, strictness).err().map(|error| error.code())
        };
        let plain = |name: &str| ColumnSpec::new(name, Kind::Text, Role::Feature);
        let reasoned = |name: &str| ColumnSpec { reason: Some("asked by law".into()), ..plain(name) };
        let (credit, other) = (Strictness::Barred, Strictness::WithReason);
        assert_eq!(judge(reasoned("Gender"), credit), Some("contract.protected_feature"));
        assert_eq!(judge(reasoned("age_group"), credit), Some("contract.protected_feature"));
        assert_eq!(judge(plain("age"), credit), Some("contract.protected_reason"));
        assert_eq!(judge(reasoned("age"), credit), None);
        assert_eq!(judge(plain("Gender"), other), Some("contract.protected_reason"));
        assert_eq!(judge(reasoned("Gender"), other), None);
        assert_eq!(judge(plain("income"), credit), None);
        // What files call it counts as much as what the contract does.
        let renamed = ColumnSpec { aliases: vec!["Gender".into()], ..reasoned("x7") };
        assert_eq!(judge(renamed, credit), Some("contract.protected_feature"));
        let apart = ColumnSpec { role: Role::Protected, ..plain("Gender") };
        assert_eq!(judge(apart, credit), None);
    }
}
