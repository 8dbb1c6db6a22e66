//! The steps of a dry run: every command and every changed line, whole. A plan that hides something is no plan.

use super::line::{Line, Mark, indent};
use super::screen::Sheet;
use super::text::{blanks, clean};
use crate::exec::{Change, FactSource};

/// The first line of a dry run.
pub(super) fn source(facts: FactSource) -> &'static str {
    match facts {
        FactSource::Live => "dry run: facts from the engine, live",
        FactSource::State => "dry run: facts from zdt's own notes (the engine does not answer)",
        FactSource::Assumed => "dry run: facts assumed (no engine answers and nothing is written down)",
    }
}

pub(super) fn planned(title: &str, note: &str, changes: &[Change], depth: usize, sheet: Sheet) -> String {
    let line = Line {
        mark: Mark::Planned,
        title,
        detail: note,
        took: None,
        depth,
    };
    let mut out = line.draw(sheet);
    for change in changes {
        out += &draw(change, indent(depth) + 4, sheet);
    }
    out
}

fn draw(change: &Change, at: usize, sheet: Sheet) -> String {
    let (style, before) = (sheet.style, blanks(at));
    match change {
        // A command of several lines stays one that can be copied.
        Change::Command { line } => {
            let lines = line.lines().map(|line| style.command(&clean(line)));
            let joined = lines.collect::<Vec<_>>().join(&format!("\n{before}  "));
            format!("{before}{} {joined}\n", style.dim("$"))
        }
        Change::File { path, diff } => {
            let mut out = format!("{before}{}\n", style.heading(&clean(path)));
            for line in diff.lines() {
                out += &format!("{before}  {}\n", diff_line(&clean(line), sheet));
            }
            out
        }
    }
}

fn diff_line(line: &str, sheet: Sheet) -> String {
    let style = sheet.style;
    match line.as_bytes().first() {
        _ if line.starts_with("+++") || line.starts_with("---") || line.starts_with("@@") => style.dim(line),
        Some(b'+') => style.added(line),
        Some(b'-') => style.removed(line),
        Some(_) | None => line.to_string(),
    }
}
