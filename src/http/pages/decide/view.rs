//! The form as its page shows it: every field with its words, what was typed, and what is wrong with it.

use serde::Serialize;

use crate::app::decisions::desk::Desk;
use crate::base::limits;
use crate::data::contract::Cast;
use crate::data::table::Kind;
use crate::http::pages::cases::CaseLine;
use crate::http::pages::decide::FIELD_PREFIX;
use crate::http::pages::decide::fields::Field;
use crate::http::pages::decide::typed::Fault;
use crate::http::pages::home::state_keys;
use crate::http::pages::text::Texts;
use crate::http::pages::words::{age, grouped, spoken};

#[derive(Clone, Debug, Default, Serialize)]
pub struct Choice {
    pub id: String,
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FieldView {
    pub id: String,
    pub name: String,
    pub label: String,
    pub help: Option<String>,
    pub unit: Option<String>,
    pub example: Option<String>,
    /// What it may be, in words.
    pub range: Option<String>,
    /// Of `text`, `number`, `list`, `choices`.
    pub widget: &'static str,
    /// The keyboard a telephone shows.
    pub keys: &'static str,
    pub required: bool,
    pub value: String,
    pub choices: Vec<Choice>,
    pub trouble: Option<String>,
    /// Ids of what describes it.
    pub described_by: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    pub title: String,
    pub fields: Vec<FieldView>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FormView {
    pub model: String,
    pub title: String,
    pub version: u64,
    pub age: String,
    /// Of `ready`, `stand_in`, `refers_all`.
    pub state: &'static str,
    pub nonce: String,
    pub sections: Vec<Section>,
    /// Fields with trouble, in their order.
    pub troubles: Vec<FieldView>,
    /// Cases of the same subject, which are to be looked at first.
    pub same_subject: Vec<CaseLine>,
    /// What was restored or has to be said beside the fields; a text.
    pub notice: Option<String>,
}

/// What a form is filled with when it is shown.
#[derive(Default)]
pub struct Filled<'a> {
    pub typed: Vec<(&'a str, &'a str)>,
    pub faults: Vec<(String, Fault)>,
}

impl Filled<'_> {
    fn value(&self, column: &str) -> &str {
        let own = |(name, _): &&(&str, &str)| name.strip_prefix(FIELD_PREFIX) == Some(column);
        self.typed.iter().find(own).map_or("", |(_, value)| value)
    }

    fn fault(&self, column: &str) -> Option<&Fault> {
        self.faults.iter().find(|(name, _)| name == column).map(|(_, fault)| fault)
    }
}

pub fn form_view(texts: &Texts, desk: &Desk, now_ms: i64, fields: &[Field], filled: &Filled<'_>) -> FormView {
    let mut sections: Vec<Section> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let title = field.section.clone().unwrap_or_else(|| texts.say("form.section.all"));
        let view = field_view(texts, at, field, filled);
        match sections.iter_mut().find(|section| section.title == title) {
            Some(section) => section.fields.push(view),
            None => sections.push(Section { title, fields: vec![view] }),
        }
    }
    let shown = sections.iter().flat_map(|section| &section.fields);
    let troubles = shown.filter(|field| field.trouble.is_some()).cloned().collect();
    FormView {
        model: desk.name.clone(),
        title: spoken(&desk.name),
        version: desk.version,
        age: age(texts, now_ms, desk.created_ms),
        state: state_keys(desk.state).0,
        sections,
        troubles,
        ..FormView::default()
    }
}

fn field_view(texts: &Texts, at: usize, field: &Field, filled: &Filled<'_>) -> FieldView {
    let id = format!("field-{at}");
    let value = filled.value(&field.column).to_string();
    let trouble = filled.fault(&field.column).map(|fault| told(texts, field, fault));
    let widget = widget_of(field);
    let choices =
        if matches!(widget, "list" | "choices") { choices_of(texts, field, &id, &value) } else { Vec::new() };
    let range = range_of(texts, field);
    let parts = [
        (field.help.is_some(), "help"),
        (range.is_some() || field.example.is_some(), "range"),
        (trouble.is_some(), "trouble"),
    ];
    let described_by: Vec<String> =
        parts.iter().filter(|(there, _)| *there).map(|(_, part)| format!("{id}-{part}")).collect();
    FieldView {
        name: format!("{FIELD_PREFIX}{}", field.column),
        label: field.label.clone(),
        help: field.help.clone(),
        unit: field.unit.clone(),
        example: field.example.clone(),
        range,
        widget,
        keys: if field.is_number() && field.cast != Some(Cast::FirstNumber) { "decimal" } else { "text" },
        required: field.required,
        value,
        choices,
        trouble,
        described_by: described_by.join(" "),
        id,
    }
}

fn widget_of(field: &Field) -> &'static str {
    match field.kind {
        Kind::Boolean => "choices",
        Kind::Text if field.levels.is_empty() => "text",
        Kind::Text if field.levels.len() > limits::CHOICES_SHOWN_MAX => "list",
        Kind::Text => "choices",
        Kind::Integer | Kind::Number => "number",
        Kind::Date => "text",
    }
}

fn choices_of(texts: &Texts, field: &Field, id: &str, value: &str) -> Vec<Choice> {
    let mut choices: Vec<(String, String)> = match field.kind {
        Kind::Boolean => {
            vec![("true".into(), texts.say("form.yes")), ("false".into(), texts.say("form.no"))]
        }
        _ => field.levels.clone(),
    };
    if !field.required {
        choices.push((String::new(), texts.say("form.not_known")));
    }
    let choice = |(at, (key, label)): (usize, (String, String))| Choice {
        // The first one's id is the field's own, so that a link to the field leads to it.
        id: if at == 0 { id.to_string() } else { format!("{id}-{at}") },
        chosen: key == value,
        value: key,
        label,
    };
    choices.into_iter().enumerate().map(choice).collect()
}

fn range_of(texts: &Texts, field: &Field) -> Option<String> {
    if field.kind == Kind::Date {
        return Some(texts.say(if field.cast == Some(Cast::MonthYear) {
            "form.date.month"
        } else {
            "form.date.day"
        }));
    }
    let unit = field.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
    let number = |bound: f64| format!("{}{unit}", bound_text(bound));
    match (field.bound(field.min), field.bound(field.max)) {
        (Some(min), Some(max)) => {
            let (min, max) = (bound_text(min), number(max));
            Some(texts.fill("form.range.both", &[("min", &min), ("max", &max)]))
        }
        (Some(min), None) => Some(texts.fill("form.range.min", &[("min", &number(min))])),
        (None, Some(max)) => Some(texts.fill("form.range.max", &[("max", &number(max))])),
        (None, None) => None,
    }
}

fn bound_text(bound: f64) -> String {
    // Shares are told in percent, where a bound's own rounding would show.
    grouped(&((bound * 1e9).round() / 1e9).to_string())
}

fn told(texts: &Texts, field: &Field, fault: &Fault) -> String {
    let label = field.label.as_str();
    let of = |key: &str| texts.fill(key, &[("label", label)]);
    let with = |key: &str, name: &str, value: &str| texts.fill(key, &[("label", label), (name, value)]);
    match fault {
        Fault::Required => of("form.fault.required"),
        Fault::Choose => of("form.fault.choose"),
        Fault::NotANumber => of("form.fault.number"),
        Fault::NotWhole => of("form.fault.whole"),
        Fault::NotADate => of("form.fault.date"),
        Fault::TooLong => of("form.fault.long"),
        Fault::Other => of("form.fault.other"),
        Fault::Below(min) => with("form.fault.below", "min", &bound_text(*min)),
        Fault::Above(max) => with("form.fault.above", "max", &bound_text(*max)),
        Fault::TwoReadings(one, other) => {
            texts.fill("form.fault.two", &[("label", label), ("one", one), ("other", other)])
        }
    }
}
