//! One event as a row of the page, with a bar that shows when it was in the whole of the run.

use std::time::{Duration, SystemTime};

use super::{Escaped, Span};
use crate::drivers::Failure;
use crate::exec::{Change, Event};
use crate::report::lines::policy_words;
use crate::report::text::{BETWEEN, took};

/// What a row says beside its bar.
struct Row<'a> {
    class: &'static str,
    mark: &'static str,
    title: &'a str,
    detail: &'a str,
    depth: usize,
    /// When it ended and how long it took.
    time: Option<(SystemTime, Duration)>,
}

impl Row<'_> {
    fn draw(&self, span: Span, more: &str) -> String {
        let time = self.time.map(|(_, time)| took(time)).unwrap_or_default();
        let bar = self.time.map(|(end, time)| {
            let width = span.share(time).max(0.4);
            let left = (span.at(end) - width).clamp(0.0, 100.0 - width);
            format!("<i style=\"left:{left:.2}%;width:{width:.2}%\"></i>")
        });
        format!(
            "<div class=\"row {}\" style=\"--depth:{}\"><b>{}</b><span class=title>{}</span><span class=detail>{}</span>\
             <span class=bar>{}</span><span class=time>{time}</span>{more}</div>\n",
            self.class,
            self.depth.min(5),
            self.mark,
            Escaped(self.title),
            Escaped(self.detail),
            bar.unwrap_or_default(),
        )
    }
}

/// `depth` is that of what stands before, for events that have none of their own.
pub(super) fn step(event: &Event, depth: usize, end: SystemTime, span: Span) -> String {
    let row = |class, mark, (title, detail): (&str, &str), depth, took: Option<&Duration>, more: &str| {
        let time = took.map(|took| (end, *took));
        Row {
            class,
            mark,
            title,
            detail,
            depth,
            time,
        }
        .draw(span, more)
    };
    match event {
        // The head and the foot of the page, and what has nothing to show yet.
        Event::Started { .. } | Event::Ended { .. } | Event::StepStarted { .. } | Event::Progress { .. } => {
            String::new()
        }
        Event::Preflight { facts, warnings, took } => {
            let facts = facts.join(BETWEEN);
            let mut out = row("done", "✓", ("preflight", &facts), 0, Some(took), "");
            for found in warnings {
                let help = found.help.as_deref().unwrap_or_default();
                let text = format!("{} [{}]", found.message, found.code);
                out += &row("warn", "!", (&text, help), 0, None, "");
            }
            out
        }
        Event::Group { title, depth } => row("group", "", (title, ""), *depth, None, ""),
        Event::StepDone {
            title,
            depth,
            detail,
            took,
            ..
        } => row("done", "✓", (title, detail), *depth, Some(took), ""),
        Event::StepFailed {
            title,
            depth,
            failure,
            place,
            source_line,
            took,
            ..
        } => {
            let at = format!(
                "<p class=dim>at {} <u>{}</u></p>",
                Escaped(place),
                Escaped(source_line.trim())
            );
            let more = why(failure, &at);
            row("failed", "✗", (title, ""), *depth, Some(took), &more)
        }
        Event::Planned {
            title,
            depth,
            note,
            changes,
            ..
        } => {
            let more: String = changes.iter().map(change).collect();
            let more = if more.is_empty() {
                more
            } else {
                format!("<div class=more>{more}</div>")
            };
            row("planned", "·", (title, note), *depth, None, &more)
        }
        Event::Skipped { title, depth, .. } => row("dim", "-", (title, "done before"), *depth, None, ""),
        Event::Said { line, warning: false } => row("said", "", (line, ""), depth, None, ""),
        Event::Said { line, warning: true } | Event::Warned { line } => row("warn", "!", (line, ""), depth, None, ""),
        Event::Policy { policy, reason } => {
            let reason = reason.as_deref().unwrap_or_default();
            row("warn", "!", (policy_words(*policy), reason), 0, None, "")
        }
        Event::Undone { title, detail, took } => row("done", "↶", (title, detail), 0, Some(took), ""),
        Event::UndoFailed { title, failure } => row("failed", "✗", (title, ""), 0, None, &why(failure, "")),
    }
}

fn why(failure: &Failure, at: &str) -> String {
    let mut out = format!("<div class=more><p class=failed>{}</p>", Escaped(&failure.message));
    if !failure.notes.is_empty() {
        out += &format!("<pre>{}</pre>", Escaped(&failure.notes.join("\n")));
    }
    if let Some(help) = &failure.help {
        out += &format!("<p><strong>help:</strong> {}</p>", Escaped(help));
    }
    out + at + "</div>"
}

fn change(change: &Change) -> String {
    match change {
        Change::Command { line } => format!("<pre>$ {}</pre>", Escaped(line)),
        Change::File { path, diff } => {
            let lines = diff.lines().map(|line| {
                let class = match line.as_bytes().first() {
                    Some(b'+') if !line.starts_with("+++") => "added",
                    Some(b'-') if !line.starts_with("---") => "removed",
                    Some(_) | None => "",
                };
                format!("<span class=\"{class}\">{}</span>\n", Escaped(line))
            });
            let lines = lines.collect::<String>();
            format!("<p><code>{}</code></p><pre>{lines}</pre>", Escaped(path))
        }
    }
}

/// A short list with a heading, or nothing for nothing.
pub(super) fn list(heading: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.iter().map(|line| format!("{}\n", Escaped(line)));
    format!("<h2>{heading}</h2>\n<pre>{}</pre>\n", lines.collect::<String>())
}
