//! The scores of a test part as a file: place, outcome and probability of each row, and the digest of the rows.
//! Never anything else of a person.

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};

/// The name it has among a run's artifacts.
pub const NAME: &str = "test_scores.bin";
const MAGIC: &[u8] = b"tallystick.scores.v1\n";
const ROW_BYTES: usize = 13;

#[derive(Clone, Debug, PartialEq)]
pub struct KeptScores {
    /// The content digest of the test part: runs of the same digest were tested on the same rows in one order.
    pub rows_digest: Digest,
    /// Each row's place in the data set, rising.
    pub places: Vec<u32>,
    pub labels: Vec<bool>,
    pub probabilities: Vec<f64>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kept scores are damaged: {what}")]
pub struct BadScores {
    what: &'static str,
}

impl Fact for BadScores {
    fn code(&self) -> &'static str {
        "evaluate.kept_scores"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Run `tallystick store check`, and train again.".into())
    }
}

impl KeptScores {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAGIC.len() + 32 + ROW_BYTES * self.places.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(self.rows_digest.as_bytes());
        let outcomes = self.labels.iter().zip(&self.probabilities);
        for (place, (label, probability)) in self.places.iter().zip(outcomes) {
            out.extend_from_slice(&place.to_le_bytes());
            out.push(u8::from(*label));
            out.extend_from_slice(&probability.to_le_bytes());
        }
        out
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, BadScores> {
        let refuse = |what| BadScores { what };
        let rest = bytes.strip_prefix(MAGIC).ok_or(refuse("another format"))?;
        let (digest, rows) = rest.split_first_chunk::<32>().ok_or(refuse("no digest"))?;
        let (rows, left) = rows.as_chunks::<ROW_BYTES>();
        if !left.is_empty() {
            return Err(refuse("half a row at the end"));
        }
        let mut kept = Self {
            rows_digest: Digest::from_bytes(*digest),
            places: Vec::with_capacity(rows.len()),
            labels: Vec::with_capacity(rows.len()),
            probabilities: Vec::with_capacity(rows.len()),
        };
        for &[a, b, c, d, label, ref probability @ ..] in rows {
            let (place, probability) = (u32::from_le_bytes([a, b, c, d]), f64::from_le_bytes(*probability));
            if kept.places.last().is_some_and(|last| *last >= place) {
                return Err(refuse("rows out of order"));
            }
            if label > 1 || !(0.0..=1.0).contains(&probability) {
                return Err(refuse("an outcome or a probability that is none"));
            }
            kept.places.push(place);
            kept.labels.push(label == 1);
            kept.probabilities.push(probability);
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> KeptScores {
        KeptScores {
            rows_digest: Digest::of(b"rows"),
            places: vec![0, 7, 4_000_000_000],
            labels: vec![true, false, true],
            probabilities: vec![0.25, 1.0, 0.1 + 0.2],
        }
    }

    #[test]
    fn scores_go_there_and_back_to_the_bit() {
        let bytes = kept().to_bytes();
        assert_eq!(bytes.len(), 21 + 32 + 3 * 13);
        assert_eq!(KeptScores::parse(&bytes).unwrap(), kept());
    }

    #[test]
    fn cut_reordered_and_impossible_scores_are_refused() {
        let bytes = kept().to_bytes();
        for length in 0..bytes.len() {
            // Whole rows fewer are a shorter part; the artifact's own digest tells that.
            let whole = length >= 53 && (length - 53) % 13 == 0;
            assert_eq!(KeptScores::parse(&bytes[..length]).is_ok(), whole, "{length}");
        }
        let refused = |edit: &dyn Fn(&mut KeptScores)| {
            let mut bad = kept();
            edit(&mut bad);
            KeptScores::parse(&bad.to_bytes()).unwrap_err().code()
        };
        assert_eq!(refused(&|k| k.places[1] = 0), "evaluate.kept_scores");
        assert_eq!(refused(&|k| k.probabilities[2] = f64::NAN), "evaluate.kept_scores");
        assert_eq!(refused(&|k| k.probabilities[2] = 1.5), "evaluate.kept_scores");
        let mut label = bytes;
        label[53 + 4] = 2;
        assert!(KeptScores::parse(&label).is_err());
    }
}
