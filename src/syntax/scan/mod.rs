//! Cuts a text into statements, blocks and comments, and finds what is wrong with its characters.
//!
//! This runs before the grammar sees anything. It knows just enough of words to tell where a statement ends, so that
//! each statement can be parsed on its own and one bad statement hides no other. Whatever is unclosed, unquoted or
//! nested too deep is reported here; the characters in question are remembered as `patches`, so that the rest
//! of such a statement can still be understood. One pass, each byte is looked at a bounded number of times.

mod characters;
mod quoted;
mod statement;
mod troubles;

use super::{SourceId, Span};
use crate::diagnostic::{Code, Diagnostic};

/// Blocks, conditions and `$( )` are nested at most this deep.
pub(super) const MAX_DEPTH: usize = 64;

/// One part of a text, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub kind: ItemKind,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// A statement without its block; `sound` is false when something in it was reported already.
    Statement { sound: bool },
    /// `{`
    Open,
    /// `}`
    Close,
    /// The end of a line.
    Newline,
    /// `;`
    Semicolon,
    /// From `#` to the end of the line.
    Comment,
}

/// What a text falls into.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub items: Vec<Item>,
    pub diagnostics: Vec<Diagnostic>,
    /// Byte ranges that must be replaced by `_` before the grammar may see them, in order.
    pub patches: Vec<(usize, usize)>,
    /// Where reading was given up, because blocks are nested too deep.
    pub stopped: bool,
}

pub(super) fn scan(id: SourceId, text: &str) -> Scanned {
    let mut scanner = Scanner::new(id, text);
    scanner.text();
    scanner.out
}

struct Scanner<'a> {
    id: SourceId,
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
    out: Scanned,
    /// How many blocks are open.
    depth: usize,
    /// How many `$(` are open.
    outputs: usize,
    /// False once a quote of that kind was found to have no end: then those that follow must end on their line.
    double_spans_lines: bool,
    single_spans_lines: bool,
    /// A quoted text over several lines that ends right before a letter: there a quote is likely missing.
    suspect: Option<(usize, u8)>,
}

impl<'a> Scanner<'a> {
    fn new(id: SourceId, text: &'a str) -> Self {
        Self {
            id,
            text,
            bytes: text.as_bytes(),
            pos: if text.starts_with('\u{feff}') { 3 } else { 0 },
            out: Scanned::default(),
            depth: 0,
            outputs: 0,
            double_spans_lines: true,
            single_spans_lines: true,
            suspect: None,
        }
    }

    fn text(&mut self) {
        while let Some(byte) = self.peek() {
            let start = self.pos;
            match byte {
                b' ' | b'\t' => self.pos += 1,
                b'\\' if self.continuation().is_some() => {
                    self.pos += self.continuation().unwrap_or(1);
                }
                b'\n' => self.item(ItemKind::Newline, start, start + 1),
                b'\r' if self.byte(start + 1) == Some(b'\n') => {
                    self.item(ItemKind::Newline, start, start + 2);
                }
                b';' => self.item(ItemKind::Semicolon, start, start + 1),
                b'#' => {
                    let end = self.line_end(start);
                    self.item(ItemKind::Comment, start, end);
                }
                b'{' => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        let problem = self.too_deep(start, "blocks");
                        self.report(problem);
                        self.out.stopped = true;
                        return;
                    }
                    self.item(ItemKind::Open, start, start + 1);
                }
                b'}' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.item(ItemKind::Close, start, start + 1);
                }
                _ => self.statement(),
            }
        }
    }

    /// Appends an item and goes on behind it.
    fn item(&mut self, kind: ItemKind, start: usize, end: usize) {
        self.out.items.push(Item { kind, start, end });
        self.pos = end;
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.pos)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The length of a backslash with its line end, when there is one here.
    fn continuation(&self) -> Option<usize> {
        match (self.byte(self.pos + 1), self.byte(self.pos + 2)) {
            (Some(b'\n'), _) => Some(2),
            (Some(b'\r'), Some(b'\n')) => Some(3),
            _ => None,
        }
    }

    /// Whether a line ends at `at`, or the text.
    fn at_line_end(&self, at: usize) -> bool {
        match self.byte(at) {
            None | Some(b'\n') => true,
            Some(b'\r') => self.byte(at + 1) == Some(b'\n'),
            Some(_) => false,
        }
    }

    /// The end of the line that `from` is in, without the line's own end.
    fn line_end(&self, from: usize) -> usize {
        match self.text[from..].find('\n') {
            Some(0) => from,
            Some(length) if self.bytes[from + length - 1] == b'\r' => from + length - 1,
            Some(length) => from + length,
            None => self.bytes.len(),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    fn report(&mut self, problem: Diagnostic) {
        self.out.diagnostics.push(problem);
    }

    fn too_deep(&self, at: usize, what: &str) -> Diagnostic {
        Diagnostic::error(Code::DEPTH, format!("{what} nested more than {MAX_DEPTH} deep"))
            .at(self.span(at, at + 1), "the first one too deep")
            .help("move the inner part into a `def` or `task` of its own")
    }
}
