//! A run as one HTML page that needs nothing else: to be kept, attached to a ticket, read on a phone.
//!
//! Events are collected as they come; the page is written at the end, when it is known how long everything took.

mod page;
mod steps;
mod traffic;

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::Clock;
use crate::exec::{Event, Sink};
use crate::probe::Summary;

/// Collects a run.
pub struct HtmlReport {
    events: Mutex<Vec<(SystemTime, Event)>>,
    clock: Clock,
}

impl HtmlReport {
    pub fn new() -> Self {
        Self::with_clock(Box::new(SystemTime::now))
    }

    pub fn with_clock(clock: Clock) -> Self {
        Self {
            events: Mutex::default(),
            clock,
        }
    }

    /// Writes the page; with what a probe found meanwhile, if one ran.
    pub fn finish(&self, out: &mut dyn Write, probe: Option<&Summary>) -> io::Result<()> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(page::page(&events, probe).as_bytes())?;
        out.flush()
    }
}

impl Default for HtmlReport {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink for HtmlReport {
    fn event(&self, event: &Event) {
        // What was only ever meant for the moment is not worth a page: a build prints thousands of lines.
        if matches!(event, Event::Progress { .. }) {
            return;
        }
        let now = (self.clock)();
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push((now, event.clone()));
    }
}

/// Text as HTML shows it, also inside an attribute in double quotes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive('\n') {
            let (text, end) = match line.strip_suffix('\n') {
                Some(text) => (text, "\n"),
                None => (line, ""),
            };
            for character in super::text::clean(text).chars() {
                match character {
                    '&' => f.write_str("&amp;")?,
                    '<' => f.write_str("&lt;")?,
                    '>' => f.write_str("&gt;")?,
                    '"' => f.write_str("&quot;")?,
                    '\'' => f.write_str("&#39;")?,
                    _ => write!(f, "{character}")?,
                }
            }
            f.write_str(end)?;
        }
        Ok(())
    }
}

/// The span of time that the page is about; places in it are given in percent.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: SystemTime,
    length: Duration,
}

impl Span {
    /// Where a moment stands, from 0 to 100.
    fn at(&self, moment: SystemTime) -> f64 {
        self.share(moment.duration_since(self.start).unwrap_or_default())
    }

    fn share(&self, time: Duration) -> f64 {
        (time.as_secs_f64() * 100.0 / self.length.as_secs_f64().max(0.001)).min(100.0)
    }
}
