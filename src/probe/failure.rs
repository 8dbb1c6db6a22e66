//! The ways in which a request fails.

use std::fmt;
use std::io;

use serde::{Serialize, Serializer};

/// Why a request failed. The text of each kind, as in `status 502`, is what JSON and people see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// The name of the host has no address.
    Unresolved,
    /// Nobody listens.
    Refused,
    /// Any other reason why no connection came about, such as no route.
    Unreachable,
    /// The connection was reset before the first byte of the answer.
    Reset,
    /// The connection was closed before the first byte of the answer: an empty reply.
    Closed,
    /// The same, by close or reset, on a keep-alive connection that had served before: the race that reloads lose.
    ClosedPooled,
    /// The answer ended, or its connection broke, before it was complete.
    Truncated,
    /// No complete answer within the timeout.
    Timeout,
    /// A complete answer with a status that is not expected.
    Status(u16),
    /// What came is not HTTP/1.x.
    NotHttp,
    /// The probe itself was too busy, or out of threads, files or ports.
    NotSent,
}

impl FailureKind {
    /// Reads the cause of a connection that did not come about.
    pub(super) fn of_connect(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => FailureKind::Refused,
            io::ErrorKind::NotFound => FailureKind::Unresolved,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => FailureKind::Timeout,
            io::ErrorKind::ConnectionReset => FailureKind::Reset,
            io::ErrorKind::AddrNotAvailable => FailureKind::NotSent,
            _ if out_of_files(error) => FailureKind::NotSent,
            _ => FailureKind::Unreachable,
        }
    }

    /// Reads the cause of an exchange that broke; `begun` tells whether a byte of the answer had come.
    pub(super) fn of_exchange(error: &io::Error, begun: bool) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => FailureKind::Timeout,
            _ if begun => FailureKind::Truncated,
            _ => FailureKind::Reset,
        }
    }
}

fn out_of_files(error: &io::Error) -> bool {
    let full = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    full.iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Unresolved => "name not found",
            FailureKind::Refused => "refused",
            FailureKind::Unreachable => "unreachable",
            FailureKind::Reset => "reset",
            FailureKind::Closed => "closed",
            FailureKind::ClosedPooled => "closed (pooled)",
            FailureKind::Truncated => "truncated",
            FailureKind::Timeout => "timeout",
            FailureKind::Status(code) => return write!(f, "status {code}"),
            FailureKind::NotHttp => "not http",
            FailureKind::NotSent => "not sent: probe overloaded",
        })
    }
}

impl Serialize for FailureKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
