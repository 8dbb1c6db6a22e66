//! Takes secrets out of everything that is reported.

use crate::drivers::Failure;
use crate::exec::{Change, Event, Finding, Sink, Standing};
use crate::plan::Mask;

/// Hands events on with every secret masked, whichever field it stands in.
pub struct Masked<'a> {
    mask: Mask,
    inner: Box<dyn Sink + 'a>,
}

impl<'a> Masked<'a> {
    pub fn new(secrets: &[String], inner: Box<dyn Sink + 'a>) -> Self {
        Self {
            mask: Mask::new(secrets),
            inner,
        }
    }

    fn text(&self, text: &str) -> String {
        self.mask.text(text)
    }

    fn texts(&self, texts: &[String]) -> Vec<String> {
        self.mask.texts(texts)
    }

    fn failure(&self, failure: &Failure) -> Failure {
        Failure {
            kind: failure.kind,
            message: self.text(&failure.message),
            notes: self.texts(&failure.notes),
            help: failure.help.as_ref().map(|help| self.text(help)),
            code: failure.code,
        }
    }

    fn finding(&self, finding: &Finding) -> Finding {
        Finding {
            code: self.text(&finding.code),
            message: self.text(&finding.message),
            help: finding.help.as_ref().map(|help| self.text(help)),
        }
    }

    fn change(&self, change: &Change) -> Change {
        match change {
            Change::Command { line } => Change::Command { line: self.text(line) },
            Change::File { path, diff } => Change::File {
                path: self.text(path),
                diff: self.text(diff),
            },
        }
    }

    fn standing(&self, one: &Standing) -> Standing {
        Standing {
            backend: self.text(&one.backend),
            image: one.image.as_ref().map(|image| self.text(image)),
            stopped: one.stopped,
            healthy: one.healthy,
            enabled: one.enabled,
        }
    }

    /// Field by field, so that a new one does not compile before it was thought of.
    fn event_masked(&self, event: &Event) -> Event {
        match event {
            Event::Started {
                recipe,
                run,
                params,
                dry,
            } => Event::Started {
                recipe: self.text(recipe),
                run: self.text(run),
                params: self.texts(params),
                dry: *dry,
            },
            Event::Preflight { facts, warnings, took } => Event::Preflight {
                facts: self.texts(facts),
                warnings: warnings.iter().map(|warning| self.finding(warning)).collect(),
                took: *took,
            },
            Event::Group { title, depth } => Event::Group {
                title: self.text(title),
                depth: *depth,
            },
            Event::StepStarted { id, title, depth } => Event::StepStarted {
                id: self.text(id),
                title: self.text(title),
                depth: *depth,
            },
            Event::Progress { id, line } => Event::Progress {
                id: self.text(id),
                line: self.text(line),
            },
            Event::StepDone {
                id,
                title,
                depth,
                detail,
                took,
            } => Event::StepDone {
                id: self.text(id),
                title: self.text(title),
                depth: *depth,
                detail: self.text(detail),
                took: *took,
            },
            Event::StepFailed {
                id,
                title,
                depth,
                failure,
                place,
                source_line,
                took,
            } => Event::StepFailed {
                id: self.text(id),
                title: self.text(title),
                depth: *depth,
                failure: self.failure(failure),
                place: self.text(place),
                source_line: self.text(source_line),
                took: *took,
            },
            Event::Planned {
                id,
                title,
                depth,
                note,
                changes,
            } => Event::Planned {
                id: self.text(id),
                title: self.text(title),
                depth: *depth,
                note: self.text(note),
                changes: changes.iter().map(|change| self.change(change)).collect(),
            },
            Event::Skipped { id, title, depth } => Event::Skipped {
                id: self.text(id),
                title: self.text(title),
                depth: *depth,
            },
            Event::Said { line, warning } => Event::Said {
                line: self.text(line),
                warning: *warning,
            },
            Event::Warned { line } => Event::Warned { line: self.text(line) },
            Event::Policy { policy, reason } => Event::Policy {
                policy: *policy,
                reason: reason.as_ref().map(|reason| self.text(reason)),
            },
            Event::Undone { title, detail, took } => Event::Undone {
                title: self.text(title),
                detail: self.text(detail),
                took: *took,
            },
            Event::UndoFailed { title, failure } => Event::UndoFailed {
                title: self.text(title),
                failure: self.failure(failure),
            },
            Event::Ended {
                outcome,
                took,
                standing,
                irreversible,
                next,
            } => Event::Ended {
                outcome: *outcome,
                took: *took,
                standing: standing.iter().map(|one| self.standing(one)).collect(),
                irreversible: self.texts(irreversible),
                next: self.texts(next),
            },
        }
    }
}

impl Sink for Masked<'_> {
    fn event(&self, event: &Event) {
        self.inner.event(&self.event_masked(event));
    }
}
