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
        let addresses: Vec<SocketAddr> = match (target.host.as_str(), target.port).to_socket_addrs() {
            Ok(found) => found.collect(),
            Err(_) => return Err(FailureKind::Unresolved),
        };
        let mut failure = FailureKind::Unresolved;
        for (tried, address) in addresses.iter().enumerate() {
            let shares = (addresses.len() - tried) as u32;
            let share = remaining(deadline).map_err(|_| FailureKind::Timeout)? / shares;
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                // Where nobody listens, the kernel may pick that very port for us and connect us to ourselves.
                Ok(stream) if stream.local_addr().is_ok_and(|own| own == *address) => {
                    failure = FailureKind::Refused;
                }
                Ok(stream) => {
                    // Without it a request may wait for the acknowledgement of the one before.
                    let _ = stream.set_nodelay(true);
                    return Ok(Wire { stream, deadline });
                }
                Err(error) => failure = FailureKind::of_connect(&error),
            }
        }
        Err(failure)
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
