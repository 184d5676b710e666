//! A measured number at a step, and which of two is the latest.
//! Numbers travel as JSON numbers, and as "NaN", "Infinity", "-Infinity" where JSON has none.

use serde::{Deserialize, Serialize};

use crate::tracking::rule::{TrackingError, check_metric_key};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricPoint {
    #[serde(with = "crate::tracking::metric::number")]
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    pub step: i64,
}

/// Equal when the same bits were logged: NaN equals itself.
impl PartialEq for MetricPoint {
    fn eq(&self, other: &Self) -> bool {
        (self.step, self.timestamp, self.value.to_bits())
            == (other.step, other.timestamp, other.value.to_bits())
    }
}

impl MetricPoint {
    pub fn check(&self, key: &str) -> Result<(), TrackingError> {
        check_metric_key(key)?;
        if self.timestamp < 0 {
            let (value, timestamp) = (self.value, self.timestamp);
            return Err(TrackingError::MetricTime { key: key.to_string(), value, timestamp });
        }
        Ok(())
    }

    /// Whether this point replaces `other` as the latest: by step, then time, then value; NaN is below all.
    pub fn newer(&self, other: &Self) -> bool {
        let value = |point: &Self| if point.value.is_nan() { None } else { Some(point.value) };
        (self.step, self.timestamp, value(self)) > (other.step, other.timestamp, value(other))
    }
}

/// A 64-bit float in JSON, with names for what JSON cannot write.
pub mod number {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_nan() {
            serializer.serialize_str("NaN")
        } else if value.is_infinite() {
            serializer.serialize_str(if *value > 0.0 { "Infinity" } else { "-Infinity" })
        } else {
            serializer.serialize_f64(*value)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Number(f64),
            Word(String),
        }
        match Spelling::deserialize(deserializer)? {
            Spelling::Number(value) => Ok(value),
            Spelling::Word(word) => match word.as_str() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                _ => Err(serde::de::Error::custom(format!("{word:?} is not a number"))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: i64, timestamp: i64, value: f64) -> MetricPoint {
        MetricPoint { value, timestamp, step }
    }

    #[test]
    fn the_latest_is_by_step_then_time_then_value() {
        let order = [
            point(-1, 9, 9.0),
            point(0, 1, 5.0),
            point(0, 2, f64::NAN),
            point(0, 2, f64::NEG_INFINITY),
            point(0, 2, 1.0),
            point(1, 0, 0.0),
        ];
        for (i, older) in order.iter().enumerate() {
            assert!(!older.newer(older), "{older:?}");
            for newer in &order[i + 1..] {
                assert!(newer.newer(older) && !older.newer(newer), "{newer:?} {older:?}");
            }
        }
    }

    #[test]
    fn numbers_json_lacks_go_there_and_back_by_name() {
        for value in [0.1, -0.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let text = serde_json::to_string(&point(1, 2, value)).unwrap();
            assert_eq!(serde_json::from_str::<MetricPoint>(&text).unwrap(), point(1, 2, value), "{text}");
        }
        assert!(serde_json::from_str::<MetricPoint>(r#"{"value":"big","timestamp":1,"step":0}"#).is_err());
    }

    #[test]
    fn a_time_before_1970_is_refused_with_mlflows_text() {
        assert_eq!(
            point(0, -1, 1.0).check("a").unwrap_err().to_string(),
            "Invalid value -1 for parameter 'timestamp' supplied: metric 'a' (value=1.0). \
             Timestamp must be a nonnegative long (64-bit integer) "
        );
    }
}
