//! HTTP and TCP, each time on a fresh connection, straight to the address: a proxy from the environment is not for us.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{Response, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, Error, Timeout};

use super::Real;
use crate::world::{HttpAnswer, HttpRequest, Net, NetError};

/// More of a body is not read.
const LONGEST_BODY: u64 = 64 * 1024;
/// Bytes for a head, which must fit whole. ureq's own 128 KiB each are cleared anew for every connection, and a run asks a
/// hundred times.
const BUFFER: usize = 32 * 1024;

impl Net for Real {
    fn get(&self, request: &HttpRequest) -> Result<HttpAnswer, NetError> {
        plain(&request.url)?;
        let mut call = agent(request.timeout).get(&request.url).header("connection", "close");
        if let Some(host) = &request.host {
            call = call.header("host", host);
        }
        let answer = call.call().and_then(|answer| Ok(read(answer)?));
        answer.map_err(|error| {
            // Something may have happened. An answer is only one more look.
            self.moment.over();
            explain(error, &request.url, request.timeout)
        })
    }

    fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<(), NetError> {
        self.moment.over();
        let until = Instant::now() + at_least(timeout);
        let addresses = resolve(host, port, timeout).map_err(|error| explain_io(&error, host, timeout))?;
        let opened = crate::tcp::open(&addresses, until);
        opened.map(drop).map_err(|error| explain_io(&error, host, timeout))
    }

    fn port_free(&self, address: SocketAddr) -> bool {
        match TcpListener::bind(address) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => false,
            // Not ours to bind (a low port without the right): ask whether somebody answers there.
            Err(_) => TcpStream::connect_timeout(&reachable(address), Duration::from_millis(500)).is_err(),
        }
    }
}

/// Refused before a connection is made, so that the answer does not depend on who listens.
fn plain(url: &str) -> Result<(), NetError> {
    match url.get(..8) {
        Some(scheme) if scheme.eq_ignore_ascii_case("https://") => {
            Err(NetError::Other("`https` is not spoken here, only `http`".into()))
        }
        _ => Ok(()),
    }
}

/// An agent for one request: it has no connection yet and keeps none.
fn agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .timeout_global(Some(at_least(timeout)))
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .user_agent(concat!("zdt/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Lookup)
}

/// Names as [`resolve`] finds them: an address needs no thread.
#[derive(Debug)]
struct Lookup;

impl Resolver for Lookup {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let found = resolve(host, uri.port_u16().unwrap_or(80), *timeout.after);
        let found = found.map_err(|error| not_found(error, timeout.reason))?;
        let mut addresses = self.empty();
        // As many as there is room for.
        let _ = found.into_iter().try_for_each(|address| addresses.try_push(address));
        match addresses.is_empty() {
            true => Err(Error::HostNotFound),
            false => Ok(addresses),
        }
    }
}

/// With its reason: that no thread is left is no fault of the name.
fn not_found(error: io::Error, limit: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::Timeout(limit),
        _ => Error::Io(error),
    }
}

/// Zero means "no limit" to the libraries below.
fn at_least(timeout: Duration) -> Duration {
    timeout.max(Duration::from_millis(1))
}

fn read(answer: Response<Body>) -> io::Result<HttpAnswer> {
    let (head, body) = answer.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().take(LONGEST_BODY).read_to_end(&mut bytes)?;
    Ok(HttpAnswer {
        status: head.status.as_u16(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_string(), value)
            })
            .collect(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// The system's resolver has no time limit, so it is asked on a thread that may be left behind.
fn resolve(host: &str, port: u16, timeout: Duration) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_string();
    let started = thread::Builder::new().name("resolve".into()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs();
        let _ = sender.send(found.map(Vec::from_iter));
    });
    // Not as it comes: its kind is that of a wait that was too long.
    started.map_err(|error| io::Error::other(format!("no thread is left to look up `{host}`: {error}")))?;
    let found = receiver.recv_timeout(timeout);
    found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        });
    }
    address
}

fn explain(error: ureq::Error, url: &str, timeout: Duration) -> NetError {
    match error {
        ureq::Error::Timeout(_) => NetError::TimedOut(timeout),
        ureq::Error::HostNotFound => NetError::NoSuchHost(host_of(url)),
        ureq::Error::ConnectionFailed => NetError::Refused,
        ureq::Error::Io(error) => explain_io(&error, &host_of(url), timeout),
        other => NetError::Other(other.to_string()),
    }
}

fn explain_io(error: &io::Error, host: &str, timeout: Duration) -> NetError {
    use io::ErrorKind::*;
    match error.kind() {
        NotFound => NetError::NoSuchHost(host.to_string()),
        _ if is_lookup(error) => NetError::NoSuchHost(host.to_string()),
        ConnectionRefused => NetError::Refused,
        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof | NotConnected => NetError::Closed,
        TimedOut | WouldBlock => NetError::TimedOut(timeout),
        _ => NetError::Other(error.to_string()),
    }
}

/// A failed lookup has neither a kind nor an errno of its own in std.
fn is_lookup(error: &io::Error) -> bool {
    error.raw_os_error().is_none() && error.to_string().starts_with("failed to lookup address")
}

fn host_of(url: &str) -> String {
    let uri = url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host);
    host.unwrap_or(url).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_says_why_it_did_not_come_about() {
        let (url, limit) = ("http://db:80/", Duration::from_secs(1));
        let told = |error| explain(not_found(error, Timeout::Global), url, limit);
        let no_thread = "no thread is left to look up `db`: try again";
        assert_eq!(told(io::Error::other(no_thread)), NetError::Other(no_thread.into()));
        assert_eq!(told(io::ErrorKind::TimedOut.into()), NetError::TimedOut(limit));
        let unknown = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(told(unknown), NetError::NoSuchHost("db".into()));
    }
}
