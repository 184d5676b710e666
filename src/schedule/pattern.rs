//! A pattern of one file name: `*` for any characters, `?` for one. Never a path, never a hidden file by a star.

use std::fmt;

use crate::schedule::limits;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("it is empty")]
    Empty,
    #[error("it has more than {} bytes", limits::FILE_NAME_BYTES_MAX)]
    Long,
    #[error("it holds {0:?}; a pattern names a file, never a folder")]
    Folder(char),
    #[error("it holds {0:?}; only * and ? stand for other characters")]
    Character(char),
    #[error("it names a folder")]
    Dots,
}

impl NamePattern {
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if let Some(c) = text.chars().find(|c| matches!(c, '/' | '\\' | ':')) {
            return Err(PatternError::Folder(c));
        }
        if let Some(c) = text.chars().find(|c| matches!(c, '[' | ']' | '{' | '}') || c.is_control()) {
            return Err(PatternError::Character(c));
        }
        match text {
            "" => Err(PatternError::Empty),
            "." | ".." => Err(PatternError::Dots),
            _ if text.len() > limits::FILE_NAME_BYTES_MAX => Err(PatternError::Long),
            _ => Ok(Self(text.to_string())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name fits, its case counting.
    pub fn fits(&self, name: &str) -> bool {
        let hidden = name.starts_with('.') && !self.0.starts_with('.');
        let path = name.contains(['/', '\\']) || name.len() > limits::FILE_NAME_BYTES_MAX;
        !hidden && !path && fits(&self.0, name)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Only the last star can still take one character more: at most pattern times name steps.
fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    let mut last_star = None;
    loop {
        let mut ahead = pattern.clone();
        match (ahead.next(), name.clone().next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = ahead;
                last_star = Some((pattern.clone(), name.clone()));
                continue;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                pattern = ahead;
                name.next();
                continue;
            }
            _ => {}
        }
        let Some((after_star, mut taken)) = last_star.take() else { return false };
        if taken.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        name = taken.clone();
        last_star = Some((after_star, taken));
    }
}

#[cfg(test)]
mod tests {
    use super::{NamePattern, PatternError};

    #[test]
    fn a_pattern_fits_whole_names_only() {
        for (pattern, name, fits) in [
            ("applications-*.csv", "applications-2026.csv", true),
            ("applications-*.csv", "applications-.csv", true),
            ("applications-*.csv", "applications-2026.csv.part", false),
            ("applications-*.csv", "Applications-2026.csv", false),
            ("*", "a", true),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("*", "folder/a", false),
            ("?.csv", "é.csv", true),
            ("?.csv", ".csv", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**a", "bba", true),
        ] {
            assert_eq!(NamePattern::parse(pattern).unwrap().fits(name), fits, "{pattern} {name}");
        }
        for (pattern, why) in [
            ("", PatternError::Empty),
            ("..", PatternError::Dots),
            ("a/b", PatternError::Folder('/')),
            ("..\\b", PatternError::Folder('\\')),
            ("a[0-9]", PatternError::Character('[')),
            ("a\nb", PatternError::Character('\n')),
        ] {
            assert_eq!(NamePattern::parse(pattern), Err(why), "{pattern:?}");
        }
        assert_eq!(NamePattern::parse(&"a".repeat(256)), Err(PatternError::Long));
    }

    /// Matchers that try every split of the name take time without end for such a pattern.
    #[test]
    fn a_pattern_of_many_stars_is_judged_at_once() {
        let pattern = NamePattern::parse(&"a*".repeat(120)).unwrap();
        assert!(!pattern.fits(&format!("{}b", "b".repeat(250))));
        assert!(!NamePattern::parse(&format!("{}c", "a*".repeat(100))).unwrap().fits(&"a".repeat(255)));
    }
}
