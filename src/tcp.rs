//! One TCP connection, to whichever of a host's addresses takes it.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Tries the addresses in turn until `deadline`, each with its share of the time that is left: the first may swallow
/// packets. The error is that of the last one; `NotFound` where there is none.
pub fn open(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::NotFound.into();
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        // Zero would be an error of another kind.
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) if is_to_itself(&stream) => last = io::ErrorKind::ConnectionRefused.into(),
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Where nobody listens, the kernel may pick that very port for us and connect us to ourselves: about once in twenty
/// thousand tries of a port that it gives out.
fn is_to_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(own), Ok(other)) if own == other)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_connection_to_itself_is_known() {
        use rustix::net::{AddressFamily, SocketType, bind, connect, getsockname, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port is free");
        let own = SocketAddr::try_from(getsockname(&socket).expect("it has a name")).expect("of the internet");
        connect(&socket, &own).expect("nobody listens but itself");
        assert!(is_to_itself(&TcpStream::from(socket)));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let there = listener.local_addr().expect("it has one");
        assert!(!is_to_itself(&open(&[there], soon()).expect("somebody listens")));
    }

    #[test]
    fn the_next_address_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let there = listener.local_addr().expect("it has one");
        let away = SocketAddr::from(([127, 0, 0, 1], 9));
        assert!(open(&[away, there], soon()).is_ok());
        let error = |addresses: &[SocketAddr], deadline| open(addresses, deadline).expect_err("nobody is there").kind();
        assert_eq!(error(&[], soon()), io::ErrorKind::NotFound);
        assert_eq!(error(&[there], Instant::now()), io::ErrorKind::TimedOut);
    }
}
