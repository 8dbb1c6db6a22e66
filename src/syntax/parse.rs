//! One text to its tree and everything that is wrong with it.

use super::ast::Script;
use super::build::Builder;
use super::scan::scan;
use super::{SourceId, Span};
use crate::diagnostic::{Code, Diagnostic};

/// The largest text that is read, in bytes.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// More findings than this in one text help nobody.
const MAX_DIAGNOSTICS: usize = 1000;

/// Reads a text. What is understood is returned, also when there are errors; these come in the order of the text.
pub fn parse(id: SourceId, text: &str) -> (Script, Vec<Diagnostic>) {
    if let Some(problem) = refuse(id, text) {
        return (Script::default(), vec![problem]);
    }
    let scanned = scan(id, text);
    let mut builder = Builder::new(id, text, &scanned);
    let script = builder.script();
    let mut diagnostics = builder.finish();
    diagnostics.extend(scanned.diagnostics);
    diagnostics.sort_by_key(|problem| problem.primary.as_ref().map(|(span, _)| span.start));
    if diagnostics.len() > MAX_DIAGNOSTICS {
        diagnostics.truncate(MAX_DIAGNOSTICS);
        diagnostics.push(
            Diagnostic::error(
                Code::SIZE,
                format!("more errors follow; these are the first {MAX_DIAGNOSTICS}"),
            )
            .at(Span::new(id, text.len(), text.len()), ""),
        );
    }
    (script, diagnostics)
}

/// What is no recipe at all.
fn refuse(id: SourceId, text: &str) -> Option<Diagnostic> {
    if let Some(at) = text.bytes().take(MAX_TEXT).position(|byte| byte == 0) {
        return Some(
            Diagnostic::error(Code::BINARY, "not a text file: it holds a NUL byte")
                .at(Span::new(id, at, at + 1), "the first one")
                .help("name a recipe, a text in UTF-8"),
        );
    }
    (text.len() > MAX_TEXT).then(|| {
        Diagnostic::error(
            Code::SIZE,
            format!(
                "the text has {} bytes, more than the {MAX_TEXT} that are read",
                text.len()
            ),
        )
        .at(Span::new(id, 0, 0), "")
        .help("data belongs in a file of its own, to be copied or mounted")
    })
}
