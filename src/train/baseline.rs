//! The base-rate model: the log-odds of the training rows' positive share. Looks at no column.

use crate::model::baseline::Baseline;
use crate::train::examples::{Examples, TrainError};

pub fn train_baseline(train: &Examples<'_>) -> Result<Baseline, TrainError> {
    train.check("training")?;
    let (positives, rows) = (train.positives(), train.matrix.rows);
    if positives == 0 || positives == rows {
        let outcome = if positives == 0 { "negative" } else { "positive" };
        return Err(TrainError::OneClass { rows, outcome });
    }
    Ok(Baseline { log_odds: (positives as f64 / (rows - positives) as f64).ln() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::matrix::Matrix;

    #[test]
    fn one_in_four_has_the_log_odds_of_one_to_three() {
        let matrix = Matrix::zeros(4, 2);
        let labels = [false, true, false, false];
        let trained = train_baseline(&Examples { matrix: &matrix, labels: &labels }).unwrap();
        assert_eq!(trained.log_odds, (1.0f64 / 3.0).ln());
    }

    #[test]
    fn rows_of_one_outcome_teach_nothing() {
        let matrix = Matrix::zeros(3, 2);
        for labels in [[true; 3], [false; 3]] {
            let refused = train_baseline(&Examples { matrix: &matrix, labels: &labels });
            assert!(matches!(refused, Err(TrainError::OneClass { rows: 3, .. })));
        }
        let empty = Matrix::zeros(0, 2);
        let refused = train_baseline(&Examples { matrix: &empty, labels: &[] });
        assert!(matches!(refused, Err(TrainError::Empty { part: "training" })));
    }
}
