//! The keep-alive connections that the threads of a stream share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::incoming::Incoming;
use super::wire::Wire;

pub(super) type Connection = Incoming<Wire>;

/// At most `limit` connections, used in turn. A limit of 0 makes each request open its own.
///
/// When all are busy, one more is opened for that request only: what the pools of most client libraries do.
pub(super) struct Pool {
    limit: usize,
    state: Mutex<State>,
}

struct State {
    idle: VecDeque<Connection>,
    /// Idle connections, and those that are out on a request.
    members: usize,
}

/// What a request is sent on.
pub(super) enum Lent {
    /// A connection that has served before.
    Used(Connection),
    /// A new connection, which belongs to the pool.
    Member,
    /// A new connection for this request only.
    Extra,
}

impl Pool {
    pub fn new(limit: usize) -> Self {
        Pool {
            limit,
            state: Mutex::new(State {
                idle: VecDeque::new(),
                members: 0,
            }),
        }
    }

    pub fn keeps(&self) -> bool {
        self.limit > 0
    }

    /// All connections are opened before any is used again; after that the one that was idle longest comes first.
    /// One that the server has closed meanwhile is replaced.
    pub fn lend(&self) -> Lent {
        let mut state = self.lock();
        if state.members < self.limit {
            state.members += 1;
            return Lent::Member;
        }
        match state.idle.pop_front() {
            Some(idle) if idle.source().is_quiet() => Lent::Used(idle),
            Some(_) => Lent::Member,
            None => Lent::Extra,
        }
    }

    /// Ends the use of a member: it is idle again, or gone.
    pub fn give_back(&self, connection: Option<Connection>) {
        let mut state = self.lock();
        match connection {
            Some(connection) => state.idle.push_back(connection),
            None => state.members -= 1,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
