//! Threads that take jobs, as many as are needed, up to a limit. No job waits: somebody is free, or it is refused.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Enough for the resolver of the C library, the deepest thing that runs here.
const STACK: usize = 256 * 1024;

/// What is done with each job.
pub(super) type Work<J> = Arc<dyn Fn(J) + Send + Sync>;

pub(super) struct Crew<J> {
    board: Arc<Board<J>>,
    work: Work<J>,
    max: usize,
}

struct Board<J> {
    state: Mutex<State<J>>,
    wake: Condvar,
}

struct State<J> {
    queue: VecDeque<J>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl<J: Copy + Send + 'static> Crew<J> {
    /// A crew that begins with `first` threads and grows to `max`.
    pub fn start(first: usize, max: usize, work: Work<J>) -> io::Result<Self> {
        let state = State {
            queue: VecDeque::new(),
            threads: 0,
            idle: 0,
            closed: false,
        };
        let board = Arc::new(Board {
            state: Mutex::new(state),
            wake: Condvar::new(),
        });
        let crew = Crew { board, work, max };
        for _ in 0..first.min(max) {
            crew.board.lock().threads += 1;
            crew.hire(None)?;
        }
        Ok(crew)
    }

    /// Hands over a job; `false` when nobody is free to take it.
    pub fn offer(&self, job: J) -> bool {
        let mut state = self.board.lock();
        let free = state.idle > state.queue.len();
        if !free && state.threads < self.max {
            state.threads += 1;
            drop(state);
            return self.hire(Some(job)).is_ok();
        }
        if free {
            state.queue.push_back(job);
            self.board.wake.notify_one();
        }
        free
    }

    /// Expects that the new thread is already counted.
    fn hire(&self, first: Option<J>) -> io::Result<()> {
        let (board, work) = (self.board.clone(), self.work.clone());
        let thread = thread::Builder::new().name("probe-client".into()).stack_size(STACK);
        let spawned = thread.spawn(move || {
            first.into_iter().for_each(&*work);
            while let Some(job) = board.take() {
                work(job);
            }
        });
        if spawned.is_err() {
            self.board.lock().threads -= 1;
        }
        spawned.map(drop)
    }
}

impl<J> Board<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<J> {
        let mut state = self.lock();
        state.idle += 1;
        while state.queue.is_empty() && !state.closed {
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle -= 1;
        state.queue.pop_front()
    }
}

/// Sends the threads home once the queue is empty. Nobody waits for them here.
impl<J> Drop for Crew<J> {
    fn drop(&mut self) {
        self.board.lock().closed = true;
        self.board.wake.notify_all();
    }
}
