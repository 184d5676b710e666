//! Rows of the releases before, counted with those of a release that has too few of its own: what applicants are like does
//! not depend on who scores them, so a field's rows count wherever they were sorted into the same bins.
//! Never counts another release's scores, and never rows that were sorted into other bins.

use std::collections::BTreeSet;

use crate::app::home::App;
use crate::app::registry::{VersionRow, promotion, versions};
use crate::app::watch::counted;
use crate::base::fact::Failure;
use crate::features::reference::Reference;
use crate::monitor::drift::{CountedOver, CountedRelease};
use crate::monitor::words;
use crate::registry::version::Alias;
use crate::serve::champion::Champion;
use crate::store::rows::answers::Counts;

/// Fields named where their bins differ; the rest are counted.
const FIELDS_NAMED_MAX: usize = 3;

/// The counts that fields are judged by, and over whom they were counted where that is not the release alone.
pub(in crate::app::watch) fn counts(
    app: &App,
    (version, champion): (&VersionRow, &Champion),
    days: (u64, u64),
    needed: u64,
) -> Result<(Counts, Option<CountedOver>), Failure> {
    let mut sum = counted::counts(app, &version.release, days)?;
    let own_rows = rows_of(&sum);
    if own_rows >= needed {
        return Ok((sum, None));
    }
    let reference = &champion.loaded().reference;
    let mut releases = Vec::new();
    for other in others(app, version)? {
        let theirs = counted::counts(app, &other.release, days)?;
        let rows = rows_of(&theirs);
        if rows == 0 {
            continue;
        }
        let (fields, why) = match versions::open_champion(app, &other, &other.policy) {
            Ok(other) => add(&mut sum, reference, &theirs, &other.loaded().reference),
            Err(failure) => (0, Some(format!("it cannot be opened ({})", failure.code()))),
        };
        releases.push(CountedRelease { version: other.version, rows, fields, why });
    }
    let over = (!releases.is_empty()).then_some(CountedOver { own_rows, needed, releases });
    Ok((sum, over))
}

/// A row that was scored is in one bin of each field.
fn rows_of(counts: &Counts) -> u64 {
    counts.bins.first().map_or(0, |bins| bins.iter().sum())
}

/// Those that have been in production, the newest first. What was only staged scores rows that another decides.
fn others(app: &App, version: &VersionRow) -> Result<Vec<VersionRow>, Failure> {
    let moves = promotion::moves(app, &version.name, Alias::Production)?;
    let been: BTreeSet<u64> = moves.iter().map(|step| step.to.version).collect();
    let mut found = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_version_of(&version.name, &mut |row| {
            if row.version != version.version && been.contains(&row.version) {
                found.push(row);
            }
            Ok(())
        })
    })?;
    found.reverse();
    Ok(found)
}

/// Adds the rows of each field that both sort alike; how many there are, and which do not.
fn add(sum: &mut Counts, own: &Reference, theirs: &Counts, other: &Reference) -> (u64, Option<String>) {
    let (mut fields, mut apart) = (0, Vec::new());
    for (at, field) in own.fields.iter().enumerate() {
        let same = other.fields.iter().position(|known| field.has_bins_of(known));
        let Some((mine, rows)) = same.and_then(|place| Some((sum.bins.get_mut(at), theirs.bins.get(place)?)))
        else {
            apart.push(words::shown(&field.field));
            continue;
        };
        fields += 1;
        match mine {
            Some(mine) => {
                mine.resize(mine.len().max(rows.len()), 0);
                mine.iter_mut().zip(rows).for_each(|(mine, rows)| *mine += rows);
            }
            None => {
                sum.bins.resize(at, Vec::new());
                sum.bins.push(rows.clone());
            }
        }
    }
    (fields, why(&apart))
}

fn why(apart: &[String]) -> Option<String> {
    let (first, rest) = apart.split_at(apart.len().min(FIELDS_NAMED_MAX));
    let mut named: Vec<String> = first.to_vec();
    if !rest.is_empty() {
        named.push(format!("{} more", words::count(rest.len() as u64)));
    }
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    (!named.is_empty()).then(|| format!("the bins of {} differ", words::joined(&named)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Kind;
    use crate::features::reference::{LevelRows, Marginal, ReferenceField};

    fn number(field: &str, edges: &[f64]) -> ReferenceField {
        let rows = vec![30; edges.len() - 1];
        let marginal = Marginal::Numbers { edges: edges.to_vec(), rows, decimals: 0 };
        ReferenceField { field: field.into(), kind: Kind::Number, missing: 0, marginal }
    }

    fn text(field: &str, levels: &[&str]) -> ReferenceField {
        let levels = levels.iter().map(|level| LevelRows { level: level.to_string(), rows: 20 }).collect();
        let marginal = Marginal::Text { levels, other: 0 };
        ReferenceField { field: field.into(), kind: Kind::Text, missing: 0, marginal }
    }

    fn reference(fields: Vec<ReferenceField>) -> Reference {
        Reference { rows: 60, fields, score: None }
    }

    fn counts(bins: &[&[u64]]) -> Counts {
        Counts { bins: bins.iter().map(|bins| bins.to_vec()).collect(), ..Counts::default() }
    }

    #[test]
    fn rows_count_where_both_sort_them_alike_and_the_rest_is_named() {
        let own = reference(vec![
            number("income", &[0.0, 10.0, 20.0]),
            number("age", &[18.0, 40.0, 90.0]),
            text("purpose", &["car", "home"]),
        ]);
        // Another order, other outer edges of age, which sort nothing, and another inner edge of income.
        let other = reference(vec![
            text("purpose", &["car", "home"]),
            number("income", &[0.0, 12.0, 20.0]),
            number("age", &[20.0, 40.0, 80.0]),
        ]);
        let mut sum = counts(&[&[1, 2, 0], &[3, 4, 0], &[5, 0, 0, 1], &[7, 7]]);
        let theirs = counts(&[&[10, 20, 1, 2], &[100, 200, 300], &[40, 50, 6], &[9, 9]]);
        let (fields, why) = add(&mut sum, &own, &theirs, &other);
        assert_eq!((fields, why.as_deref()), (2, Some("the bins of income differ")));
        assert_eq!(
            sum,
            counts(&[&[1, 2, 0], &[43, 54, 6], &[15, 20, 1, 3], &[7, 7]]),
            "the score is its own"
        );
        let (fields, why) = add(&mut sum, &own, &counts(&[]), &own);
        assert_eq!((fields, why.is_some()), (0, true), "what was never counted cannot be added");
    }

    #[test]
    fn a_release_without_a_row_of_its_own_takes_those_of_the_others() {
        let own = reference(vec![number("age", &[18.0, 40.0, 90.0]), text("purpose", &["car"])]);
        let mut sum = Counts::default();
        let theirs = counts(&[&[3, 4, 5], &[1, 2, 3]]);
        assert_eq!(add(&mut sum, &own, &theirs, &own), (2, None));
        assert_eq!(sum, theirs);
        let other = reference(vec![number("age", &[18.0, 41.0, 90.0]), text("purpose", &["car"])]);
        let mut sum = Counts::default();
        assert_eq!(add(&mut sum, &own, &theirs, &other).0, 1);
        assert_eq!(sum, counts(&[&[], &[1, 2, 3]]), "the field before it stays without rows");
    }
}
