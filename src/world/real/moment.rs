//! The engine's answers of one moment. Steps look at the same containers several times in a row, each look for a reason
//! of its own; between two looks with nothing in between, the second answer is the first one. A moment is over as soon as
//! anything is done or waited for (a program, a pause, the lock, a request that is not answered), and after [`LONGEST`] in
//! any case.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::world::Reply;

/// No longer than the engine itself may take for one of these answers.
const LONGEST: Duration = Duration::from_millis(30);

#[derive(Debug, Default)]
pub(super) struct Moment(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    /// When the first of them was asked for.
    since: Option<Instant>,
    known: HashMap<String, Reply>,
    /// How many moments are over: an answer belongs to the one it was asked in.
    number: u64,
}

impl Moment {
    /// The answer, if it is of this moment; else the moment's number, for [`Moment::keep`].
    pub fn known(&self, docker: &str, path: &str) -> Result<Reply, u64> {
        let mut answers = self.lock();
        if answers.since.is_some_and(|since| since.elapsed() >= LONGEST) {
            answers.end();
        }
        answers.since.get_or_insert_with(Instant::now);
        answers.known.get(&key(docker, path)).cloned().ok_or(answers.number)
    }

    pub fn keep(&self, docker: &str, path: &str, reply: &Reply, number: u64) {
        let mut answers = self.lock();
        if answers.number == number {
            answers.known.insert(key(docker, path), reply.clone());
        }
    }

    pub fn over(&self) {
        self.lock().end();
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    fn end(&mut self) {
        self.since = None;
        self.known.clear();
        self.number += 1;
    }
}

fn key(docker: &str, path: &str) -> String {
    format!("{docker} {path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_a_moment_that_is_over_is_not_kept() {
        let moment = Moment::default();
        let reply = Reply {
            status: 200,
            body: std::sync::Arc::default(),
        };
        let number = moment.known("docker", "/version").unwrap_err();
        moment.over();
        moment.keep("docker", "/version", &reply, number);
        assert!(moment.known("docker", "/version").is_err());
    }
}
