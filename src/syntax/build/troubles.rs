//! The wording of what is wrong with statements that the grammar could read.

use super::{Builder, shown_word};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::Span;
use crate::syntax::ast::{Name, StatementKind};
use crate::syntax::scan::{Item, ItemKind};

/// The types a param can have.
const TYPES: [&str; 8] = ["path", "duration", "size", "percent", "int", "bool", "list", "string"];

/// Statements that take a block; for "did you mean".
const BLOCK_WORDS: [&str; 8] = ["task", "def", "for", "if", "else", "retry", "timeout", "finally"];

/// Reserved: verbs that take a block in a later release.
const LATER_WITH_BLOCK: [&str; 2] = ["parallel", "watch"];

impl Builder<'_> {
    pub(super) fn check_type(&mut self, kind: &Name) {
        if TYPES.contains(&kind.text.as_str()) {
            return;
        }
        let problem = Diagnostic::error(Code::TYPE, format!("unknown type `{}`", kind.text)).at(kind.span, "");
        self.report(match near(&kind.text, &TYPES) {
            Some(name) => problem.help(format!("did you mean `{name}`?")),
            None => problem.help(format!("the types are {}", list_of(&TYPES))),
        });
    }

    /// A block behind a statement that takes none.
    pub(super) fn block_not_wanted(&mut self, span: Span, kind: &StatementKind, block: Span) {
        let open = Span {
            end: block.start + 1,
            ..block
        };
        let name = shown_word(&self.text[span.start..span.end]);
        if let StatementKind::Command(command) = kind
            && LATER_WITH_BLOCK.contains(&command.name.text.as_str())
        {
            self.report(Diagnostic::not_yet(&command.name));
            return;
        }
        let problem = Diagnostic::error(Code::MISPLACED, format!("`{name}` takes no block")).at(open, "");
        self.report(match near(name, &BLOCK_WORDS) {
            Some(word) => problem.help(format!("did you mean `{word}`?")),
            None => problem.help("put the statements on lines of their own; quote a `{` that is just a character"),
        });
    }

    /// A statement without the block it needs.
    pub(super) fn block_missing(&mut self, item: Item) {
        let found = match self.peek().map(|next| next.kind) {
            Some(ItemKind::Semicolon) => "`;`",
            Some(ItemKind::Close) => "`}`",
            Some(_) => "the end of the line",
            None => "the end of the text",
        };
        if self.scanned.stopped && self.peek().is_none() {
            return;
        }
        let word = self.first_word(item);
        self.report(
            Diagnostic::error(
                Code::UNEXPECTED,
                format!("expected `{{` behind `{word}`, found {found}"),
            )
            .at(self.span(item.start, item.end), "")
            .help("its statements follow in `{ }`, which begins on the same line"),
        );
    }
}

/// The nearest of `names`, if one is near enough to be meant.
fn near<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), *name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn list_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
