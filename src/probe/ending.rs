//! What ends a probe that was started from the command line.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

use super::process::Process;

pub(super) struct Ending {
    /// The end of `--for`.
    pub at: Option<Instant>,
    /// The process of `--until-pid`.
    pub process: Option<Process>,
    pub signals: Signals,
}

impl Ending {
    pub fn is_reached(&self) -> bool {
        self.signals.came()
            || self.at.is_some_and(|at| Instant::now() >= at)
            || self.process.as_ref().is_some_and(Process::has_ended)
    }
}

/// Ctrl-C and SIGTERM. The first one is noted; a second one ends this process at once, with 128 + its number.
pub(super) struct Signals {
    came: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

impl Signals {
    pub fn watch() -> io::Result<Signals> {
        let mut signals = Signals {
            came: Arc::new(AtomicBool::new(false)),
            registered: Vec::new(),
        };
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that the first signal finds the flag unset.
            let second = flag::register_conditional_shutdown(signal, 128 + signal, signals.came.clone())?;
            signals.registered.push(second);
            signals.registered.push(flag::register(signal, signals.came.clone())?);
        }
        Ok(signals)
    }

    fn came(&self) -> bool {
        self.came.load(Ordering::SeqCst)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.registered
            .iter()
            .copied()
            .map(low_level::unregister)
            .for_each(drop);
    }
}
