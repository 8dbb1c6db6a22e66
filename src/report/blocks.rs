//! What stands below a step or at the end of a run: failures, findings, and how everything stands.

use super::line::indent;
use super::screen::Sheet;
use super::text::{blanks, clean, cut, cut_front, fold, pad, width, wrap};
use crate::drivers::Failure;
use crate::exec::{Finding, Standing};

/// Notes shown of one failure, the last ones: what went wrong stands at the end of a log. All of them are in the journal.
const NOTES: usize = 20;
/// Lines of the screen that one note may take.
const FOLDS: usize = 4;

/// Where in the recipe it was asked for.
pub(super) struct Place<'a> {
    /// `recipes/upgrade.zdt:12`
    pub place: &'a str,
    pub line: &'a str,
}

/// A failure, below the line of its step.
pub(super) fn failure(failure: &Failure, place: Option<Place>, depth: usize, sheet: Sheet) -> String {
    let at = indent(depth) + 2;
    let style = sheet.style;
    let mut out = paragraph(&failure.message, at, sheet, |line| style.failed(line));
    out += &notes(&failure.notes, at, sheet);
    if let Some(help) = &failure.help {
        out += &labelled("help:", help, at, sheet);
    }
    if let Some(Place { place, line }) = place.filter(|place| !place.place.is_empty()) {
        let (place, line) = (clean(place), clean(line.trim()));
        let together = width(&place) + width(&line) + 5 <= sheet.room(at);
        let between = if together {
            "  ".to_string()
        } else {
            format!("\n{}", blanks(at + 3))
        };
        out += &format!("{}{} {place}", blanks(at), style.dim("at"));
        if !line.is_empty() {
            let line = cut(&line, sheet.room(at + 3));
            out = out + &between + &style.place(&line);
        }
        out.push('\n');
    }
    out
}

fn notes(notes: &[String], at: usize, sheet: Sheet) -> String {
    let lines: Vec<String> = notes.iter().flat_map(|note| note.lines()).map(clean).collect();
    let left_out = lines.len().saturating_sub(NOTES);
    let mut out = String::new();
    let mut put = |text: &str| out += &format!("{}{} {text}\n", blanks(at), sheet.style.dim("│"));
    if left_out > 0 {
        let earlier = crate::count(left_out, "earlier line");
        put(&sheet.style.dim(&format!("… {earlier} in the journal")));
    }
    for line in &lines[left_out..] {
        let mut parts = fold(line, sheet.room(at + 2));
        if parts.len() > FOLDS {
            parts.truncate(FOLDS - 1);
            parts.push("…".to_string());
        }
        parts.iter().for_each(|part| put(part));
    }
    out
}

/// Something the preflight found.
pub(super) fn finding(finding: &Finding, depth: usize, sheet: Sheet) -> String {
    let text = format!("{} [{}]", finding.message, finding.code);
    let mut out = warning(&text, depth, sheet);
    if let Some(help) = &finding.help {
        out += &labelled("help:", help, indent(depth) + 2, sheet);
    }
    out
}

pub(super) fn warning(text: &str, depth: usize, sheet: Sheet) -> String {
    let style = sheet.style;
    marked("!", text, indent(depth), sheet, |text| style.warning(text))
}

/// Text that may take several lines, all of them indented.
pub(super) fn paragraph(text: &str, at: usize, sheet: Sheet, paint: impl Fn(&str) -> String) -> String {
    let lines = text.lines().flat_map(|line| wrap(&clean(line), sheet.room(at)));
    lines.map(|line| format!("{}{}\n", blanks(at), paint(&line))).collect()
}

/// The same behind a word that belongs to it: `help: …`.
pub(super) fn labelled(label: &str, text: &str, at: usize, sheet: Sheet) -> String {
    let paint = |text: &str| text.to_string();
    let body = paragraph(text, at + width(label) + 1, sheet, paint);
    format!("{}{} {}", blanks(at), sheet.style.heading(label), body.trim_start())
}

fn marked(mark: &str, text: &str, at: usize, sheet: Sheet, paint: impl Fn(&str) -> String) -> String {
    let body = paragraph(text, at + 2, sheet, &paint);
    format!("{}{} {}", blanks(at), paint(mark), body.trim_start())
}

/// Columns of the word for a backend's health.
pub(super) const HEALTH: usize = "unhealthy".len();

/// That word; where there is no container there is nothing to be healthy.
pub(super) fn health(healthy: Option<bool>, there: bool, stopped: bool, sheet: Sheet) -> String {
    let style = sheet.style;
    match healthy {
        _ if stopped => style.failed(&pad("stopped", HEALTH)),
        Some(true) => style.done(&pad("healthy", HEALTH)),
        Some(false) if there => style.failed(&pad("unhealthy", HEALTH)),
        None if there => style.warning(&pad("unknown", HEALTH)),
        _ => style.dim(&pad("-", HEALTH)),
    }
}

/// Every backend, what it runs, and whether users reach it.
pub(super) fn standing(backends: &[Standing], sheet: Sheet) -> String {
    let style = sheet.style;
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = longest(&mut backends.iter().map(|one| width(&one.backend))).max("backend".len());
    // The two last columns and the blanks between all of them.
    let room = sheet.room(2 + names + 2 + 2 + HEALTH + 2 + "traffic".len());
    let image = |one: &Standing| cut_front(one.image.as_deref().unwrap_or("no container"), room);
    let images = longest(&mut backends.iter().map(|one| width(&image(one)))).max("image".len());
    let head = format!(
        "  {}  {}  {}  traffic\n",
        pad("backend", names),
        pad("image", images),
        pad("health", HEALTH)
    );
    let mut out = style.dim(head.trim_end()) + "\n";
    for one in backends {
        let health = health(one.healthy, one.image.is_some(), one.stopped, sheet);
        let traffic = match one.enabled {
            Some(true) => style.done("serves"),
            Some(false) => style.warning("none"),
            None => style.warning("unknown"),
        };
        let (name, image) = (pad(&clean(&one.backend), names), pad(&clean(&image(one)), images));
        out += &format!("  {name}  {image}  {health}  {traffic}\n");
    }
    out
}
