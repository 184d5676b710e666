//! What a recipe may say, and what is refused by name; and what a fitted recipe from outside may say.

use super::{contract, fit_one, numbers, text};
use crate::base::canonical;
use crate::base::fact::{Class, Fact};
use crate::features::error::FeatureError;
use crate::features::recipe::{Encoding, FittedEncoding, FittedRecipe, RawRecipe, Recipe};

const COLUMNS: [(&str, &str, &str); 11] = [
    ("dti", "number", "feature"),
    ("grade", "text", "feature"),
    ("owns", "boolean", "feature"),
    ("opened", "date", "feature"),
    ("recoveries", "number", "leak"),
    ("gender", "text", "protected"),
    ("loan_id", "text", "id"),
    ("ssn", "text", "pii"),
    ("fold", "integer", "split"),
    ("note", "text", "ignored"),
    ("income", "integer", "feature"),
];

fn check(lines: &str) -> Result<Recipe, FeatureError> {
    let raw: RawRecipe = toml::from_str(lines).unwrap();
    raw.check(&contract(&COLUMNS))
}

fn feature(line: &str) -> String {
    format!("[[features]]\n{}\n", line.replace("; ", "\n"))
}

#[test]
fn the_written_recipe_is_read_with_its_defaults_and_written_again() {
    let lines = [
        "field = 'dti'; encode = 'piecewise'; bins = 8",
        "field = 'grade'; encode = 'one_hot'",
        "field = 'owns'; encode = 'scale'",
        "field = 'opened'; encode = 'quantile'",
    ];
    let written: String = lines.map(feature).concat();
    let recipe = check(&written).unwrap();
    let encodings: Vec<_> = recipe.features().iter().map(|f| f.encoding.clone()).collect();
    let quantile = Encoding::Quantile { bins: 16 };
    let one_hot = Encoding::OneHot { min_rows: 20 };
    assert_eq!(encodings, [Encoding::Piecewise { bins: 8 }, one_hot, Encoding::Scale, quantile]);
    let raw: RawRecipe = toml::from_str(&written).unwrap();
    assert_eq!(toml::from_str::<RawRecipe>(&toml::to_string(&raw).unwrap()).unwrap(), raw);
}

#[test]
fn an_unknown_or_idle_key_is_refused_with_the_nearest_name() {
    let refusal = |line: &str| toml::from_str::<RawRecipe>(&feature(line)).unwrap_err().to_string();
    let cases = [
        ("field = 'dti'; encode = 'piecewise'; bin = 8", "unknown key \"bin\"; did you mean \"bins\"?"),
        ("field = 'dti'; encode = 'piecwise'", "unknown encoding \"piecwise\"; did you mean \"piecewise\"?"),
        ("field = 'dti'; encode = 'scale'; bins = 8", "the key \"bins\" does not apply"),
        ("field = 'grade'; encode = 'hash'", "needs the key \"buckets\""),
        ("field = 'grade'; encode = 'ordinal'", "needs the key \"order\""),
        ("encode = 'scale'", "missing field `field`"),
    ];
    for (line, expected) in cases {
        assert!(refusal(line).contains(expected), "{line}: {}", refusal(line));
    }
    let top = toml::from_str::<RawRecipe>("[[feature]]\nfield = 'dti'\nencode = 'scale'").unwrap_err();
    assert!(top.to_string().contains("`features`"), "{top}");
}

#[test]
fn what_is_no_feature_is_refused_by_its_role() {
    let cases = [
        ("recoveries", "scale", "recipe.leak"),
        ("gender", "one_hot", "recipe.protected"),
        ("loan_id", "one_hot", "recipe.id"),
        ("ssn", "one_hot", "recipe.pii"),
        ("fold", "scale", "recipe.split"),
        ("note", "one_hot", "recipe.ignored"),
        ("y", "scale", "recipe.target"),
    ];
    for (field, encode, code) in cases {
        let error = check(&feature(&format!("field = '{field}'; encode = '{encode}'"))).unwrap_err();
        assert_eq!((error.code(), error.class()), (code, Class::Usage));
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn each_further_fault_of_a_recipe_has_its_code() {
    let dti = feature("field = 'dti'; encode = 'scale'");
    let cases = [
        (String::new(), "recipe.empty"),
        (dti.repeat(2), "recipe.duplicate_field"),
        (feature("field = 'dtii'; encode = 'scale'"), "recipe.unknown_field"),
        (feature("field = 'dti'; encode = 'one_hot'"), "recipe.encoding_kind"),
        (feature("field = 'owns'; encode = 'hash'; buckets = 4"), "recipe.encoding_kind"),
        (feature("field = 'grade'; encode = 'piecewise'"), "recipe.encoding_kind"),
        (feature("field = 'dti'; encode = 'piecewise'; bins = 1"), "recipe.out_of_bounds"),
        (feature("field = 'dti'; encode = 'quantile'; bins = 257"), "recipe.out_of_bounds"),
        (feature("field = 'grade'; encode = 'hash'; buckets = 0"), "recipe.out_of_bounds"),
        (feature("field = 'grade'; encode = 'hash'; buckets = 4097"), "recipe.out_of_bounds"),
        (feature("field = 'grade'; encode = 'one_hot'; min_rows = 0"), "recipe.out_of_bounds"),
        (feature("field = 'grade'; encode = 'ordinal'; order = []"), "recipe.out_of_bounds"),
        (feature("field = 'grade'; encode = 'ordinal'; order = ['A', 'B', 'A']"), "recipe.order_duplicate"),
    ];
    for (lines, code) in cases {
        assert_eq!(check(&lines).unwrap_err().code(), code, "{lines}");
    }
    let error = check(&feature("field = 'dtii'; encode = 'scale'")).unwrap_err();
    assert!(error.to_string().ends_with("did you mean \"dti\"?"), "{error}");
}

#[test]
fn a_mistyped_level_of_an_order_is_refused_where_the_contract_closes_the_list() {
    let columns = serde_json::json!({ "columns": [
        { "name": "grade", "kind": "text", "role": "feature", "levels": ["low", "high"] },
        { "name": "y", "kind": "boolean", "role": "target" },
    ]});
    let contract = serde_json::from_value(columns).unwrap();
    let order = feature("field = 'grade'; encode = 'ordinal'; order = ['low', 'hihg']");
    let error = toml::from_str::<RawRecipe>(&order).unwrap().check(&contract).unwrap_err();
    assert_eq!(error.code(), "recipe.order_level");
    assert!(error.to_string().ends_with("did you mean \"high\"?"), "{error}");
}

fn fitted() -> FittedRecipe {
    let values = (0..50).map(|i| if i % 7 == 0 { f64::NAN } else { f64::from(i) });
    fit_one(Encoding::Piecewise { bins: 4 }, numbers("dti", values)).unwrap()
}

#[test]
fn a_fitted_recipe_goes_through_its_file_unchanged() {
    let recipe = fitted();
    let bytes = canonical::to_bytes(&recipe).unwrap();
    assert_eq!(canonical::parse::<FittedRecipe>(&bytes).unwrap(), recipe);
    let odd = String::from_utf8(bytes).unwrap().replace("\"median\"", "\"extra\":1,\"median\"");
    assert!(serde_json::from_str::<FittedRecipe>(&odd).unwrap_err().to_string().contains("extra"));
}

#[test]
fn a_fitted_recipe_that_no_fit_could_have_made_is_refused() {
    let refuse = |what: &str, spoil: &dyn Fn(&mut FittedRecipe)| {
        let mut recipe = fitted();
        spoil(&mut recipe);
        let error = recipe.check().expect_err(what);
        assert_eq!((error.code(), error.class()), ("features.fitted_malformed", Class::Integrity), "{what}");
        let json = serde_json::to_string(&recipe).unwrap();
        assert!(serde_json::from_str::<FittedRecipe>(&json).is_err(), "{what}");
    };
    let encoding =
        |cuts: &[f64], median| FittedEncoding::Piecewise { cuts: cuts.to_vec(), median, indicator: true };
    refuse("no fields", &|r| r.fields.clear());
    refuse("a gap", &|r| r.fields[0].start = 1);
    refuse("a width too large", &|r| r.fields[0].width += 1);
    refuse("a total too large", &|r| r.width += 1);
    refuse("a name twice", &|r| r.fields.push(r.fields[0].clone()));
    refuse("levels of numbers", &|r| r.fields[0].known_levels.push("A".into()));
    refuse("equal cuts", &|r| r.fields[0].encoding = encoding(&[1.0, 2.0, 2.0, 3.0, 4.0], 2.0));
    refuse("falling cuts", &|r| r.fields[0].encoding = encoding(&[1.0, 3.0, 2.0, 4.0, 5.0], 2.0));
    refuse("an infinite cut", &|r| {
        r.fields[0].encoding = encoding(&[1.0, 2.0, 3.0, 4.0, f64::INFINITY], 2.0)
    });
    refuse("no median", &|r| r.fields[0].encoding = encoding(&[1.0, 2.0, 3.0, 4.0, 5.0], f64::NAN));
    let scale = FittedEncoding::Scale { mean: 0.0, deviation: -1.0, median: 0.0, indicator: true };
    refuse("a negative deviation", &|r| r.fields[0].encoding = scale.clone());
    refuse("no buckets", &|r| r.fields[0].encoding = FittedEncoding::Hash { buckets: 0 });
}

#[test]
fn known_levels_that_are_not_those_of_the_encoding_are_refused() {
    let cells = ["A", "B", "C"].into_iter().cycle().take(90);
    let one_hot = fit_one(Encoding::OneHot { min_rows: 20 }, text("grade", cells)).unwrap();
    one_hot.check().unwrap();
    let mut fewer = one_hot.clone();
    fewer.fields[0].known_levels.pop();
    assert!(fewer.check().is_err());
    let mut unsorted = one_hot.clone();
    unsorted.fields[0].known_levels.swap(0, 1);
    unsorted.fields[0].encoding = FittedEncoding::OneHot { levels: unsorted.fields[0].known_levels.clone() };
    assert!(unsorted.check().is_err());
}
