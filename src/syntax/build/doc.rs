//! Doc comments.

use super::Builder;
use crate::syntax::scan::{Item, ItemKind};

impl Builder<'_> {
    /// `##` lines at the top, before a blank line; those directly above a declaration are left to it.
    pub(super) fn top_doc(&self) -> Option<String> {
        let items = self
            .scanned
            .items
            .iter()
            .filter(|item| item.kind != ItemKind::Semicolon);
        let doc_of = |item: &Item| match item.kind {
            ItemKind::Comment => doc_line(&self.text[item.start..item.end]),
            _ => None,
        };
        let mut items = items
            .skip_while(|item| match item.kind {
                ItemKind::Newline => true,
                ItemKind::Comment => doc_of(item).is_none(),
                _ => false,
            })
            .peekable();
        let mut lines = Vec::new();
        while let Some(line) = items.peek().and_then(|item| doc_of(item)) {
            lines.push(line);
            items.next();
            items.next_if(|item| item.kind == ItemKind::Newline);
        }
        let declared = items.peek().is_some_and(|item| {
            matches!(item.kind, ItemKind::Statement { .. })
                && matches!(self.first_word(**item), "param" | "task" | "def")
        });
        (!lines.is_empty() && !declared).then(|| lines.join("\n"))
    }
}

/// The text of a `##` line; a line of more `#` is an ornament.
pub(super) fn doc_line(comment: &str) -> Option<&str> {
    let rest = comment.strip_prefix("##")?;
    if rest.is_empty() {
        return Some(rest);
    }
    Some(rest.strip_prefix([' ', '\t'])?.trim_end())
}
