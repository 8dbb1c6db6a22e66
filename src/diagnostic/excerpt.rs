//! The few lines of a source that a diagnostic is about, cut to what can be shown.

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::AnnotationKind;

use super::render::clean_char;
use crate::syntax::{SourceId, Span};

/// Where the lines of a text begin, so that a thousand places in a large text are found fast.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    /// The line that `at` is in, from 0.
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at) - 1
    }

    /// Line and column of `at`, both from 1, columns in characters.
    pub(super) fn line_column(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let column = self.text[self.starts[line]..at].chars().count();
        (line + 1, column + 1)
    }

    /// A line without its end.
    fn range(&self, line: usize) -> Range<usize> {
        let start = self.starts[line];
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let text = self.text[start..end].trim_end_matches('\r');
        start..start + text.len()
    }
}

/// What is shown of one source: the lines with marks and those between them.
pub(super) struct Excerpt<'a> {
    pub source: SourceId,
    pub text: String,
    /// The number of the first line, from 1.
    pub line_start: usize,
    pub marks: Vec<Mark<'a>>,
    /// Where the first mark stands: the line, the column in `text`, the column in the source.
    pub place: (usize, usize, usize),
}

pub(super) struct Mark<'a> {
    pub kind: AnnotationKind,
    /// In bytes of the excerpt's text.
    pub range: Range<usize>,
    pub label: &'a str,
}

/// A place, before it is cut.
type Place<'a> = (AnnotationKind, Span, &'a str);

/// The excerpts for these places: one for each source, in the order in which they come first.
/// A place of several lines is marked on its first one.
pub(super) fn excerpts<'a>(places: &[Place<'a>], lines: &[Lines<'_>], width: usize) -> Vec<Excerpt<'a>> {
    let mut order: Vec<SourceId> = Vec::new();
    for (_, span, _) in places {
        if !order.contains(&span.source) {
            order.push(span.source);
        }
    }
    order
        .into_iter()
        .map(|source| {
            let here: Vec<Place<'a>> = places
                .iter()
                .filter(|(_, span, _)| span.source == source)
                .copied()
                .collect();
            excerpt(source, &here, &lines[source.0 as usize], width)
        })
        .collect()
}

fn excerpt<'a>(source: SourceId, places: &[Place<'a>], lines: &Lines<'_>, width: usize) -> Excerpt<'a> {
    let mut by_line: BTreeMap<usize, Vec<Place<'a>>> = BTreeMap::new();
    for place in places {
        by_line.entry(lines.line(place.1.start)).or_default().push(*place);
    }
    let focus = places.first().map_or(0, |(_, span, _)| span.start);
    let line_start = by_line.keys().next().copied().unwrap_or(0) + 1;
    let mut excerpt = Excerpt {
        source,
        text: String::new(),
        line_start,
        marks: Vec::new(),
        place: (0, 0, 0),
    };
    let mut previous: Option<usize> = None;
    for (line, places) in by_line {
        if let Some(previous) = previous {
            // Far apart, the lines between are not shown: they only need to be counted.
            for between in previous + 1..line {
                excerpt.text.push('\n');
                if line - previous <= 3 {
                    excerpt.add_line(lines, between, lines.range(between).start, width, &[]);
                }
            }
            excerpt.text.push('\n');
        }
        previous = Some(line);
        let at = places.first().map_or(0, |(_, span, _)| span.start);
        excerpt.add_line(lines, line, at, width, &places);
        if lines.line(focus) == line {
            let (number, column) = lines.line_column(focus);
            excerpt.place = (number, excerpt.shown_column(focus, &places), column);
        }
    }
    excerpt
}

impl<'a> Excerpt<'a> {
    /// Appends a line, cut around `focus` when it is much longer than the terminal is wide, with its marks.
    fn add_line(&mut self, lines: &Lines<'_>, line: usize, focus: usize, width: usize, places: &[Place<'a>]) {
        let whole = lines.range(line);
        let room = width.max(40);
        let focus = focus.min(whole.end);
        let start = step_back(lines.text, whole.start, focus, room);
        let end = step_forward(lines.text, focus, whole.end, room);
        // Where each byte of the source came to stand in the cleaned text.
        let mut stands = vec![0; end - start + 1];
        if start > whole.start {
            self.text.push('…');
        }
        for (at, character) in lines.text[start..end].char_indices() {
            stands[at..at + character.len_utf8()].fill(self.text.len());
            self.text.push(clean_char(character));
        }
        stands[end - start] = self.text.len();
        if end < whole.end {
            self.text.push('…');
        }
        for (kind, span, label) in places {
            let from = stands[span.start.clamp(start, end) - start];
            let to = stands[span.end.clamp(start, end) - start];
            self.marks.push(Mark {
                kind: *kind,
                range: from..to.max(from),
                label,
            });
        }
    }

    /// The column of the line just added in which the mark for `focus` begins.
    fn shown_column(&self, focus: usize, places: &[Place<'a>]) -> usize {
        let index = places.iter().position(|(_, span, _)| span.start == focus).unwrap_or(0);
        let first = self.marks.len() - places.len();
        let at = self.marks[first + index].range.start;
        let begin = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        self.text[begin..at].chars().count() + 1
    }
}

/// At most `count` characters back from `from`, not before `limit`; all the way where the rest is short.
fn step_back(text: &str, limit: usize, from: usize, count: usize) -> usize {
    let before = &text[limit..from];
    match before.char_indices().rev().nth(count) {
        Some((at, _)) if before[..at].chars().count() > count => limit + at,
        _ => limit,
    }
}

/// At most `count` characters on from `from`, not beyond `limit`.
fn step_forward(text: &str, from: usize, limit: usize, count: usize) -> usize {
    text[from..limit]
        .char_indices()
        .nth(count)
        .map_or(limit, |(at, _)| from + at)
}
