//! The one line that is drawn again and again while a probe runs on a terminal.

use std::collections::VecDeque;
use std::io::Write;
use std::time::Duration;

use super::report::{count, span};
use super::summary::Summary;
use crate::report::Screen;

/// How many drawings the shown rate looks back: about a second.
const WINDOW: usize = 5;
const CLEAR_LINE: &str = "\r\x1b[K";

pub(super) struct Live<'a> {
    out: &'a mut dyn Write,
    screen: Screen,
    past: VecDeque<(Duration, u64)>,
}

impl<'a> Live<'a> {
    pub fn new(out: &'a mut dyn Write, screen: Screen) -> Self {
        Live {
            out,
            screen,
            past: VecDeque::new(),
        }
    }

    pub fn is_shown(&self) -> bool {
        self.screen.live
    }

    pub fn draw(&mut self, summary: &Summary) {
        let rate = self.rate(summary);
        let [before, failed, after] = parts(summary, rate);
        self.put([&before, &failed, &after], summary.failed > 0);
    }

    /// Says why nothing moves while the last answers are awaited.
    pub fn finishing(&mut self, in_flight: u64) {
        if in_flight > 0 {
            let text = format!("waiting for {}", count(in_flight, "last answer"));
            self.put([&text, "", ""], false);
        }
    }

    pub fn clear(&mut self) {
        if self.is_shown() {
            self.write(CLEAR_LINE);
        }
    }

    /// Draws three parts as one line no wider than the terminal, the middle one as a failure if it is one.
    fn put(&mut self, parts: [&str; 3], bad: bool) {
        if !self.screen.live {
            return;
        }
        let sheet = self.screen.sheet();
        let mut room = sheet.room(0);
        let cut = parts.map(|part| {
            let text: String = part.chars().take(room).collect();
            room -= text.chars().count();
            text
        });
        let [before, middle, after] = cut;
        let middle = if bad { sheet.style.failed(&middle) } else { middle };
        self.write(&format!("\r{before}{middle}{after}\x1b[K"));
    }

    /// A terminal that went away is no reason to stop measuring.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn rate(&mut self, summary: &Summary) -> f64 {
        self.past.push_back((summary.elapsed, summary.requests));
        if self.past.len() > WINDOW {
            self.past.pop_front();
        }
        let (time, requests) = self.past[0];
        let passed = (summary.elapsed - time).as_secs_f64();
        if passed > 0.0 {
            (summary.requests - requests) as f64 / passed
        } else {
            0.0
        }
    }
}

fn parts(summary: &Summary, rate: f64) -> [String; 3] {
    let seconds = summary.elapsed.as_secs();
    let time = match seconds {
        ..60 => format!("{seconds}s"),
        _ => span(Duration::from_secs(seconds)),
    };
    let before = format!("{time} · {rate:.0}/s · ");
    let failed = format!("{} failed of {}", summary.failed, summary.requests);
    let mut after = String::new();
    if let Some(latency) = summary.latency {
        after += &format!(" · p99 {}", span(latency.p99));
    }
    let versions: Vec<&str> = summary.versions.iter().map(|seen| seen.version.as_str()).collect();
    if !versions.is_empty() {
        after += &format!(" · {}", versions.join(" → "));
    }
    [before, failed, after]
}
