//! What a record keeps of an answer, beside its clear header: the inputs by the contract's positions, the score,
//! every field's share, the reasons. Packed, so that names stand in the model alone; restored through that model.

use std::borrow::Cow;

use crate::base::canonical::packed::{
    push_double, push_number, push_text, take_byte, take_double, take_list, take_number, take_text,
};
use crate::data::contract::Role;
use crate::data::row::ParsedRow;
use crate::data::table::{Cell, Column, Kind, Table};
use crate::decide::outcome::DecidedBy;
use crate::decide::reasons::{Reason, Reasons, ReferenceKind, shown_cell};
use crate::serve::answer_error::AnswerError;
use crate::serve::champion::Champion;
use crate::serve::scorer::{Decision, FieldShare, Notes, Prediction, UnseenLevel, largest_first};

const VERSION: u8 = 1;
const DEFAULTED: u8 = 0x10;
const UNSEEN: u8 = 0x20;
const OUT_OF_RANGE: u8 = 0x40;

#[derive(Clone, Debug, PartialEq)]
pub enum InputValue<'a> {
    Missing,
    Number(f64),
    Text(Cow<'a, str>),
}

/// One input as it was scored, and what was noted of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Input<'a> {
    pub value: InputValue<'a>,
    pub defaulted: bool,
    pub unseen: bool,
    pub out_of_range: bool,
}

/// A reason by its places: the input it speaks of, and the key of its text in the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReason<'a> {
    pub input: u64,
    pub key: Cow<'a, str>,
}

/// The score and why it is so.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPart<'a> {
    pub margin: f64,
    pub probability: f64,
    pub reference: ReferenceKind,
    pub base: f64,
    /// In the recipe's order.
    pub shares: Vec<f64>,
    pub reasons: Vec<StoredReason<'a>>,
    /// Places of the rules that held, in the policy.
    pub rules: Vec<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerBody<'a> {
    /// Feature and id columns in the contract's order; none where no model was there to read them.
    pub inputs: Vec<Input<'a>>,
    pub scored: Option<ScoredPart<'a>>,
    /// The request as it came, where no model was there to read it.
    pub unread: Option<Cow<'a, str>>,
}

/// What a decision's header says that its restoring needs.
pub struct Clear<'a> {
    pub outcome: &'a str,
    pub by: DecidedBy,
    pub band: usize,
}

impl<'a> AnswerBody<'a> {
    pub fn of_decision(
        row: &'a ParsedRow,
        decision: &'a Decision,
        champion: &Champion,
    ) -> Result<Self, AnswerError> {
        let policy = champion.deciding_policy()?.policy().object();
        let place_of_rule = |id: &String| policy.rules.iter().position(|rule| rule.id == *id);
        let rules = decision.rules.iter().filter_map(place_of_rule).map(|place| place as u64).collect();
        let reason = |reason: &'a Reason| {
            let input = place_of(&row.table, &reason.field)? as u64;
            Ok(StoredReason { input, key: Cow::Borrowed(&reason.key) })
        };
        let scored = ScoredPart {
            margin: decision.margin,
            probability: decision.probability,
            reference: decision.reasons.reference,
            base: decision.base,
            shares: decision.shares.iter().map(|share| share.value).collect(),
            reasons: decision.reasons.list.iter().map(reason).collect::<Result<_, AnswerError>>()?,
            rules,
        };
        Ok(Self { inputs: inputs_of(row, &decision.notes)?, scored: Some(scored), unread: None })
    }

    pub fn of_prediction(
        row: &'a ParsedRow,
        prediction: &Prediction,
        champion: &Champion,
    ) -> Result<Self, AnswerError> {
        let share = |field: &str| {
            let found = prediction.contributions.iter().find(|share| share.field == field);
            found.map_or(0.0, |share| share.value)
        };
        let scored = ScoredPart {
            margin: prediction.margin,
            probability: prediction.probability,
            reference: ReferenceKind::Population,
            base: prediction.base,
            shares: champion.model().recipe.fields.iter().map(|field| share(&field.field)).collect(),
            reasons: Vec::new(),
            rules: Vec::new(),
        };
        Ok(Self { inputs: inputs_of(row, &prediction.notes)?, scored: Some(scored), unread: None })
    }

    /// Of a request that no model could score: its inputs, where a contract could read them, or its text.
    pub fn unscored(row: Option<&'a ParsedRow>, text: &'a str) -> Result<Self, AnswerError> {
        match row {
            Some(row) => Ok(Self { inputs: inputs_of(row, &Notes::default())?, ..Self::default() }),
            None => Ok(Self { unread: Some(Cow::Borrowed(text)), ..Self::default() }),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.push(VERSION);
        push_number(&mut out, self.inputs.len() as u64);
        self.inputs.iter().for_each(|input| push_input(&mut out, input));
        out.push(u8::from(self.scored.is_some()));
        if let Some(scored) = &self.scored {
            push_scored(&mut out, scored);
        }
        out.push(u8::from(self.unread.is_some()));
        if let Some(text) = &self.unread {
            push_text(&mut out, text);
        }
        out
    }

    pub fn parse(bytes: &[u8]) -> Result<AnswerBody<'static>, AnswerError> {
        let read = || {
            let mut rest = bytes;
            if take_byte(&mut rest)? != VERSION {
                return None;
            }
            let inputs = take_list(&mut rest, take_input)?;
            let scored = take_option(&mut rest, take_scored)?;
            let unread = take_option(&mut rest, take_owned)?;
            rest.is_empty().then_some(AnswerBody { inputs, scored, unread })
        };
        read().ok_or(AnswerError::Form)
    }

    /// The inputs as the table they were scored from.
    pub fn to_table(&self, champion: &Champion) -> Result<Table, AnswerError> {
        let columns: Vec<(&str, Kind)> = inputs_of_contract(champion).collect();
        if columns.len() != self.inputs.len() {
            return Err(AnswerError::Inputs { found: self.inputs.len(), expected: columns.len() });
        }
        let cells = self.inputs.iter().map(|input| match &input.value {
            InputValue::Missing => Cell::Missing,
            InputValue::Number(x) => Cell::Number(*x),
            InputValue::Text(text) => Cell::Text(text),
        });
        Ok(Table::of_row(
            columns.into_iter().zip(cells).map(|((name, kind), cell)| (name.into(), kind, cell)),
        ))
    }

    /// Columns in which the contract's default stood in, as the scorer wants them.
    pub fn defaulted(&self, table: &Table) -> Vec<String> {
        let columns = table.columns().iter().zip(&self.inputs);
        columns.filter(|(_, input)| input.defaulted).map(|(column, _)| column.name.to_string()).collect()
    }

    /// The decision as it was answered, by the champion that made it; nothing where none was scored.
    pub fn to_decision(
        &self,
        champion: &Champion,
        clear: Clear<'_>,
    ) -> Result<Option<Decision>, AnswerError> {
        let Some(scored) = &self.scored else { return Ok(None) };
        let table = self.to_table(champion)?;
        let signed = champion.deciding_policy()?;
        let policy = signed.policy();
        let shares = self.restore_shares(champion)?;
        let restore =
            |stored: &StoredReason<'_>| restore_reason(stored, &table, &clear.by, &shares, champion);
        let list = scored.reasons.iter().map(restore).collect::<Result<_, _>>()?;
        let rule_id = |place: &u64| {
            let rule = usize::try_from(*place).ok().and_then(|place| policy.object().rules.get(place));
            rule.map(|rule| rule.id.clone()).ok_or(AnswerError::Place { what: "rule", place: *place })
        };
        Ok(Some(Decision {
            outcome: clear.outcome.to_string(),
            by: clear.by.clone(),
            rules: scored.rules.iter().map(rule_id).collect::<Result<_, _>>()?,
            band: clear.band,
            probability: scored.probability,
            margin: scored.margin,
            reasons: Reasons { reference: scored.reference, list },
            notes: self.restore_notes(&table, champion),
            model: champion.loaded().digest,
            release: champion.release().digest(),
            policy: signed.digest(),
            base: scored.base,
            shares,
            recorded: true,
        }))
    }

    /// The prediction as it was answered, by the champion that made it.
    pub fn to_prediction(&self, champion: &Champion) -> Result<Option<Prediction>, AnswerError> {
        let Some(scored) = &self.scored else { return Ok(None) };
        let table = self.to_table(champion)?;
        Ok(Some(Prediction {
            probability: scored.probability,
            margin: scored.margin,
            base: scored.base,
            contributions: largest_first(self.restore_shares(champion)?),
            notes: self.restore_notes(&table, champion),
            model: champion.loaded().digest,
            release: champion.release().digest(),
        }))
    }

    fn restore_shares(&self, champion: &Champion) -> Result<Vec<FieldShare>, AnswerError> {
        let fields = &champion.model().recipe.fields;
        let values = self.scored.as_ref().map(|scored| scored.shares.as_slice()).unwrap_or_default();
        if values.len() != fields.len() {
            return Err(AnswerError::Inputs { found: values.len(), expected: fields.len() });
        }
        let pairs = fields.iter().zip(values);
        Ok(pairs.map(|(field, value)| FieldShare { field: field.field.clone(), value: *value }).collect())
    }

    fn restore_notes(&self, table: &Table, champion: &Champion) -> Notes {
        let mut notes = Notes { defaulted: self.defaulted(table), ..Notes::default() };
        let inputs = || table.columns().iter().zip(&self.inputs);
        for field in &champion.model().recipe.fields {
            let Some((_, input)) = inputs().find(|(column, _)| column.name == field.field) else { continue };
            let field = field.field.to_string();
            match &input.value {
                InputValue::Missing => notes.missing.push(field),
                InputValue::Text(level) if input.unseen => {
                    notes.unseen.push(UnseenLevel { field, level: level.to_string() });
                }
                _ if input.out_of_range => notes.out_of_range.push(field),
                _ => {}
            }
        }
        notes
    }
}

/// Names and kinds of what a champion reads, in the contract's order.
pub fn inputs_of_contract(champion: &Champion) -> impl Iterator<Item = (&str, Kind)> {
    let columns = champion.loaded().content.contract.columns().iter();
    columns.filter(|c| matches!(c.role, Role::Feature | Role::Id)).map(|c| (c.name.as_str(), c.kind))
}

fn inputs_of<'a>(row: &'a ParsedRow, notes: &Notes) -> Result<Vec<Input<'a>>, AnswerError> {
    let input = |column: &'a Column| Input {
        value: match column.cell(0) {
            Cell::Missing => InputValue::Missing,
            Cell::Number(x) => InputValue::Number(x),
            Cell::Text(text) => InputValue::Text(Cow::Borrowed(text)),
        },
        defaulted: false,
        unseen: false,
        out_of_range: false,
    };
    let mut inputs: Vec<Input<'a>> = row.table.columns().iter().map(input).collect();
    for name in &row.defaulted {
        inputs[place_of(&row.table, name)?].defaulted = true;
    }
    for level in &notes.unseen {
        inputs[place_of(&row.table, &level.field)?].unseen = true;
    }
    for name in &notes.out_of_range {
        inputs[place_of(&row.table, name)?].out_of_range = true;
    }
    Ok(inputs)
}

fn place_of(table: &Table, field: &str) -> Result<usize, AnswerError> {
    let place = table.columns().iter().position(|column| column.name == field);
    place.ok_or_else(|| AnswerError::NoField { field: field.to_string() })
}

fn restore_reason(
    stored: &StoredReason<'_>,
    table: &Table,
    by: &DecidedBy,
    shares: &[FieldShare],
    champion: &Champion,
) -> Result<Reason, AnswerError> {
    let column = usize::try_from(stored.input).ok().and_then(|place| table.columns().get(place));
    let column = column.ok_or(AnswerError::Place { what: "input", place: stored.input })?;
    let policy = champion.deciding_policy()?.policy();
    let text =
        policy.find_text(&stored.key).ok_or_else(|| AnswerError::NoText { key: stored.key.to_string() })?;
    let share = shares.iter().find(|share| share.field == column.name).map(|share| share.value);
    Ok(Reason {
        field: column.name.clone(),
        key: stored.key.to_string(),
        text: text.to_string(),
        contribution: share.filter(|_| *by == DecidedBy::Band),
        value: shown_cell(table, 0, &column.name)?,
    })
}

fn push_input(out: &mut Vec<u8>, input: &Input<'_>) {
    let kind = match &input.value {
        InputValue::Missing => 0,
        InputValue::Number(_) => 1,
        InputValue::Text(_) => 2,
    };
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(
        kind | flag(input.defaulted, DEFAULTED)
            | flag(input.unseen, UNSEEN)
            | flag(input.out_of_range, OUT_OF_RANGE),
    );
    match &input.value {
        InputValue::Missing => {}
        InputValue::Number(x) => push_double(out, *x),
        InputValue::Text(text) => push_text(out, text),
    }
}

fn take_input(bytes: &mut &[u8]) -> Option<Input<'static>> {
    let head = take_byte(bytes)?;
    let value = match head & 0x0F {
        0 => InputValue::Missing,
        1 => InputValue::Number(take_double(bytes)?),
        2 => InputValue::Text(take_owned(bytes)?),
        _ => return None,
    };
    let known = 0x0F | DEFAULTED | UNSEEN | OUT_OF_RANGE;
    let flag = |bit: u8| head & bit != 0;
    (head & !known == 0).then_some(Input {
        value,
        defaulted: flag(DEFAULTED),
        unseen: flag(UNSEEN),
        out_of_range: flag(OUT_OF_RANGE),
    })
}

fn push_scored(out: &mut Vec<u8>, scored: &ScoredPart<'_>) {
    push_double(out, scored.margin);
    push_double(out, scored.probability);
    out.push(match scored.reference {
        ReferenceKind::Accepted => 0,
        ReferenceKind::Population => 1,
    });
    push_double(out, scored.base);
    push_number(out, scored.shares.len() as u64);
    scored.shares.iter().for_each(|share| push_double(out, *share));
    push_number(out, scored.reasons.len() as u64);
    for reason in &scored.reasons {
        push_number(out, reason.input);
        push_text(out, &reason.key);
    }
    push_number(out, scored.rules.len() as u64);
    scored.rules.iter().for_each(|rule| push_number(out, *rule));
}

fn take_scored(bytes: &mut &[u8]) -> Option<ScoredPart<'static>> {
    let (margin, probability) = (take_double(bytes)?, take_double(bytes)?);
    let reference = match take_byte(bytes)? {
        0 => ReferenceKind::Accepted,
        1 => ReferenceKind::Population,
        _ => return None,
    };
    Some(ScoredPart {
        margin,
        probability,
        reference,
        base: take_double(bytes)?,
        shares: take_list(bytes, take_double)?,
        reasons: take_list(bytes, |bytes| {
            Some(StoredReason { input: take_number(bytes)?, key: take_owned(bytes)? })
        })?,
        rules: take_list(bytes, take_number)?,
    })
}

fn take_owned(bytes: &mut &[u8]) -> Option<Cow<'static, str>> {
    take_text(bytes).map(Cow::Owned)
}

fn take_option<T>(bytes: &mut &[u8], take: impl FnOnce(&mut &[u8]) -> Option<T>) -> Option<Option<T>> {
    match take_byte(bytes)? {
        0 => Some(None),
        1 => take(bytes).map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::row::parse_row;
    use crate::serve::fixture::champion;

    const ROWS: [&str; 4] = [
        r#"{"id":"c1","age":20,"purpose":"boat"}"#,
        r#"{"id":"c2","income":4000,"age":33,"purpose":"car"}"#,
        r#"{"id":"c3","income":900000,"age":70,"purpose":"house"}"#,
        r#"{"id":"c4","income":10,"age":19,"purpose":"never seen"}"#,
    ];

    #[test]
    fn a_decision_is_restored_from_its_record_to_the_last_bit() {
        let champion = champion();
        for text in ROWS {
            let row = parse_row(&champion.loaded().content.contract, text).unwrap();
            let scored = champion.score_table(&row.table, std::slice::from_ref(&row.defaulted)).unwrap();
            let decision = scored.decide(0).unwrap();
            let body = AnswerBody::of_decision(&row, &decision, &champion).unwrap();
            let read = AnswerBody::parse(&body.to_bytes()).unwrap();
            assert_eq!(read, body);
            let table = read.to_table(&champion).unwrap();
            assert_eq!(table.content_digest(), row.table.content_digest());
            let clear = Clear { outcome: &decision.outcome, by: decision.by.clone(), band: decision.band };
            let restored = read.to_decision(&champion, clear).unwrap().unwrap();
            assert_eq!(restored, Decision { recorded: true, ..decision }, "{text}");
            let prediction = scored.predict(0).unwrap();
            let body = AnswerBody::of_prediction(&row, &prediction, &champion).unwrap();
            let read = AnswerBody::parse(&body.to_bytes()).unwrap();
            assert_eq!(read.to_prediction(&champion).unwrap().unwrap(), prediction, "{text}");
        }
    }

    #[test]
    fn a_body_cut_anywhere_is_no_body() {
        let champion = champion();
        let row = parse_row(&champion.loaded().content.contract, ROWS[0]).unwrap();
        let decision = champion.score_table(&row.table, &[]).unwrap().decide(0).unwrap();
        let bytes = AnswerBody::of_decision(&row, &decision, &champion).unwrap().to_bytes();
        for length in 0..bytes.len() {
            assert!(AnswerBody::parse(&bytes[..length]).is_err(), "length {length}");
        }
        assert!(AnswerBody::parse(&[&bytes[..], &[0]].concat()).is_err());
        let unread = AnswerBody::unscored(None, "{\"a\":1}").unwrap();
        assert_eq!(AnswerBody::parse(&unread.to_bytes()).unwrap(), unread);
    }
}
