//! Virtual time and signals.

use std::time::{Duration, SystemTime};

use super::state::State;
use super::{Simulated, inspect};
use crate::world::{Clock, Interrupt, PENDING, Signals};

impl Clock for Simulated {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(inspect::BEGAN) + self.lock().now
    }

    fn pause(&self, time: Duration) -> bool {
        let mut state = self.lock();
        if state.interrupts.pending().is_some() {
            state.spend(time.min(PENDING));
            return false;
        }
        let until = state.now + time;
        let mut planned = std::mem::take(&mut state.interrupts.planned);
        planned.sort_by_key(|(at, _)| *at);
        let due = planned
            .iter()
            .position(|(at, _)| *at <= until)
            .map(|index| planned.remove(index));
        state.interrupts.planned = planned;
        match due {
            Some((at, interrupt)) => {
                let left = at.saturating_sub(state.now);
                state.spend(left);
                state.interrupts.arrive(interrupt);
                false
            }
            None => {
                state.spend(time);
                true
            }
        }
    }
}

impl Signals for Simulated {
    fn pending(&self) -> Option<Interrupt> {
        let mut state = self.lock();
        state.planned_interrupts();
        state.interrupts.pending()
    }

    fn acknowledge(&self) {
        self.lock().interrupts.acknowledged = 1;
    }
}

impl State {
    /// Interrupts whose time has come arrive.
    pub(super) fn planned_interrupts(&mut self) {
        let now = self.now;
        let planned = std::mem::take(&mut self.interrupts.planned);
        for (at, interrupt) in planned {
            match at <= now {
                true => self.interrupts.arrive(interrupt),
                false => self.interrupts.planned.push((at, interrupt)),
            }
        }
    }
}
