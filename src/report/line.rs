//! The line of one step: mark, title, facts, time, laid out for a width.
//!
//! Facts begin in one column down the whole run, so that an eye can follow them. Where they do not fit beside the title
//! they go below it; they are never cut.

use std::time::Duration;

use super::screen::Sheet;
use super::text::{BETWEEN, blanks, clean, cut, pad, took, width, wrap_facts};

/// What the mark at the line's beginning says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    Done,
    Failed,
    /// A dry run would do it.
    Planned,
    /// Done by an earlier run.
    Skipped,
    /// Taken back.
    Undone,
}

pub(super) struct Line<'a> {
    pub mark: Mark,
    pub title: &'a str,
    /// Facts, with ` · ` between them.
    pub detail: &'a str,
    pub took: Option<Duration>,
    pub depth: usize,
}

/// Times end here on a screen that is wider: an eye must find its way from the title.
const FURTHEST: usize = 110;
/// The longest time, and two blanks before it.
const TIME: usize = 7;
/// Facts stay beside a title while there is this much room, also when they have to be wrapped.
const ENOUGH: usize = 30;
/// Loops in tasks in tasks: deeper ones are not indented further.
const DEEPEST: usize = 5;

pub(super) fn indent(depth: usize) -> usize {
    2 + 2 * depth.min(DEEPEST)
}

/// Where facts begin.
fn column(width: usize) -> usize {
    match width {
        0..70 => 29,
        70..100 => 32,
        _ => 42,
    }
}

impl Line<'_> {
    pub fn draw(&self, sheet: Sheet) -> String {
        let right = (sheet.width - 1).min(FURTHEST);
        let start = indent(self.depth) + 2;
        let time = self.took.map(took).unwrap_or_default();
        let kept = if time.is_empty() { 0 } else { width(&time) + 2 };
        let title = self.title(right.saturating_sub(start + kept), sheet.bounded);

        let beside = column(sheet.width).max(start + width(&title) + 2);
        let room = right.saturating_sub(beside + TIME);
        let detail = clean(self.detail);
        let longest = detail.split(BETWEEN).map(width).max().unwrap_or(0);
        let (mut facts, at) = match sheet.bounded {
            false => (vec![detail], beside),
            true => {
                let facts = wrap_facts(&detail, room);
                let fits = longest <= room && facts.len() <= 2;
                if fits || room >= ENOUGH {
                    (facts, beside)
                } else {
                    let mut facts = wrap_facts(&detail, right.saturating_sub(start + 2));
                    facts.insert(0, String::new());
                    (facts, start + 2)
                }
            }
        };
        let below = facts.split_off(1);
        let mut head = format!("{}{title}", blanks(start));
        if let Some(fact) = facts.first().filter(|fact| !fact.is_empty()) {
            head = pad(&head, beside) + fact;
        }
        let mut out = self.dressed(&head, start, sheet);
        if !time.is_empty() {
            let gap = right.saturating_sub(width(&head) + width(&time)).max(2);
            out = out + &blanks(gap) + &sheet.style.dim(&time);
        }
        out.push('\n');
        for fact in below {
            out = out + &blanks(at) + &fact + "\n";
        }
        out
    }

    /// The title on one line. A log keeps all of it.
    fn title(&self, room: usize, bounded: bool) -> String {
        let title = clean(self.title);
        if bounded { cut(&title, room) } else { title }
    }

    /// Puts the mark into the blanks before the title, and colour on what deserves it.
    fn dressed(&self, head: &str, start: usize, sheet: Sheet) -> String {
        let style = sheet.style;
        let (before, rest) = (blanks(start - 2), &head[start..]);
        match self.mark {
            Mark::Done => format!("{before}{} {rest}", style.done("✓")),
            Mark::Failed => format!("{before}{} {}", style.failed("✗"), style.failed(rest)),
            Mark::Planned => format!("{before}{} {rest}", style.dim("·")),
            Mark::Skipped => before + &style.dim(&format!("- {rest}")),
            Mark::Undone => format!("{before}{} {rest}", style.done("↶")),
        }
    }
}
