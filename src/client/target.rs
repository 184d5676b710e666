//! What is asked for: a path of segments and a query, escaped so that no name can lead anywhere else.
//! Never knows which paths there are.

use std::fmt;

/// A path and a query as they go over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// A path of these segments; a name in it may hold any character.
    pub fn of<'a>(segments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            escape(segment, &mut path);
        }
        Self(path)
    }

    /// The same with a parameter.
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        escape(name, &mut self.0);
        self.0.push('=');
        escape(&value.to_string(), &mut self.0);
        self
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 3986: all but its unreserved characters is escaped.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn no_name_leads_out_of_its_place() {
        let target = Target::of(["v1", "runs", "a/../b?c=ü"]).with("limit", 20).with("model", "x&y");
        assert_eq!(target.as_str(), "/v1/runs/a%2F..%2Fb%3Fc%3D%C3%BC?limit=20&model=x%26y");
    }
}
