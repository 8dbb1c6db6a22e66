//! One event a line, as JSON, for programs and for those who search afterwards.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;

use super::Clock;
use super::time::rfc3339;
use crate::exec::{Event, Sink};

/// Writes `{"time":"2026-07-20T09:30:00.123Z","event":"step_done",…,"took_ms":1300}` and flushes.
pub struct JsonLog {
    /// `None` once a write has failed.
    out: Mutex<Option<Box<dyn Write + Send>>>,
    clock: Clock,
}

#[derive(Serialize)]
struct Entry<'a> {
    time: String,
    #[serde(flatten)]
    event: &'a Event,
}

impl JsonLog {
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self::with_clock(out, Box::new(SystemTime::now))
    }

    pub fn with_clock(out: Box<dyn Write + Send>, clock: Clock) -> Self {
        Self {
            out: Mutex::new(Some(out)),
            clock,
        }
    }
}

impl Sink for JsonLog {
    fn event(&self, event: &Event) {
        let mut guard = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(out) = guard.as_mut() else {
            return;
        };
        let time = rfc3339((self.clock)());
        // Plain data with text for keys: there is nothing here that could fail.
        let line = serde_json::to_string(&Entry { time, event }).unwrap_or_default() + "\n";
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            *guard = None;
        }
    }
}
