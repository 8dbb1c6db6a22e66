//! The last lines of a run: how it ended, how everything stands, and what to type next.

use std::time::Duration;

use super::blocks::{paragraph, standing};
use super::screen::Sheet;
use super::text::{clean, took, width};
use crate::exec::{Outcome, Standing};

pub(super) struct Ending<'a> {
    pub outcome: Outcome,
    pub took: Duration,
    pub dry: bool,
    pub standing: &'a [Standing],
    pub irreversible: &'a [String],
    pub next: &'a [String],
}

impl Ending<'_> {
    pub fn draw(&self, sheet: Sheet) -> String {
        let style = sheet.style;
        let words = self.words();
        let mut out = match self.outcome {
            Outcome::Done | Outcome::WentBack => paragraph(&words, 2, sheet, |line| style.done(line)),
            Outcome::RolledBack | Outcome::Interrupted => paragraph(&words, 2, sheet, |line| style.warning(line)),
            Outcome::Failed | Outcome::Refused => paragraph(&words, 2, sheet, |line| style.failed(line)),
        };
        if !self.standing.is_empty() {
            out += &standing(self.standing, sheet);
        }
        if !self.irreversible.is_empty() {
            out += &format!("  {}\n", style.warning("ran, and cannot be undone:"));
            for step in self.irreversible {
                out += &paragraph(step, 4, sheet, |line| line.to_string());
            }
        }
        match self.next {
            [] => {}
            [line] if width(line) <= sheet.room(8) => {
                let (label, line) = (style.heading("next:"), style.command(&clean(line)));
                out += &format!("  {label} {line}\n");
            }
            // Never wrapped: they are there to be copied.
            lines => {
                out += &format!("  {}\n", style.heading("next:"));
                for line in lines {
                    out += &format!("    {}\n", style.command(&clean(line)));
                }
            }
        }
        out
    }

    fn words(&self) -> String {
        let time = took(self.took);
        match (self.outcome, self.dry) {
            (Outcome::Done, false) => format!("done in {time}"),
            (Outcome::Done, true) => "dry run: nothing was changed".to_string(),
            (Outcome::WentBack, _) => {
                let how = match self.all_serve() {
                    true => "what ran before serves everywhere",
                    false if self.some_do_not() => "not every backend serves",
                    false => "everything is as it was before",
                };
                format!("rolled back in {time}: {how}")
            }
            (Outcome::RolledBack | Outcome::Failed, true) => {
                "dry run: it would fail as shown; nothing was changed".to_string()
            }
            (Outcome::Refused, true) => "dry run: it would be refused as shown; nothing was changed".to_string(),
            (Outcome::Interrupted, true) => "interrupted; nothing was changed".to_string(),
            (Outcome::RolledBack, false) => {
                let how = match self.all_serve() {
                    true => "rolled back: what ran before serves everywhere",
                    false if self.some_do_not() => "rolled back, but not every backend serves",
                    false => "everything is as it was before",
                };
                format!("failed, {how}, after {time} (exit code 3)")
            }
            (Outcome::Failed, false) => {
                format!("failed after {time}, not rolled back (exit code 4)")
            }
            (Outcome::Refused, false) => "refused: nothing was changed (exit code 5)".to_string(),
            (Outcome::Interrupted, false) => format!("interrupted after {time}"),
        }
    }

    /// As they were before, or by what `on failure` did.
    fn some_do_not(&self) -> bool {
        let no = |one: &Standing| one.healthy == Some(false) || one.enabled == Some(false);
        self.standing.iter().any(no)
    }

    fn all_serve(&self) -> bool {
        !self.standing.is_empty()
            && self
                .standing
                .iter()
                .all(|one| one.healthy == Some(true) && one.enabled == Some(true))
    }
}
