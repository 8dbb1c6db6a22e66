//! The page around the steps: what was run, how it ended, how everything stands.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::steps::{list, step};
use super::{Escaped, Span, traffic};
use crate::exec::{Event, Outcome, Standing};
use crate::probe::Summary;
use crate::report::plan_view;
use crate::report::text::took;
use crate::report::time::rfc3339;

const STYLE: &str = include_str!("page.css");

pub(super) fn page(events: &[(SystemTime, Event)], probe: Option<&Summary>) -> String {
    let start = events.first().map_or(UNIX_EPOCH, |(time, _)| *time);
    let end = events.last().map_or(UNIX_EPOCH, |(time, _)| *time);
    let span = Span {
        start,
        length: end.duration_since(start).unwrap_or_default(),
    };
    let (mut title, mut head, mut steps, mut foot) = ("zdt".to_string(), String::new(), String::new(), String::new());
    // A page of a run that never came to its end says so.
    let mut verdict = verdict("failed", "the run has no end: zdt was stopped");
    let mut marks: Vec<(SystemTime, String)> = Vec::new();
    let (mut is_dry, mut depth) = (false, 0);
    for (time, event) in events {
        if let Event::StepStarted { title, .. } = event {
            marks.push((*time, title.clone()));
        }
        depth = event.depth().unwrap_or(depth);
        match event {
            Event::Started {
                recipe,
                run,
                params,
                dry,
            } => {
                is_dry = dry.is_some();
                title = recipe.clone();
                head = header(recipe, run, params, start);
                if let Some(facts) = dry {
                    head += &format!("<p class=warn>{}</p>\n", Escaped(plan_view::source(*facts)));
                }
            }
            Event::Ended {
                outcome,
                took,
                standing,
                irreversible,
                next,
            } => {
                verdict = outcome_line(*outcome, *took, is_dry);
                foot = table(standing) + &list("ran, and cannot be undone", irreversible) + &list("next", next);
            }
            Event::Preflight { .. }
            | Event::Group { .. }
            | Event::StepStarted { .. }
            | Event::Progress { .. }
            | Event::StepDone { .. }
            | Event::StepFailed { .. }
            | Event::Planned { .. }
            | Event::Skipped { .. }
            | Event::Said { .. }
            | Event::Warned { .. }
            | Event::Policy { .. }
            | Event::Undone { .. }
            | Event::UndoFailed { .. } => steps += &step(event, depth, *time, span),
        }
    }
    let traffic = probe.map(|probe| traffic::section(probe, &marks)).unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=color-scheme content=\"light dark\">\n\
         <title>{} · zdt</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         {head}{verdict}{foot}{traffic}<h2>steps</h2>\n<div class=steps>\n{steps}</div>\n</body>\n</html>\n",
        Escaped(&title)
    )
}

fn header(recipe: &str, run: &str, params: &[String], start: SystemTime) -> String {
    let params = params.iter().map(|param| format!(" <code>{}</code>", Escaped(param)));
    let run = match run {
        "" => String::new(),
        run => format!(" · run <code>{}</code>", Escaped(run)),
    };
    format!(
        "<h1>{}{}</h1>\n<p class=dim>{}{run}</p>\n",
        Escaped(recipe),
        params.collect::<String>(),
        rfc3339(start)
    )
}

fn verdict(class: &str, text: &str) -> String {
    format!("<p class=\"verdict {class}\">{}</p>\n", Escaped(text))
}

fn outcome_line(outcome: Outcome, time: Duration, dry: bool) -> String {
    let time = took(time);
    match (outcome, dry) {
        (Outcome::Done, false) => verdict("done", &format!("done in {time}")),
        (Outcome::WentBack, _) => verdict("done", &format!("rolled back in {time}")),
        (Outcome::Done, true) => verdict("done", "dry run: nothing was changed"),
        (_, true) => verdict("failed", "dry run: it would not go well; nothing was changed"),
        (Outcome::RolledBack, false) => verdict(
            "warn",
            &format!("failed, rolled back: what ran before serves everywhere, after {time}"),
        ),
        (Outcome::Failed, false) => verdict("failed", &format!("failed after {time}, not rolled back")),
        (Outcome::Refused, false) => verdict("failed", "refused: nothing was changed"),
        (Outcome::Interrupted, false) => verdict("warn", &format!("interrupted after {time}")),
    }
}

fn table(standing: &[Standing]) -> String {
    if standing.is_empty() {
        return String::new();
    }
    let rows = standing.iter().map(|one| {
        format!(
            "<tr><td>{}<td><code>{}</code>{}{}\n",
            Escaped(&one.backend),
            Escaped(one.image.as_deref().unwrap_or("no container")),
            match one.healthy {
                Some(true) => "<td class=done>healthy",
                Some(false) => "<td class=failed>unhealthy",
                None => "<td class=warn>unknown",
            },
            match one.enabled {
                Some(true) => "<td class=done>serves",
                Some(false) => "<td class=warn>none",
                None => "<td class=warn>unknown",
            },
        )
    });
    format!(
        "<table>\n<tr><th>backend<th>image<th>health<th>traffic\n{}</table>\n",
        rows.collect::<String>()
    )
}
