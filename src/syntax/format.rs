//! The same recipe, laid out as `zdt fmt` wants it.
//!
//! Lines stay lines: what was written on one line with `;` stays there. Indentation, blanks around `;`, `{` and `}`,
//! blank lines and line ends are put in order; blanks between words and before comments are the author's, who may
//! have aligned them. The tree that is read from the result is the same.

use std::ops::Range;

use pest::Parser;

use super::SourceId;
use super::grammar::{Grammar, Rule};
use super::parse::parse;
use super::scan::{Item, ItemKind, scan};
use crate::diagnostic::Diagnostic;

const INDENT: &str = "    ";

/// Lays out a text. One with errors is left alone: they are returned, with places in a source of the number 0.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let (_, diagnostics) = parse(SourceId(0), text);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let scanned = scan(SourceId(0), &text);
    let mut layout = Layout {
        text: &text,
        out: String::new(),
        depth: 0,
        blank: false,
    };
    for line in scanned.items.split_inclusive(|item| item.kind == ItemKind::Newline) {
        layout.line(line);
    }
    Ok(layout.out)
}

struct Layout<'a> {
    text: &'a str,
    out: String,
    /// How many blocks are open.
    depth: usize,
    /// A blank line is due, if anything follows that may stand behind one.
    blank: bool,
}

impl Layout<'_> {
    fn line(&mut self, items: &[Item]) {
        let mut items = items
            .iter()
            .filter(|item| !matches!(item.kind, ItemKind::Newline | ItemKind::Semicolon))
            .peekable();
        let Some(first) = items.peek() else {
            // A line with nothing but `;` is no blank line, it is nothing.
            self.blank = !self.out.is_empty() && !self.out.ends_with("{\n");
            return;
        };
        if self.blank && first.kind != ItemKind::Close {
            self.out.push('\n');
        }
        self.blank = false;
        let closed = items.clone().take_while(|item| item.kind == ItemKind::Close).count();
        let indent = self.depth.saturating_sub(closed);
        self.out.push_str(&INDENT.repeat(indent));
        let mut before: Option<&Item> = None;
        for item in items {
            self.gap(before, item);
            let written = &self.text[item.start..item.end];
            match item.kind {
                ItemKind::Statement { .. } => self.statement(written, indent),
                ItemKind::Open => {
                    self.depth += 1;
                    self.out.push('{');
                }
                ItemKind::Close => {
                    self.depth = self.depth.saturating_sub(1);
                    self.out.push('}');
                }
                ItemKind::Comment => self.out.push_str(written.trim_end()),
                ItemKind::Newline | ItemKind::Semicolon => {}
            }
            before = Some(item);
        }
        self.out.push('\n');
    }

    /// What stands between two parts of a line.
    fn gap(&mut self, before: Option<&Item>, item: &Item) {
        let Some(before) = before else { return };
        let gap = match (before.kind, item.kind) {
            (_, ItemKind::Comment) => {
                let written = &self.text[before.end..item.start];
                let blanks = written.len() - written.trim_end_matches([' ', '\t']).len();
                self.out.push_str(&" ".repeat(blanks.max(1)));
                return;
            }
            (ItemKind::Open, ItemKind::Close) => "",
            (ItemKind::Close, ItemKind::Statement { .. })
                if !is_else(&self.text[item.start..item.end]) || self.separated(before, item) =>
            {
                "; "
            }
            (ItemKind::Statement { .. }, ItemKind::Statement { .. }) => "; ",
            _ => " ",
        };
        self.out.push_str(gap);
    }

    /// Whether a `;` was written between the two.
    fn separated(&self, before: &Item, item: &Item) -> bool {
        self.text[before.end..item.start].contains(';')
    }

    /// A statement as written; its further lines are indented where they are not in quotes.
    fn statement(&mut self, written: &str, indent: usize) {
        if !written.contains('\n') {
            self.out.push_str(written);
            return;
        }
        let quoted = quoted_parts(written);
        let mut at = 0;
        for line in written.split_inclusive('\n') {
            let end = at + line.len();
            let inside = |place: usize| quoted.iter().any(|part| part.start < place && place < part.end);
            let text = if at > 0 && !inside(at) {
                let text = line.trim_start_matches([' ', '\t']);
                let more = usize::from(!text.starts_with(']'));
                if !text.trim_end().is_empty() {
                    self.out.push_str(&INDENT.repeat(indent + more));
                }
                text
            } else {
                line
            };
            match text.strip_suffix('\n') {
                // The end of this line is in quotes when the start of the next is.
                Some(body) if !inside(end) => {
                    self.out.push_str(body.trim_end_matches([' ', '\t']));
                    self.out.push('\n');
                }
                _ => self.out.push_str(text),
            }
            at = end;
        }
    }
}

/// Where the quoted texts of a statement are.
fn quoted_parts(statement: &str) -> Vec<Range<usize>> {
    let Ok(pairs) = Grammar::parse(Rule::head, statement) else {
        // Formatted texts have no errors; were this one wrong, all of it would stay as it is.
        return std::iter::once(0..statement.len()).collect();
    };
    pairs
        .flatten()
        .filter(|pair| matches!(pair.as_rule(), Rule::single | Rule::double))
        .map(|pair| pair.as_span().start()..pair.as_span().end())
        .collect()
}

fn is_else(statement: &str) -> bool {
    statement.split([' ', '\t', '\\']).next() == Some("else")
}
