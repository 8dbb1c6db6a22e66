//! What each event looks like as lines of text.

use super::blocks::{self, Place, paragraph, warning};
use super::ending::Ending;
use super::line::{Line, Mark, indent};
use super::plan_view;
use super::screen::Sheet;
use super::text::{BETWEEN, blanks, clean, cut};
use crate::exec::Event;
use crate::plan::Policy;

/// The lines of one event; none for what is only seen while it lasts. `depth` is that of the lines before.
pub(super) fn lines(event: &Event, depth: usize, dry: bool, sheet: Sheet) -> String {
    let style = sheet.style;
    let step = |mark, title, detail, took, depth| {
        Line {
            mark,
            title,
            detail,
            took,
            depth,
        }
        .draw(sheet)
    };
    match event {
        Event::Started {
            recipe,
            run: _,
            params,
            dry,
        } => {
            let first = dry.map(plan_view::source).unwrap_or_default();
            let name = clean(recipe);
            let params = params.iter().map(|param| format!("  {}", clean(param)));
            let head = style.heading(&name) + &params.collect::<String>();
            paragraph(first, 0, sheet, |line| style.warning(line)) + &head + "\n"
        }
        Event::Preflight { facts, warnings, took } => {
            let facts = facts.join(BETWEEN);
            let found = warnings.iter().map(|warning| blocks::finding(warning, 0, sheet));
            step(Mark::Done, "preflight", &facts, Some(*took), 0) + &found.collect::<String>()
        }
        Event::Group { title, depth } => {
            let title = cut(&clean(title), sheet.room(indent(*depth)));
            format!("{}{}\n", blanks(indent(*depth)), style.heading(&title))
        }
        Event::StepStarted { .. } | Event::Progress { .. } => String::new(),
        Event::StepDone {
            title,
            depth,
            detail,
            took,
            ..
        } => step(Mark::Done, title, detail, Some(*took), *depth),
        Event::StepFailed {
            title,
            depth,
            failure,
            place,
            source_line,
            took,
            ..
        } => {
            let place = Place {
                place,
                line: source_line,
            };
            step(Mark::Failed, title, "", Some(*took), *depth) + &blocks::failure(failure, Some(place), *depth, sheet)
        }
        Event::Planned {
            title,
            depth,
            note,
            changes,
            ..
        } => plan_view::planned(title, note, changes, *depth, sheet),
        Event::Skipped { title, depth, .. } => step(Mark::Skipped, title, "done before", None, *depth),
        Event::Said { line, warning: false } => paragraph(line, indent(depth), sheet, |line| line.to_string()),
        Event::Said { line, warning: true } | Event::Warned { line } => warning(line, depth, sheet),
        Event::Policy { policy, reason } => {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let text = format!("{}{reason}", policy_words(*policy));
            paragraph(&text, 2, sheet, |line| style.warning(line))
        }
        Event::Undone { title, detail, took } => step(Mark::Undone, title, detail, Some(*took), 0),
        Event::UndoFailed { title, failure } => {
            step(Mark::Failed, title, "", None, 0) + &blocks::failure(failure, None, 0, sheet)
        }
        Event::Ended {
            outcome,
            took,
            standing,
            irreversible,
            next,
        } => Ending {
            outcome: *outcome,
            took: *took,
            dry,
            standing,
            irreversible,
            next,
        }
        .draw(sheet),
    }
}

/// What the failure policy does from here on.
pub(super) fn policy_words(policy: Policy) -> &'static str {
    match policy {
        Policy::Rollback => "rolling back, last touched first",
        Policy::Pause => "pausing: everything stays as it is now",
        Policy::None => "not rolling back: the policy is `none`",
    }
}
