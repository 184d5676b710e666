//! One small credit model with everything around it, for the tests of this room and those below it.

use std::collections::BTreeMap;

use serde_json::json;

use crate::base::digest::Digest;
use crate::base::rng::Random;
use crate::data::contract::{Contract, RawContract};
use crate::data::table::{Cell, Kind, Table, TableBuilder};
use crate::features::golden::draw_golden;
use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};
use crate::features::reference::Reference;
use crate::model::calibrate::{Calibration, Platt};
use crate::model::linear::Linear;
use crate::model::scorer::Family;
use crate::model::trained::Model;
use crate::registry::content::{Pack, Parts, Purpose, Training, assemble};
use crate::security::key::SigningKey;
use crate::security::trust::{KeyRole, TrustRoot, TrustedKey};

pub(crate) const PURPOSES: [&str; 3] = ["car", "house", "school"];

/// What the project's contract says; `sex` and `bad` never reach a model.
pub(crate) fn contract() -> Contract {
    let columns = json!({"columns": [
        {"name": "id", "kind": "text", "role": "id"},
        {"name": "income", "kind": "number", "role": "feature", "min": 0.0},
        {"name": "age", "kind": "integer", "role": "feature", "required": true},
        {"name": "purpose", "kind": "text", "role": "feature"},
        {"name": "sex", "kind": "text", "role": "protected"},
        {"name": "bad", "kind": "boolean", "role": "target"},
    ]});
    serde_json::from_value::<RawContract>(columns).unwrap().check().unwrap()
}

pub(crate) fn training_table() -> Table {
    let columns = [("income", Kind::Number), ("age", Kind::Integer), ("purpose", Kind::Text)];
    let mut table = TableBuilder::new(columns);
    let mut random = Random::new(3, "fixture");
    for _ in 0..400 {
        let income =
            if random.below(10) == 0 { Cell::Missing } else { Cell::Number(random.unit() * 9_000.0) };
        let age = Cell::Number(18.0 + random.below(60) as f64);
        let purpose = Cell::Text(PURPOSES[random.below(3)]);
        table.push_row([income, age, purpose]);
    }
    table.finish()
}

pub(crate) fn recipe() -> FittedRecipe {
    let field = |field: &str, encoding: FittedEncoding, start, width| {
        let known_levels = match &encoding {
            FittedEncoding::OneHot { levels } => levels.clone(),
            _ => Vec::new(),
        };
        FittedField { field: field.into(), encoding, start, width, known_levels, code: None }
    };
    let income =
        FittedEncoding::Scale { mean: 4_500.0, deviation: 2_600.0, median: 4_400.0, indicator: true };
    let age =
        FittedEncoding::Piecewise { cuts: vec![18.0, 30.0, 45.0, 78.0], median: 40.0, indicator: false };
    let purpose = FittedEncoding::OneHot { levels: PURPOSES.map(String::from).to_vec() };
    let fields =
        vec![field("income", income, 0, 2), field("age", age, 2, 3), field("purpose", purpose, 5, 5)];
    FittedRecipe { fields, width: 10 }
}

/// Low incomes, low ages, missing incomes and cars push to the bad side.
pub(crate) fn model() -> Model {
    let weights = vec![-1.5, 0.7, -0.4, -0.3, 0.1, 0.9, -0.5, -0.2, 0.3, 0.4];
    Model {
        recipe: recipe(),
        family: Family::Logistic(Linear { weights, bias: -1.1 }),
        calibration: Calibration::Platt(Platt::new(1.25, 0.1).unwrap()),
        background: vec![0.0, 0.1, 0.8, 0.6, 0.25, 0.34, 0.33, 0.33, 0.0, 0.0],
        accepted: Some(vec![0.6, 0.05, 0.9, 0.7, 0.3, 0.25, 0.4, 0.35, 0.0, 0.0]),
    }
}

pub(crate) fn training() -> Training {
    Training {
        params: json!({"family": "logistic", "epochs": 20, "rate": 0.01}),
        data: Digest::of(b"training table"),
        rows: 400,
        positive: "true".into(),
        base_rate: 0.21,
        seed: 7,
    }
}

pub(crate) fn pack_of(model: &Model, training: Training) -> Pack {
    let table = training_table();
    let reference = Reference::fit(&model.recipe, &table).unwrap();
    let golden = draw_golden(&reference, &table, 7, 20).unwrap();
    let contract = contract();
    let purpose = Purpose::Credit;
    let (contract, reference, golden) = (&contract, &reference, &golden);
    assemble(Parts { purpose, contract, model, reference, golden, subject: Some("id"), training }).unwrap()
}

pub(crate) fn pack() -> Pack {
    pack_of(&model(), training())
}

/// The box signs everything, `risk` policies only, and nobody knows the stranger.
pub(crate) struct Keys {
    pub(crate) boxed: SigningKey,
    pub(crate) risk: SigningKey,
    pub(crate) stranger: SigningKey,
    pub(crate) trust: TrustRoot,
}

pub(crate) fn keys() -> Keys {
    let [boxed, risk, stranger] = [(); 3].map(|()| SigningKey::generate().unwrap());
    let keys = vec![
        TrustedKey::new("box", boxed.public(), KeyRole::ALL),
        TrustedKey::new("risk", risk.public(), [KeyRole::Policy]),
    ];
    Keys { trust: TrustRoot::new("store-1", 1, keys).unwrap(), boxed, risk, stranger }
}

pub(crate) fn texts() -> BTreeMap<String, String> {
    let keys = [
        "pay.high",
        "pay.low",
        "pay.missing",
        "age.high",
        "age.low",
        "purpose.value",
        "purpose.missing",
        "rule.young",
        "rule.boat",
        "unused.key",
    ];
    keys.map(|key| (key.to_string(), format!("text of {key}"))).into()
}
