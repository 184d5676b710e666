//! XML elements and their text, with everything escaped; text is checked for control characters before it gets here.

pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Element>,
    words: Option<String>,
}

impl Element {
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new(), words: None }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, value.to_owned()));
        self
    }

    pub fn holding(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub fn saying(mut self, words: &str) -> Self {
        self.words = Some(words.to_owned());
        self
    }

    pub fn push(&mut self, child: Self) {
        self.children.push(child);
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, depth: usize, text: &mut String) {
        let indent = " ".repeat(depth);
        text.push_str(&format!("{indent}<{}", self.name));
        for (name, value) in &self.attributes {
            text.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
        match &self.words {
            Some(words) => text.push_str(&format!(">{}</{}>\n", escaped(words), self.name)),
            None if self.children.is_empty() => text.push_str("/>\n"),
            None => {
                text.push_str(">\n");
                self.children.iter().for_each(|child| child.write(depth + 1, text));
                text.push_str(&format!("{indent}</{}>\n", self.name));
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
