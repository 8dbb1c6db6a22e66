//! The client of a stream: it asks, and judges the answer.

use std::io::Write;
use std::ops::RangeInclusive;
use std::time::Instant;

use super::answer::{Head, read_body, read_head};
use super::failure::FailureKind;
use super::incoming::{Incoming, Kept};
use super::options::{Method, VersionSource};
use super::pool::{Connection, Lent, Pool};
use super::tally::Outcome;
use super::target::Target;
use super::wire::Wire;

/// How much of a body is searched for a version.
const SEARCHED: usize = 64 * 1024;

/// What is asked of an answer.
#[derive(Clone)]
pub(super) struct Judge {
    pub expect_status: RangeInclusive<u16>,
    pub version_from: Option<VersionSource>,
}

pub(super) struct Client {
    pub target: Target,
    pub judge: Judge,
    pub pool: Pool,
}

impl Client {
    /// Sends one request and reads its answer to the end, by `deadline`. The gain is the version that answered.
    pub fn ask(&self, request: &[u8], deadline: Instant) -> Outcome {
        match self.pool.lend() {
            Lent::Extra => self.ask_on(None, request, deadline).0,
            Lent::Member => self.ask_as_member(None, request, deadline),
            Lent::Used(connection) => match self.ask_as_member(Some(connection), request, deadline) {
                Err(FailureKind::Reset | FailureKind::Closed) => Err(FailureKind::ClosedPooled),
                outcome => outcome,
            },
        }
    }

    fn ask_as_member(&self, used: Option<Connection>, request: &[u8], deadline: Instant) -> Outcome {
        let (outcome, connection) = self.ask_on(used, request, deadline);
        self.pool.give_back(connection);
        outcome
    }

    /// Asks on a connection that is there, or else a new one. It comes back when it can be used again.
    fn ask_on(&self, used: Option<Connection>, request: &[u8], deadline: Instant) -> (Outcome, Option<Connection>) {
        let opened = match used {
            Some(connection) => Ok(connection),
            None => Wire::open(&self.target, deadline).map(Incoming::new),
        };
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(failure) => return (Err(failure), None),
        };
        connection.source_mut().set_deadline(deadline);
        let (outcome, reusable) = match self.exchange(&mut connection, request) {
            Ok((outcome, reusable)) => (outcome, reusable),
            Err(failure) => (Err(failure), false),
        };
        (outcome, reusable.then_some(connection))
    }

    /// The outcome, and whether the connection can be used again, once there is a head to judge by.
    fn exchange(&self, connection: &mut Connection, request: &[u8]) -> Result<(Outcome, bool), FailureKind> {
        connection.expect_answer();
        if let Err(error) = connection.source_mut().write_all(request) {
            return Err(FailureKind::of_exchange(&error, connection.begun()));
        }
        let head = read_head(connection, self.judge.wanted_header())?;
        let mut kept = Kept::up_to(self.judge.searched());
        let complete = read_body(connection, &head, &mut kept);
        let reusable = complete.is_ok() && head.keeps && !connection.has_left();
        // The status is the better reason, also when the body of an error page breaks off.
        if !self.judge.expect_status.contains(&head.status) {
            return Ok((Err(FailureKind::Status(head.status)), reusable));
        }
        Ok((complete.map(|()| self.judge.version(head, &kept.bytes)), reusable))
    }
}

impl Judge {
    fn wanted_header(&self) -> Option<&str> {
        match &self.version_from {
            Some(VersionSource::Header(name)) => Some(name),
            Some(VersionSource::Body(_)) | None => None,
        }
    }

    fn searched(&self) -> usize {
        match &self.version_from {
            Some(VersionSource::Body(_)) => SEARCHED,
            Some(VersionSource::Header(_)) | None => 0,
        }
    }

    fn version(&self, head: Head, body: &[u8]) -> Option<String> {
        match self.version_from.as_ref()? {
            VersionSource::Header(_) => head.wanted,
            VersionSource::Body(pattern) => {
                let text = String::from_utf8_lossy(body);
                let found = pattern.captures(&text)?;
                Some(found.get(1).or(found.get(0))?.as_str().to_string())
            }
        }
    }
}

/// The bytes of a request.
pub(super) fn request(method: Method, target: &Target, body: Option<&str>, keep: bool) -> Vec<u8> {
    let Target { authority, path, .. } = target;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: zdt-probe\r\nAccept: */*\r\n");
    if !keep {
        text.push_str("Connection: close\r\n");
    }
    if body.is_some() || method == Method::Post {
        let body = body.unwrap_or_default();
        let json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
        let kind = if json {
            "application/json"
        } else {
            "text/plain; charset=utf-8"
        };
        text.push_str(&format!(
            "Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    } else {
        text.push_str("\r\n");
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::{TcpListener, TcpStream};
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use super::*;

    fn client(listener: &TcpListener) -> Client {
        let url = format!("http://{}/", listener.local_addr().expect("address"));
        let judge = Judge {
            expect_status: 200..=399,
            version_from: None,
        };
        Client {
            target: Target::parse(&url).expect("url"),
            judge,
            pool: Pool::new(1),
        }
    }

    fn ask(client: &Client) -> Result<Option<String>, FailureKind> {
        let bytes = request(Method::Get, &client.target, None, true);
        client.ask(&bytes, Instant::now() + Duration::from_secs(60))
    }

    /// Reads one request and answers it; the connection lives on in what is returned.
    fn serve_one(listener: &TcpListener, text: &'static str) -> JoinHandle<TcpStream> {
        let listener = listener.try_clone().expect("listener");
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("connection");
            read_request(&stream);
            stream.write_all(text.as_bytes()).expect("written");
            stream
        })
    }

    fn read_request(stream: &TcpStream) {
        let lines = BufReader::new(stream).lines();
        lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .for_each(drop);
    }

    const HI: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn an_idle_connection_that_was_closed_is_reopened_in_silence() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let client = client(&listener);
        for _ in 0..3 {
            let server = serve_one(&listener, HI);
            assert_eq!(ask(&client), Ok(None));
            drop(server.join().expect("server"));
        }
    }

    #[test]
    fn a_connection_is_used_again_and_a_close_after_the_request_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let client = client(&listener);
        let server = serve_one(&listener, HI);
        assert_eq!(ask(&client), Ok(None));
        let mut stream = server.join().expect("server");
        let again = thread::spawn(move || {
            read_request(&stream);
            stream.write_all(HI.as_bytes()).expect("written");
            read_request(&stream);
        });
        assert_eq!(ask(&client), Ok(None));
        assert_eq!(ask(&client), Err(FailureKind::ClosedPooled));
        again.join().expect("server");
    }

    #[test]
    fn a_first_request_that_finds_the_door_shut_is_an_empty_reply() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let client = client(&listener);
        let server = serve_one(&listener, "");
        thread::spawn(move || drop(server.join()));
        assert_eq!(ask(&client), Err(FailureKind::Closed));
    }

    #[test]
    fn what_nobody_asked_for_ends_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let client = client(&listener);
        let server = serve_one(&listener, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!");
        assert_eq!(ask(&client), Ok(None));
        let kept_open = server.join().expect("server");
        let server = serve_one(&listener, HI);
        assert_eq!(ask(&client), Ok(None));
        server.join().expect("a second connection");
        drop(kept_open);
    }

    #[test]
    fn requests_say_what_they_carry() {
        let target = Target::parse("http://shop:81/a?b").expect("url");
        let text = |method, body, keep| String::from_utf8(request(method, &target, body, keep)).expect("text");
        let get = text(Method::Get, None, true);
        assert!(get.starts_with("GET /a?b HTTP/1.1\r\nHost: shop:81\r\n"), "{get}");
        assert!(
            get.ends_with("\r\n\r\n") && !get.contains("Connection") && !get.contains("Content"),
            "{get}"
        );
        let post = text(Method::Post, Some("{\"a\":1}"), false);
        assert!(
            post.contains("Connection: close\r\n") && post.contains("application/json"),
            "{post}"
        );
        assert!(post.ends_with("Content-Length: 7\r\n\r\n{\"a\":1}"), "{post}");
        assert!(text(Method::Post, None, true).ends_with("Content-Length: 0\r\n\r\n"));
        assert!(text(Method::Post, Some("hi"), true).contains("text/plain"));
    }
}
