//! Interrupts: a counter that a signal thread raises and every wait looks at.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use signal_hook::iterator::Signals;

use crate::world::{Interrupt, PENDING};

/// Two of a kind within this are one: `timeout` and some supervisors tell a process and then its group, and nobody's
/// finger is that quick.
const ONE_SIGNAL: Duration = Duration::from_millis(200);

/// What arrived so far, and how much of it was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Interrupts {
    count: Mutex<Count>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Count {
    arrived: u64,
    acknowledged: u64,
    latest: Option<Interrupt>,
    last: Option<Instant>,
    /// Nobody is told any more.
    closed: bool,
}

impl Interrupts {
    /// Notes a further interrupt and wakes whoever waits.
    pub(super) fn arrive(&self, interrupt: Interrupt) {
        let mut count = self.lock();
        let again = count.last.is_some_and(|last| last.elapsed() < ONE_SIGNAL);
        count.last = Some(Instant::now());
        if again && count.latest == Some(interrupt) {
            return;
        }
        count.arrived += 1;
        count.latest = Some(interrupt);
        drop(count);
        self.arrived.notify_all();
    }

    pub(super) fn pending(&self) -> Option<Interrupt> {
        self.lock().pending()
    }

    pub(super) fn acknowledge(&self) {
        // A second one counts, also if it came before this: it is the one that says "stop now".
        self.lock().acknowledged = 1;
    }

    pub(super) fn second(&self) -> bool {
        self.lock().arrived >= 2
    }

    /// Waits until `number` have come; gives the last. `None`: they had not before [`Interrupts::close`].
    pub(super) fn reached(&self, number: u64) -> Option<Interrupt> {
        let not_yet = |count: &mut Count| count.arrived < number && !count.closed;
        let waited = self.arrived.wait_while(self.lock(), not_yet);
        let count = waited.unwrap_or_else(PoisonError::into_inner);
        count.latest.filter(|_| count.arrived >= number)
    }

    /// Waits for [`Interrupts::close`], so long; `false` where it did not come.
    pub(super) fn closes_within(&self, time: Duration) -> bool {
        let open = |count: &mut Count| !count.closed;
        let waited = self.arrived.wait_timeout_while(self.lock(), time, open);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Waits for `time`; `false` as soon as an interrupt arrives, and a moment later where one is pending already.
    pub(super) fn wait(&self, time: Duration) -> bool {
        if self.pending().is_some() {
            thread::sleep(time.min(PENDING));
            return false;
        }
        let until = Instant::now().checked_add(time);
        let mut count = self.lock();
        loop {
            if count.pending().is_some() {
                return false;
            }
            let left = match until {
                Some(until) => until.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(3600),
            };
            if left.is_zero() {
                return true;
            }
            let waited = self.arrived.wait_timeout(count, left);
            count = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    // The numbers are whole at any time, so a panic elsewhere does not spoil them.
    fn lock(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    fn pending(&self) -> Option<Interrupt> {
        self.latest.filter(|_| self.arrived > self.acknowledged)
    }
}

/// Starts the signal thread. SIGHUP and SIGPIPE are *caught* and dropped rather than set to "ignore", because an ignored
/// signal stays ignored in every child.
pub(super) fn install(interrupts: Arc<Interrupts>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGPIPE])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGINT => interrupts.arrive(Interrupt::Int),
                SIGTERM => interrupts.arrive(Interrupt::Term),
                _ => {}
            }
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_under_an_interrupt_does_not_spin_and_does_not_last() {
        let interrupts = Interrupts::default();
        interrupts.arrive(Interrupt::Int);
        let waited = |time| {
            let start = Instant::now();
            assert!(!interrupts.wait(time));
            start.elapsed()
        };
        let look = Duration::from_millis(10);
        assert!(waited(look) >= look);
        let long = Duration::from_secs(3600);
        assert!((PENDING..long).contains(&waited(long)));
    }
}
