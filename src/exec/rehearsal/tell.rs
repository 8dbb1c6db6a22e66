//! The events of a walk as those of a dry run.

use std::collections::BTreeSet;

use super::facts::NOW;
use crate::exec::overlay::Overlay;
use crate::exec::{Change, Event, Outcome, Sink};

/// Turns the events of a walk into those of a dry run.
pub struct Teller<'a> {
    pub overlay: &'a Overlay<'a>,
    /// Steps nobody can undo.
    pub lasting: BTreeSet<String>,
    pub sink: &'a dyn Sink,
}

impl Teller<'_> {
    /// What would have been changed since the last look.
    fn changes(&self) -> Vec<Change> {
        self.overlay.take_changes().into_iter().map(readable).collect()
    }
}

impl Sink for Teller<'_> {
    fn event(&self, event: &Event) {
        match event {
            Event::StepDone { id, title, depth, .. } => self.sink.event(&Event::Planned {
                id: id.clone(),
                title: title.clone(),
                depth: *depth,
                note: match self.lasting.contains(id) {
                    true => "cannot be undone".to_string(),
                    false => String::new(),
                },
                changes: self.changes(),
            }),
            Event::Preflight { warnings, .. } => {
                for finding in warnings {
                    self.sink.event(&Event::Warned {
                        line: format!("{}: {}", finding.code, finding.message),
                    });
                }
            }
            Event::Ended { outcome, .. } => {
                // No step's, but commands all the same.
                let changes = self.changes();
                if *outcome == Outcome::Done && !changes.is_empty() {
                    self.sink.event(&Event::Planned {
                        id: String::new(),
                        title: "tidy up".to_string(),
                        depth: 0,
                        note: "names for the images that `zdt rollback` can go back to".to_string(),
                        changes,
                    });
                }
                self.sink.event(event);
            }
            Event::StepStarted { .. } | Event::Progress { .. } | Event::Started { .. } => {}
            other => self.sink.event(other),
        }
    }
}

/// What only the run will know is shown as such.
fn readable(change: Change) -> Change {
    let plain = |text: &str| {
        let mut text = text.to_string();
        while let Some(at) = text.find(NOW) {
            let end = text[at + NOW.len()..]
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
                .map_or(text.len(), |length| at + NOW.len() + length);
            let name = text[at + NOW.len()..end].to_string();
            text.replace_range(at..end, &format!("<image of {name}>"));
        }
        short_ids(&text)
    };
    match change {
        Change::Command { line } => Change::Command { line: plain(&line) },
        Change::File { path, diff } => Change::File {
            path,
            diff: plain(&diff),
        },
    }
}

/// Ids of 64 hexadecimal digits by their first twelve, as docker shows them.
fn short_ids(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        match digits.len() {
            64 => {
                short.push_str(&digits[..12]);
                short.push_str(&part[64..]);
            }
            _ => short.push_str(part),
        }
    }
    short
}
