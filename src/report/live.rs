//! What runs now, for how long, and what it waits for: the one line that may be taken back, or, where none can, a line
//! now and then about a step that takes long.

use std::time::{Duration, Instant};

use super::line::indent;
use super::screen::Sheet;
use super::text::{blanks, clean, cut, seconds, width};

/// Takes the line back.
pub(super) const ERASE: &str = "\r\x1b[K";
/// Shown only after this long, so that quick steps do not flicker.
const PATIENCE: Duration = Duration::from_millis(300);

/// In a log, a step that still runs is told of this often.
const STILL: Duration = Duration::from_secs(15);

/// A step that has begun and not ended.
#[derive(Debug)]
pub(super) struct Running {
    pub id: String,
    pub title: String,
    pub depth: usize,
    pub since: Instant,
    /// What it waits for, or what its program said last.
    pub says: String,
    /// How often a log was told that it still runs.
    pub told: u32,
}

/// Everything that runs, in the order in which it began; the latest is shown.
#[derive(Debug, Default)]
pub(super) struct Live {
    running: Vec<Running>,
    /// What stands on the screen now.
    drawn: String,
}

impl Live {
    pub fn begin(&mut self, id: &str, title: &str, depth: usize) {
        self.running.push(Running {
            id: id.to_string(),
            title: clean(title),
            depth,
            since: Instant::now(),
            says: String::new(),
            told: 0,
        });
    }

    pub fn says(&mut self, id: &str, line: &str) {
        if let Some(step) = self.running.iter_mut().find(|step| step.id == id) {
            step.says = clean(line).trim_start().to_string();
        }
    }

    pub fn end(&mut self, id: &str) {
        self.running.retain(|step| step.id != id);
    }

    pub fn end_all(&mut self) {
        self.running.clear();
    }

    /// What to write so that the line is gone.
    pub fn erase(&mut self) -> &'static str {
        if std::mem::take(&mut self.drawn).is_empty() {
            ""
        } else {
            ERASE
        }
    }

    /// What to write so that the screen is up to date; nothing when it is.
    pub fn redraw(&mut self, now: Instant, sheet: Sheet) -> String {
        let line = self.line(now, sheet);
        if line == self.drawn {
            return String::new();
        }
        self.drawn = line;
        format!("{ERASE}{}", sheet.style.dim(&self.drawn))
    }

    /// A line for a log about the latest step, when it is time for one.
    pub fn still(&mut self, now: Instant, sheet: Sheet) -> String {
        let line = self.line(now, sheet);
        match self.running.last_mut() {
            Some(step) if now.saturating_duration_since(step.since) >= STILL * (step.told + 1) => {
                step.told += 1;
                line + "\n"
            }
            _ => String::new(),
        }
    }

    fn line(&self, now: Instant, sheet: Sheet) -> String {
        let Some(step) = self.running.last() else {
            return String::new();
        };
        let time = now.saturating_duration_since(step.since);
        if time < PATIENCE {
            return String::new();
        }
        let before = format!("{}… ", blanks(indent(step.depth)));
        let room = sheet.room(width(&before));
        let time = format!("   {}", seconds(time.as_secs()));
        let more = match self.running.len() {
            0 | 1 => String::new(),
            number => format!("  (and {} more)", number - 1),
        };
        // Words about the step may push its title together, to half of the room at most.
        let others = width(&time) + width(&more);
        let words = match step.says.as_str() {
            "" => 0,
            says => (width(says) + 2).min(room / 2),
        };
        let title = cut(&step.title, room.saturating_sub(others + words).max(room / 4));
        let mut line = format!("{title}{time}{more}");
        if !step.says.is_empty() {
            line = format!("{line}  {}", step.says);
        }
        before + &cut(&line, room)
    }
}

#[cfg(test)]
mod tests {
    use super::super::screen::{Screen, Width};
    use super::*;

    fn sheet(columns: usize) -> Sheet {
        Screen {
            width: Width::Columns(columns),
            ..Screen::log()
        }
        .sheet()
    }

    #[test]
    fn a_log_is_told_every_quarter_of_a_minute() {
        let mut live = Live::default();
        live.begin("1", "drain app_1", 1);
        let start = live.running[0].since;
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(live.still(at(14), sheet(60)), "");
        assert_eq!(live.still(at(15), sheet(60)), "    … drain app_1   15s\n");
        assert_eq!(live.still(at(29), sheet(60)), "");
        live.says("1", "waiting for 2 old workers");
        let text = "    … drain app_1   30s  waiting for 2 old workers\n";
        assert_eq!(live.still(at(30), sheet(60)), text);
        live.end("1");
        assert_eq!(live.still(at(60), sheet(60)), "");
    }

    #[test]
    fn it_is_shown_late_fits_and_is_drawn_once() {
        let mut live = Live::default();
        live.begin("1", "drain app_1", 0);
        let start = live.running[0].since;
        assert_eq!(live.redraw(start, sheet(60)), "");
        let later = start + Duration::from_secs(72);
        live.says("1", "waiting for 2 old workers");
        let text = "  … drain app_1   1m12s  waiting for 2 old workers";
        assert_eq!(live.redraw(later, sheet(60)), format!("{ERASE}{text}"));
        assert_eq!(live.redraw(later, sheet(60)), "");
        for columns in 24..60 {
            live.redraw(later, sheet(columns));
            assert!(width(&live.drawn) < columns, "{columns}: {}", live.drawn);
        }
        assert_eq!(live.erase(), ERASE);
        live.end("1");
        assert_eq!((live.redraw(later, sheet(60)).as_str(), live.erase()), ("", ""));
    }
}
