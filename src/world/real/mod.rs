//! The real world: this machine's files, programs, network, clock and signals.
//!
//! Each trait of [`crate::world`] has its own file here. What the engine says is kept for one [`moment`], nothing else is.

mod api;
mod cgroup;
mod files;
mod moment;
mod net;
mod processes;
mod signals;
mod tail;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::world::{Clock, Interrupt, Signals};
use signals::Interrupts;

/// How long a run may take to end by itself after a second interrupt.
const PATIENCE: Duration = Duration::from_secs(1);

/// This machine. Signals are left alone until [`Real::install_signals`].
#[derive(Debug, Clone)]
pub struct Real {
    start: Instant,
    interrupts: Arc<Interrupts>,
    line: Arc<api::Line>,
    moment: Arc<moment::Moment>,
}

impl Default for Real {
    fn default() -> Self {
        Self::new()
    }
}

impl Real {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            interrupts: Arc::default(),
            line: Arc::default(),
            moment: Arc::default(),
        }
    }

    /// From here on SIGINT and SIGTERM are counted instead of ending the process, and SIGHUP and SIGPIPE are
    /// ignored. Children are not affected: what is caught here is default again in them.
    pub fn install_signals(&self) -> io::Result<()> {
        signals::install(Arc::clone(&self.interrupts))
    }

    /// Runs `work`, and calls `told` at the first interrupt, at once and on a thread of its own: what `work` brings to an
    /// end before it looks may take a while. Where it has not ended [`PATIENCE`] after a second one, `end` is called,
    /// which ends the process.
    pub fn answering<T>(
        &self,
        told: impl FnOnce() + Send,
        end: impl FnOnce(Interrupt) + Send,
        work: impl FnOnce() -> T,
    ) -> T {
        struct Close<'a>(&'a Interrupts);
        impl Drop for Close<'_> {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        std::thread::scope(|scope| {
            let interrupts = &self.interrupts;
            let wait = move || {
                if interrupts.reached(1).is_some() {
                    told();
                }
                if let Some(interrupt) = interrupts.reached(2)
                    && !interrupts.closes_within(PATIENCE)
                {
                    end(interrupt);
                }
            };
            // Where the machine has no thread left the work goes on without that.
            let _ = std::thread::Builder::new()
                .name("told".into())
                .spawn_scoped(scope, wait);
            let _closed_at_the_end = Close(&self.interrupts);
            work()
        })
    }

    /// True once two interrupts arrived since the start, acknowledged or not: the user does not want to wait any more.
    pub fn second(&self) -> bool {
        self.interrupts.second()
    }
}

impl Clock for Real {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn pause(&self, time: Duration) -> bool {
        let whole = self.interrupts.wait(time);
        self.moment.over();
        whole
    }
}

impl Signals for Real {
    fn pending(&self) -> Option<Interrupt> {
        self.interrupts.pending()
    }

    fn acknowledge(&self) {
        self.interrupts.acknowledge();
    }
}
