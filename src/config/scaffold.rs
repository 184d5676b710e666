//! A new project folder from a guessed contract: eight files as text, every guess with its reason beside it.
//! Writes nothing to disk and trusts nothing it guessed; the owner edits, `project check` judges.

use std::fmt::Write as _;

use crate::data::contract::{ColumnSpec, Role};
use crate::data::infer::draft::{Inferred, InferredColumn};
use crate::data::table::Kind;
use crate::decide::policy::PositiveIs;
use crate::decide::texts::needed_keys;
use crate::registry::content::Purpose;

/// What a person said about the project, beside the file.
pub struct Wishes {
    pub name: String,
    pub purpose: Purpose,
    pub positive_is: PositiveIs,
    /// Where the guesses were made from.
    pub source: String,
}

/// Text with more levels than this is hashed; fewer levels get a column each.
const ONE_HOT_LEVELS: usize = 60;
const HASH_BUCKETS: usize = 64;
const NUMBER_BINS: usize = 16;

/// The files of the folder, path and text.
pub fn draft(inferred: &Inferred, wishes: &Wishes) -> Vec<(&'static str, String)> {
    let features: Vec<&InferredColumn> =
        inferred.columns.iter().filter(|c| c.spec.role == Role::Feature).collect();
    vec![
        ("project.toml", project(inferred, wishes)),
        ("contract.toml", contract(inferred, wishes)),
        ("expectations.toml", expectations(inferred)),
        ("recipe.toml", recipe(inferred, &features)),
        ("train.toml", train(inferred)),
        ("gates.toml", gates()),
        ("policy.toml", policy(wishes, &features)),
        ("text/en.toml", texts(&features)),
    ]
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", "))
}

/// A comment on one line, whatever it quotes.
fn comment(out: &mut String, text: &str) {
    let _ = writeln!(out, "# {}", text.replace(['\n', '\r'], " "));
}

fn project(inferred: &Inferred, wishes: &Wishes) -> String {
    let mut out = String::new();
    comment(
        &mut out,
        &format!("Drafted from {}; every guess says why. Change what is wrong.", wishes.source),
    );
    let _ = writeln!(out, "name = {}", quoted(&wishes.name));
    let _ = writeln!(out, "title = {}", quoted(&title(&wishes.name)));
    comment(
        &mut out,
        "credit, marketing or education; under credit a protected characteristic is never a feature, else only with a reason.",
    );
    let _ = writeln!(out, "purpose = {}", quoted(wishes.purpose.as_str()));
    if let Some(target) = &inferred.target {
        comment(&mut out, &format!("Guessed: {}", target.reason));
        let _ = writeln!(out, "positive = {}", quoted(&target.positive));
    }
    let ids: Vec<&str> = names(inferred, Role::Id);
    match ids.first() {
        Some(id) => {
            comment(&mut out, "Guessed: the first id column names whom a decision is about.");
            let _ = writeln!(out, "subject = {}", quoted(id));
        }
        None => comment(&mut out, "subject = \"...\"  # no id column was found"),
    }
    out
}

fn names(inferred: &Inferred, role: Role) -> Vec<&str> {
    inferred.columns.iter().filter(|c| c.spec.role == role).map(|c| c.spec.name.as_str()).collect()
}

fn title(name: &str) -> String {
    let text = name.replace(['-', '_'], " ");
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn contract(inferred: &Inferred, wishes: &Wishes) -> String {
    let mut out = String::new();
    let read = format!("What a row holds, guessed from {} rows of {}.", inferred.rows_read, wishes.source);
    comment(&mut out, &read);
    comment(
        &mut out,
        "Roles: feature, id, target, protected, leak, pii, split, ignored. Ranges seen are comments, not rules.",
    );
    for column in &inferred.columns {
        out.push('\n');
        comment(&mut out, &column.reason);
        column.notes.iter().for_each(|note| comment(&mut out, note));
        column_table(&mut out, &column.spec);
    }
    out
}

fn column_table(out: &mut String, spec: &ColumnSpec) {
    let word = |value: serde_json::Value| value.as_str().map(quoted).unwrap_or_default();
    let _ =
        writeln!(out, "[[columns]]\nname = {}\nkind = {}", quoted(&spec.name), quoted(spec.kind.as_str()));
    let _ = writeln!(out, "role = {}", word(serde_json::json!(spec.role)));
    if spec.required {
        out.push_str("required = true\n");
    }
    if let Some(cast) = spec.cast {
        let _ = writeln!(out, "cast = {}", word(serde_json::json!(cast)));
    }
    if let Some(levels) = &spec.levels {
        let _ = writeln!(out, "levels = {}", list(levels));
    }
    if !spec.missing.is_empty() {
        let _ = writeln!(out, "missing = {}", list(&spec.missing));
    }
}

fn expectations(inferred: &Inferred) -> String {
    let mut out = String::new();
    comment(&mut out, "What a file must look like as a whole. Critical rules stop the flow before training.");
    let least = (inferred.rows_read / 10).max(1);
    let _ = write!(
        out,
        "\n# A tenth of the rows seen: less is probably a broken export.\n[[expect]]\ntype = \"row_count_between\"\nmin = {least}\n"
    );
    for id in names(inferred, Role::Id) {
        let _ = write!(
            out,
            "\n# Guessed: an id comes once.\n[[expect]]\ntype = \"values_unique\"\ncolumn = {}\nseverity = \"warning\"\n",
            quoted(id)
        );
    }
    for column in inferred.columns.iter().filter(|c| c.spec.role == Role::Feature && !c.spec.required) {
        if let Some(seen) = inferred.profile.find(&column.spec.name) {
            let share = 1.0 - seen.missing as f64 / inferred.rows_sampled.max(1) as f64;
            let _ = write!(
                out,
                "\n# Uncomment to hold the share of filled cells, {share:.3} when this was drafted.\n# [[expect]]\n# type = \"values_not_null\"\n# column = {}\n# mostly = {:.2}\n",
                quoted(&column.spec.name),
                (share - 0.05).max(0.01)
            );
        }
    }
    out
}

fn recipe(inferred: &Inferred, features: &[&InferredColumn]) -> String {
    let mut out = String::new();
    comment(&mut out, "How each field is encoded: scale, quantile, piecewise, one_hot, ordinal, hash.");
    for column in features {
        let name = &column.spec.name;
        let distinct = inferred.profile.find(name).map_or(0, |seen| seen.distinct);
        let (encoding, why) = match column.spec.kind {
            Kind::Text if distinct > ONE_HOT_LEVELS => {
                (format!("encode = \"hash\"\nbuckets = {HASH_BUCKETS}"), format!("{distinct} levels"))
            }
            Kind::Text => ("encode = \"one_hot\"\nmin_rows = 20".to_string(), format!("{distinct} levels")),
            Kind::Boolean => ("encode = \"scale\"".to_string(), "two values".to_string()),
            _ => (format!("encode = \"piecewise\"\nbins = {NUMBER_BINS}"), "a number".to_string()),
        };
        out.push('\n');
        comment(&mut out, &format!("Guessed: {why}."));
        let _ = writeln!(out, "[[features]]\nfield = {}\n{encoding}", quoted(name));
    }
    out
}

/// What `family` may be, and what for.
const FAMILIES: &str = "\
# logistic: a weight a column; quick, and the one to beat.
# scorecard: points a bin, as on paper; [binning] asks for bins, [monotone] for a direction.
# boosting: many small trees; mostly the best of one kind, and keeps [monotone] too.
# forest: many large trees, each of its own draw; little to set.
# ensemble: several of these weighed against each other; decides nothing about credit.
# mlp: a network; decides nothing about credit.
# baseline: the base rate for everybody: what any other must beat.
";

fn train(inferred: &Inferred) -> String {
    let split = match names(inferred, Role::Split).first() {
        Some(column) => format!(
            "by = \"column\"\ncolumn = {}\n# Which of its values are the test part.\ntest_values = [\"0\"]\nvalid = 0.15",
            quoted(column)
        ),
        None => "by = \"random\"\ntest = 0.2\nvalid = 0.15".to_string(),
    };
    format!(
        "# The same seed and data give the same model, digest for digest.\nseed = 1\n{FAMILIES}family = \"logistic\"\n\n[split]\n{split}\n"
    )
}

fn gates() -> String {
    "# What a candidate must reach before it may be promoted. A first bar, to be raised by its owner.\n\n[[gate]]\nmetric = \"auc\"\nmin = 0.6\n\n# Who else is asked before a version goes into production: with second_person one proposes and another approves.\n# [approval]\n# by = \"second_person\"\n# expires = \"7d\"\n# tier = \"high\"\n".to_string()
}

fn policy(wishes: &Wishes, features: &[&InferredColumn]) -> String {
    let (side, bands) = match (wishes.purpose, wishes.positive_is) {
        (Purpose::Credit, PositiveIs::Bad) => ("bad", ["approve", "refer", "decline"]),
        (Purpose::Credit, PositiveIs::Good) => ("good", ["decline", "refer", "approve"]),
        (_, PositiveIs::Bad) => ("bad", ["none", "watch", "contact"]),
        (_, PositiveIs::Good) => ("good", ["contact", "watch", "none"]),
    };
    let stems: String = features
        .iter()
        .map(|c| {
            format!("{} = {}\n", quoted(&c.spec.name), quoted(&format!("reason.{}", key_of(&c.spec.name))))
        })
        .collect();
    format!(
        "# Owned by risk. What a probability leads to; moving a cut-off is no training.\nname = {}\n\
         # Guessed: which side of the probability is the unwanted one.\npositive_is = \"{side}\"\n\n\
         # Guessed: a bad case that is accepted costs five times what a good one refused does.\n\
         [cutoff]\nby = \"cost\"\nmissed_bad = 5.0\nrefused_good = 1.0\n\n\
         [[band]]\noutcome = \"{}\"\nupto_cutoff = 0.8\n\n[[band]]\noutcome = \"{}\"\nupto_cutoff = 1.2\n\n\
         [[band]]\noutcome = \"{}\"\n\n# Where each field's reason texts stand in text/en.toml.\n[reasons]\n{stems}",
        quoted(&wishes.name),
        bands[0],
        bands[1],
        bands[2]
    )
}

/// A column's name as a key without dots, which would nest.
fn key_of(name: &str) -> String {
    name.replace('.', "_")
}

fn texts(features: &[&InferredColumn]) -> String {
    let mut out = String::new();
    comment(&mut out, "Every string a person sees. Drafted: a person must put the reasons into words.");
    out.push_str("\n[label]\n");
    for column in features {
        let _ =
            writeln!(out, "{} = {}", quoted(&key_of(&column.spec.name)), quoted(&title(&column.spec.name)));
    }
    for column in features {
        let (name, label) = (key_of(&column.spec.name), title(&column.spec.name));
        let _ = write!(out, "\n[reason.{}]\n", quoted(&name));
        for key in needed_keys(&column.spec, "") {
            let variant = key.trim_start_matches('.');
            let text = match variant {
                "high" => format!("{label} is higher than in accepted cases."),
                "low" => format!("{label} is lower than in accepted cases."),
                "missing" => format!("{label} is not known."),
                _ => format!("{label} weighs against the case more than in accepted ones."),
            };
            let _ = writeln!(out, "{variant} = {}", quoted(&text));
        }
    }
    out
}
