//! Puts the parts that the scanner found together: statements with their blocks and doc comments.

mod condition;
mod doc;
mod expected;
mod statement;
mod troubles;
mod word;

use doc::doc_line;

use super::ast::{Block, Script, Statement, StatementKind};
use super::scan::{Item, ItemKind, Scanned};
use super::{SourceId, Span};
use crate::diagnostic::{Code, Diagnostic};

/// A statement as read, still without its block.
enum Head {
    /// It stands alone.
    Complete(StatementKind),
    /// It needs a block.
    WithBlock(BlockHead),
    /// `else` and `else if`, which go on with the `if` before them.
    Else(Option<super::ast::Condition>),
    /// It could not be read; reported.
    Unknown,
}

/// Makes a statement of the block that follows.
type BlockHead = Box<dyn FnOnce(Block) -> StatementKind>;

pub(super) struct Builder<'a> {
    id: SourceId,
    text: &'a str,
    scanned: &'a Scanned,
    /// The next item.
    at: usize,
    /// The next patch.
    patch: usize,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(id: SourceId, text: &'a str, scanned: &'a Scanned) -> Self {
        Self {
            id,
            text,
            scanned,
            at: 0,
            patch: 0,
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    pub(super) fn script(&mut self) -> Script {
        let doc = self.top_doc();
        let mut statements = Vec::new();
        loop {
            statements.append(&mut self.statements());
            match self.next() {
                Some(close) => self.report(
                    Diagnostic::error(Code::BRACE, "`}` closes nothing")
                        .at(self.span(close.start, close.end), "")
                        .help("remove it, or add the `{` that is missing; as a character it stands in quotes"),
                ),
                None => return Script { doc, statements },
            }
        }
    }

    /// Statements up to a `}` or the end of the text; neither is consumed.
    fn statements(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut doc: Vec<&str> = Vec::new();
        // Whether something stands on this line already.
        let mut occupied = false;
        while let Some(item) = self.peek() {
            match item.kind {
                ItemKind::Close => break,
                ItemKind::Newline => {
                    if !occupied {
                        doc.clear();
                    }
                    occupied = false;
                    self.at += 1;
                }
                ItemKind::Semicolon => self.at += 1,
                ItemKind::Comment => {
                    match doc_line(&self.text[item.start..item.end]) {
                        Some(line) if !occupied => doc.push(line),
                        _ => doc.clear(),
                    }
                    occupied = true;
                    self.at += 1;
                }
                ItemKind::Open => {
                    self.at += 1;
                    self.report(
                        Diagnostic::error(Code::MISPLACED, "a block without a statement")
                            .at(self.span(item.start, item.end), "")
                            .help(
                                "a block stands on the line of the statement that it belongs to, as in `task name {`",
                            ),
                    );
                    self.block(item);
                    occupied = true;
                }
                ItemKind::Statement { .. } => {
                    let taken = std::mem::take(&mut doc);
                    let doc = (!taken.is_empty()).then(|| taken.join("\n"));
                    self.one_statement(item, doc, &mut statements);
                    occupied = true;
                    self.expect_separator();
                }
            }
        }
        statements
    }

    fn one_statement(&mut self, item: Item, doc: Option<String>, statements: &mut Vec<Statement>) {
        self.at += 1;
        let head = self.head(item, doc);
        let span = self.span(item.start, item.end);
        let block = self.block_of(item, &head);
        match (head, block) {
            (Head::Complete(kind), None) => statements.push(Statement { span, kind }),
            (Head::Complete(kind), Some(block)) => {
                self.block_not_wanted(span, &kind, block.span);
                statements.push(Statement { span, kind });
            }
            (Head::WithBlock(make), Some(block)) => statements.push(Statement {
                span,
                kind: make(block),
            }),
            (Head::Else(condition), Some(block)) => self.attach_else(span, condition, block, statements),
            (Head::WithBlock(_) | Head::Else(_), None) => self.block_missing(item),
            (Head::Unknown, _) => {}
        }
    }

    /// The block behind a statement, when there is one.
    fn block_of(&mut self, statement: Item, head: &Head) -> Option<Block> {
        let open = self.peek()?;
        if open.kind == ItemKind::Open {
            self.at += 1;
            return Some(self.block(open));
        }
        // A `{` on the next line: surely meant for this statement.
        let wanted = matches!(head, Head::WithBlock(_) | Head::Else(_));
        let mut ahead = self.at;
        while let Some(item) = self.scanned.items.get(ahead) {
            match item.kind {
                ItemKind::Newline | ItemKind::Comment => ahead += 1,
                ItemKind::Open if wanted => {
                    let open = *item;
                    self.at = ahead + 1;
                    self.report(
                        Diagnostic::error(Code::MISPLACED, "`{` stands on a line of its own")
                            .at(self.span(open.start, open.end), "")
                            .also(self.span(statement.end, statement.end), "it belongs here")
                            .help("move the `{` to the end of the statement's line"),
                    );
                    return Some(self.block(open));
                }
                _ => break,
            }
        }
        None
    }

    /// What is in braces; `open` was consumed.
    fn block(&mut self, open: Item) -> Block {
        let statements = self.statements();
        let end = match self.next() {
            Some(close) => close.end,
            None => {
                if !self.scanned.stopped {
                    self.report(
                        Diagnostic::error(Code::BRACE, "`{` is never closed")
                            .at(self.span(open.start, open.end), "opened here")
                            .help("close the block with `}`; as a character it stands in quotes"),
                    );
                }
                self.text.len()
            }
        };
        Block {
            statements,
            span: self.span(open.start, end),
        }
    }

    fn attach_else(
        &mut self,
        span: Span,
        condition: Option<super::ast::Condition>,
        block: Block,
        statements: &mut [Statement],
    ) {
        let before = statements.last_mut().map(|statement| &mut statement.kind);
        match (before, condition) {
            (
                Some(StatementKind::If {
                    branches,
                    otherwise: None,
                }),
                Some(condition),
            ) => branches.push((condition, block)),
            (
                Some(StatementKind::If {
                    otherwise: otherwise @ None,
                    ..
                }),
                None,
            ) => *otherwise = Some(block),
            (Some(StatementKind::If { .. }), _) => self.report(
                Diagnostic::error(Code::MISPLACED, "nothing can follow an `else`")
                    .at(span, "")
                    .help("an `if` has one `else`, and it comes last"),
            ),
            _ => self.report(
                Diagnostic::error(Code::MISPLACED, "`else` without an `if`")
                    .at(span, "")
                    .help("an `else` follows the `}` of an `if`"),
            ),
        }
    }

    /// After a statement: the line ends, or `;`, or the block around it. After a block an `else` may follow.
    fn expect_separator(&mut self) {
        let Some(item) = self.peek() else { return };
        match item.kind {
            ItemKind::Newline | ItemKind::Semicolon | ItemKind::Comment | ItemKind::Close => {}
            ItemKind::Statement { .. } if self.is_else(item) => {}
            // One finding is enough.
            ItemKind::Statement { sound: false } => {}
            ItemKind::Statement { .. } | ItemKind::Open => self.report(
                Diagnostic::error(
                    Code::UNEXPECTED,
                    format!(
                        "expected a new line or `;` after `}}`, found `{}`",
                        self.first_word(item)
                    ),
                )
                .at(self.span(item.start, item.start + self.first_word(item).len()), "")
                .help("put it on a line of its own"),
            ),
        }
    }

    fn is_else(&self, item: Item) -> bool {
        self.first_word(item) == "else"
    }

    /// The first word of a statement, cut to something that can be shown.
    fn first_word(&self, item: Item) -> &'a str {
        shown_word(&self.text[item.start..item.end])
    }

    fn peek(&self) -> Option<Item> {
        self.scanned.items.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Item> {
        let item = self.peek()?;
        self.at += 1;
        Some(item)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    fn report(&mut self, problem: Diagnostic) {
        self.diagnostics.push(problem);
    }
}

/// The first word of `text`, at most 40 characters of it.
fn shown_word(text: &str) -> &str {
    let end = text
        .char_indices()
        .take(41)
        .enumerate()
        .find(|(count, (_, character))| *count == 40 || character.is_whitespace())
        .map_or(text.len(), |(_, (at, _))| at);
    &text[..end]
}
