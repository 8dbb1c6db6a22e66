//! Values as the plan knows them: text, most of it known before the run, some of it a command's output known only then.

use std::collections::BTreeMap;

/// A word of a recipe with everything looked up that can be looked up before the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Known(String),
    /// The output of a command, by the key of its [`super::NodeKind::Ask`] node.
    Output {
        key: String,
        shown: String,
    },
}

/// Outputs of the commands asked so far.
pub type Outputs = BTreeMap<String, String>;

impl Text {
    pub fn known(text: impl Into<String>) -> Self {
        let mut made = Self::default();
        made.push(&text.into());
        made
    }

    pub fn output(key: &str, shown: &str) -> Self {
        Self {
            parts: vec![Part::Output {
                key: key.into(),
                shown: shown.into(),
            }],
        }
    }

    /// A value that was not given where none is demanded.
    pub fn not_given(name: &str) -> Self {
        Self::output(&format!("param {name}"), &format!("<{name}>"))
    }

    pub fn push(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Known(last)) => last.push_str(text),
            _ => self.parts.push(Part::Known(text.to_string())),
        }
    }

    pub fn append(&mut self, other: Text) {
        for part in other.parts {
            match part {
                Part::Known(text) => self.push(&text),
                output => self.parts.push(output),
            }
        }
    }

    /// The text, when it does not depend on the run.
    pub fn get(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Known(text)] => Some(text),
            _ => None,
        }
    }

    /// The text at run time; an output that is not there yet stays visible as `<output of …>`.
    pub fn now(&self, outputs: &Outputs) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Known(text) => text.clone(),
                Part::Output { key, shown } => match outputs.get(key) {
                    Some(output) => output.clone(),
                    None => shown.clone(),
                },
            })
            .collect()
    }

    /// For people, before the run.
    pub fn shown(&self) -> String {
        self.now(&Outputs::new())
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(Text),
    List(Vec<Text>),
}
