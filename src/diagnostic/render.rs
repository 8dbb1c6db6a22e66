//! Draws diagnostics for people: the long form with the lines in question, the short form one line each.
//!
//! Sources may hold anything: control characters never reach the terminal as they are, and of a long line only
//! the part around the place is shown.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::excerpt::{Lines, excerpts};
use super::{Diagnostic, Severity};
use crate::syntax::Sources;

/// So many are drawn: a file that has more is hardly a recipe, and nobody mends them all at once.
const DRAWN: usize = 50;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderStyle {
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// `file:line:col: error[Z001]: message` instead of pictures.
    pub short: bool,
}

/// In the order of the sources and of the places in them; those without a place first. The short form gives all, the
/// long one as many as anybody reads.
pub fn render_all(diagnostics: &[Diagnostic], sources: &Sources, style: &RenderStyle) -> String {
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|problem| problem.primary.as_ref().map(|(span, _)| (span.source, span.start)));
    let lines: Vec<Lines<'_>> = sources.iter().map(|(_, source)| Lines::of(&source.text)).collect();
    let mut out = String::new();
    let drawn = if style.short { ordered.len() } else { DRAWN };
    let more = ordered.len().saturating_sub(drawn);
    for problem in ordered.into_iter().take(drawn) {
        if style.short {
            out.push_str(&short(problem, sources, &lines));
            out.push('\n');
        } else {
            out.push_str(&long(problem, sources, &lines, style));
            out.push_str("\n\n");
        }
    }
    if more > 0 {
        out.push_str(&format!("… and {more} more (`zdt check RECIPE --short` lists all)\n"));
    } else if !style.short && out.ends_with("\n\n") {
        out.pop();
    }
    out
}

/// `2 errors, 1 warning`, or nothing for nothing.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|problem| problem.severity == severity)
            .count()
    };
    let parts: Vec<String> = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{number} {name}{}", if number == 1 { "" } else { "s" }))
        .collect();
    parts.join(", ")
}

fn short(problem: &Diagnostic, sources: &Sources, lines: &[Lines<'_>]) -> String {
    let level = level_word(problem.severity);
    let message = clean(&problem.message);
    match &problem.primary {
        Some((span, _)) => {
            let (line, column) = lines[span.source.0 as usize].line_column(span.start);
            let name = clean(&sources.get(span.source).name);
            format!("{name}:{line}:{column}: {level}[{}]: {message}", problem.code)
        }
        None => format!("{level}[{}]: {message}", problem.code),
    }
}

fn long(problem: &Diagnostic, sources: &Sources, lines: &[Lines<'_>], style: &RenderStyle) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(clean(&problem.message)).id(problem.code.0));
    let primary = problem
        .primary
        .iter()
        .map(|(span, label)| (AnnotationKind::Primary, *span, label.as_str()));
    let secondary = problem
        .secondary
        .iter()
        .map(|(span, label)| (AnnotationKind::Context, *span, label.as_str()));
    let places: Vec<_> = primary.chain(secondary).collect();
    // Where a line was cut at its beginning, the column that is drawn must be put right.
    let mut columns = Vec::new();
    for excerpt in excerpts(&places, lines, style.width) {
        let name = clean(&sources.get(excerpt.source).name);
        let (line, shown, real) = excerpt.place;
        if shown != real {
            columns.push((format!("{name}:{line}:{shown}\n"), format!("{name}:{line}:{real}\n")));
        }
        let marks = excerpt.marks.into_iter().map(|mark| {
            let annotation = mark.kind.span(mark.range);
            match mark.label {
                "" => annotation,
                label => annotation.label(clean(label)),
            }
        });
        group = group.element(
            Snippet::source(excerpt.text)
                .path(name)
                .line_start(excerpt.line_start)
                .annotations(marks),
        );
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let drawn = renderer
        .decor_style(DecorStyle::Ascii)
        .term_width(style.width.max(40))
        .render(&[group]);
    columns
        .iter()
        .fold(drawn, |drawn, (shown, real)| drawn.replacen(shown, real, 1))
}

fn level_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A message or a name, as one line that says what it says on any terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => ' ',
            _ => clean_char(character),
        })
        .collect()
}

/// Control characters, and those that turn text around or cannot be seen, are replaced; not `\n` and `\t`.
pub(super) fn clean_char(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{fffd}',
        _ => character,
    }
}
