//! What is known of a stream that people read. Read once, at the top, and passed on as a value.

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use super::style::Style;

/// How wide a stream is.
#[derive(Debug, Clone, Copy)]
pub enum Width {
    /// Nobody's terminal: lines are as long as they are, so that a log can be searched.
    Endless,
    Columns(usize),
    /// Asked anew for each drawing, because windows change.
    Asked(fn() -> usize),
}

/// One stream.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    pub color: bool,
    pub width: Width,
    /// A line can be taken back: something may be drawn while a step runs.
    pub live: bool,
}

/// Columns that lines are laid out for where nobody says how many there are.
const USUAL: usize = 80;
/// What a log is laid out for; nothing is cut there.
const LOG: usize = 100;
/// Below this nothing can be laid out; the terminal wraps.
const LEAST: usize = 24;

impl Screen {
    pub fn of_stdout() -> Self {
        Self::decide(io::stdout().is_terminal(), stdout_width, env)
    }

    pub fn of_stderr() -> Self {
        Self::decide(io::stderr().is_terminal(), stderr_width, env)
    }

    /// Plain, for files and pipes.
    pub fn log() -> Self {
        Self {
            color: false,
            width: Width::Endless,
            live: false,
        }
    }

    /// `NO_COLOR` (no-color.org) beats `CLICOLOR_FORCE` (bixense.com/clicolors) beats what the stream is.
    pub fn decide(terminal: bool, width: fn() -> usize, env: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| env(name).is_some_and(|value| !value.is_empty());
        let forced = env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = env("TERM").is_some_and(|value| value == "dumb");
        Self {
            color: !set("NO_COLOR") && (forced || terminal && !dumb),
            width: if terminal { Width::Asked(width) } else { Width::Endless },
            live: terminal && !dumb,
        }
    }

    /// The screen as it is at this moment.
    pub fn sheet(&self) -> Sheet {
        let (width, bounded) = match self.width {
            Width::Endless => (LOG, false),
            Width::Columns(columns) => (columns, true),
            Width::Asked(ask) => (ask(), true),
        };
        Sheet {
            style: Style::new(self.color),
            width: width.max(LEAST),
            bounded,
        }
    }
}

/// What one drawing needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Sheet {
    pub style: Style,
    pub width: usize,
    /// Whether lines must fit.
    pub bounded: bool,
}

impl Sheet {
    /// Columns left right of `indent`; the last column stays free, since some terminals wrap when it is written to.
    pub fn room(&self, indent: usize) -> usize {
        if self.bounded {
            (self.width - 1).saturating_sub(indent).max(LEAST / 2)
        } else {
            usize::MAX
        }
    }
}

fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn stdout_width() -> usize {
    columns(rustix::termios::tcgetwinsize(io::stdout()))
}

fn stderr_width() -> usize {
    columns(rustix::termios::tcgetwinsize(io::stderr()))
}

fn columns(size: rustix::io::Result<rustix::termios::Winsize>) -> usize {
    let columns = size.ok().map(|size| usize::from(size.ws_col));
    columns.filter(|&width| width > 0).unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(terminal: bool, set: &[(&str, &str)]) -> (bool, bool) {
        let find = |name: &str| set.iter().find(|(known, _)| *known == name);
        let screen = Screen::decide(terminal, || 80, |name| find(name).map(|(_, v)| v.into()));
        (screen.color, screen.live)
    }

    #[test]
    fn each_stream_is_decided_for_itself() {
        assert_eq!(screen(true, &[]), (true, true));
        assert_eq!(screen(false, &[]), (false, false));
        assert_eq!(screen(true, &[("NO_COLOR", "1")]), (false, true));
        assert_eq!(screen(true, &[("NO_COLOR", "")]), (true, true));
        assert_eq!(screen(true, &[("TERM", "dumb")]), (false, false));
        assert_eq!(screen(false, &[("CLICOLOR_FORCE", "1")]), (true, false));
        assert_eq!(screen(false, &[("CLICOLOR_FORCE", "0")]), (false, false));
        let both = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
        assert_eq!(screen(true, &both), (false, true));
    }
}
