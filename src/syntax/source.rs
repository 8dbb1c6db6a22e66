//! The texts a recipe is made of, and places in them.

use std::path::{Path, PathBuf};

/// Which of the loaded texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A range of bytes in one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub source: SourceId,
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        Self { source, start, end }
    }

    /// From the start of `self` to the end of `other` (same text).
    pub fn to(self, other: Span) -> Span {
        Span { end: other.end, ..self }
    }
}

/// One text: its name as shown to people, the folder its relative paths are relative to, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As the user would write it (`recipes/upgrade.zdt`, `-c`, `<stdin>`).
    pub name: String,
    /// Absolute folder for relative paths in this text.
    pub dir: PathBuf,
    pub text: String,
}

/// All texts of one recipe; the first is the one that was named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    pub fn add(&mut self, source: Source) -> SourceId {
        self.list.push(source);
        SourceId(self.list.len() as u32 - 1)
    }

    pub fn get(&self, id: SourceId) -> &Source {
        &self.list[id.0 as usize]
    }

    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.list
            .iter()
            .enumerate()
            .map(|(index, source)| (SourceId(index as u32), source))
    }

    pub fn dir(&self, span: Span) -> &Path {
        &self.get(span.source).dir
    }

    pub fn text(&self, span: Span) -> &str {
        &self.get(span.source).text[span.start..span.end]
    }

    /// Line and column (both from 1, columns in characters) of the start of `span`.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let before = &self.get(span.source).text[..span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}
