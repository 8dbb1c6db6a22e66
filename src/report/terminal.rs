//! The run on a terminal, or as plain lines without one. The only part of a run that writes to it.
//!
//! Every event becomes whole lines at once. Between them a thread keeps one line about the step that runs, on a screen
//! that allows it; it is taken back before anything else is written, and at the end. A log gets a line now and then.

use std::io::{BufRead, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::line::indent;
use super::lines::lines;
use super::live::Live;
use super::screen::Screen;
use super::text::{blanks, clean};
use crate::exec::{Event, Sink};

/// Eight drawings a second: quick enough to be followed, and nothing for a slow line to choke on.
const TICK: Duration = Duration::from_millis(125);
/// For a log, which is told of seconds.
const SLOW_TICK: Duration = Duration::from_secs(1);

/// Writes the events of a run for people.
pub struct Terminal {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    stop: Condvar,
}

struct State {
    /// `None` once a write has failed: a reader that went away is no reason to stop a deployment.
    out: Option<Box<dyn Write + Send>>,
    screen: Screen,
    live: Live,
    /// Of what was printed last, so that words of a recipe stand below what says them.
    depth: usize,
    dry: bool,
    /// The running step has said something: its words are its line.
    said: bool,
    /// A person is asked something: the bottom line is theirs.
    asking: bool,
    over: bool,
}

impl Terminal {
    pub fn new(out: Box<dyn Write + Send>, screen: Screen) -> Self {
        let state = State {
            out: Some(out),
            screen,
            live: Live::default(),
            depth: 0,
            dry: false,
            said: false,
            asking: false,
            over: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            stop: Condvar::new(),
        });
        // Without that thread the run goes on all the same, with less to see.
        let ticking = Arc::clone(&shared);
        let ticker = thread::Builder::new().name("live line".to_string());
        let ticker = ticker.spawn(move || ticking.tick()).ok();
        Self { shared, ticker }
    }

    /// Asks a person; everything but `y` and `yes` is a no. `None` when the answer cannot be read.
    pub fn ask(&self, question: &str, answers: &mut dyn BufRead) -> Option<bool> {
        let mut state = self.shared.lock();
        let at = indent(state.depth);
        let style = state.screen.sheet().style;
        let text = format!("{}{} {} ", blanks(at), clean(question), style.dim("[y/N]"));
        state.print(&text);
        state.asking = true;
        drop(state);
        let mut answer = String::new();
        let read = answers.read_line(&mut answer);
        self.shared.lock().asking = false;
        match read {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")),
        }
    }
}

impl Sink for Terminal {
    fn event(&self, event: &Event) {
        self.shared.lock().event(event);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.over = true;
        state.print("");
        drop(state);
        self.shared.stop.notify_all();
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
    }
}

impl Shared {
    /// A panic elsewhere does not make the screen any worse.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let mut state = self.lock();
        while !state.over {
            let (now, sheet) = (Instant::now(), state.screen.sheet());
            let text = match (state.asking, state.screen.live) {
                (true, _) => String::new(),
                (false, true) => state.live.redraw(now, sheet),
                (false, false) => state.live.still(now, sheet),
            };
            state.write(&text);
            let tick = if state.screen.live { TICK } else { SLOW_TICK };
            let waited = self.stop.wait_timeout(state, tick);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    /// Writes lines that stay.
    fn print(&mut self, text: &str) {
        let text = self.live.erase().to_string() + text;
        self.write(&text);
    }

    fn write(&mut self, text: &str) {
        let Some(out) = self.out.as_mut().filter(|_| !text.is_empty()) else {
            return;
        };
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            self.out = None;
        }
    }

    fn event(&mut self, event: &Event) {
        self.depth = event.depth().unwrap_or(self.depth);
        match event {
            Event::StepStarted { id, title, depth } => {
                self.said = false;
                self.live.begin(id, title, *depth);
            }
            Event::Said { .. } => self.said = true,
            Event::Progress { id, line } => self.live.says(id, line),
            Event::StepDone { id, .. }
            | Event::StepFailed { id, .. }
            | Event::Planned { id, .. }
            | Event::Skipped { id, .. } => self.live.end(id),
            Event::Started { dry, .. } => self.dry = dry.is_some(),
            Event::Ended { .. } => self.live.end_all(),
            Event::Group { .. }
            | Event::Preflight { .. }
            | Event::Warned { .. }
            | Event::Policy { .. }
            | Event::Undone { .. }
            | Event::UndoFailed { .. } => {}
        }
        // `say` is its words: no line of its own after them, and in a plan the line alone.
        let (done, said) = (
            matches!(event, Event::StepDone { .. }),
            matches!(event, Event::Said { .. }),
        );
        if done && self.said || said && self.dry {
            return;
        }
        let text = lines(event, self.depth, self.dry, self.screen.sheet());
        if !text.is_empty() {
            self.print(&text);
        }
    }
}
