//! A TCP connection whose every wait ends at a deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::failure::FailureKind;
use super::target::Target;

pub(super) struct Wire {
    stream: TcpStream,
    deadline: Instant,
}

impl Wire {
    /// Resolves the name anew, then tries its addresses in turn, each with its share of the time that is left.
    pub fn open(target: &Target, deadline: Instant) -> Result<Wire, FailureKind> {
        let found = (target.host.as_str(), target.port).to_socket_addrs();
        let addresses: Vec<SocketAddr> = found.map(Iterator::collect).map_err(|error| of_lookup(&error))?;
        let opened = crate::tcp::open(&addresses, deadline);
        let stream = opened.map_err(|error| FailureKind::of_connect(&error))?;
        // Without it a request may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        Ok(Wire { stream, deadline })
    }

    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Whether an idle connection can carry a request: nothing has come on it, neither bytes nor its end.
    pub fn is_quiet(&self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let seen = self.stream.peek(&mut [0]);
        let quiet = matches!(&seen, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && quiet
    }
}

/// A lookup that the machine itself had no room for is no missing name.
fn of_lookup(error: &io::Error) -> FailureKind {
    match FailureKind::of_connect(error) {
        FailureKind::NotSent => FailureKind::NotSent,
        _ => FailureKind::Unresolved,
    }
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    match deadline.checked_duration_since(Instant::now()) {
        Some(left) if !left.is_zero() => Ok(left),
        _ => Err(io::ErrorKind::TimedOut.into()),
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(remaining(self.deadline)?))?;
        self.stream.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(remaining(self.deadline)?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
