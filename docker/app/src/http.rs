//! One connection: requests are read off it and answered, one after the other, until either side has enough.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::redis::Redis;
use crate::routes::{self, App};
use crate::signals;

/// Longer than the 60 s that nginx keeps an idle upstream connection, so that nginx is the one who closes.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// How long the client of a request in progress may be silent.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(100);
const HEAD_LIMIT: u64 = 32 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

pub struct Request {
    pub method: String,
    pub path: String,
    query: String,
    pub body: Vec<u8>,
    keep_alive: bool,
}

impl Request {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

pub struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub location: Option<&'static str>,
    pub body: String,
}

impl Response {
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain",
            location: None,
            body: body.into(),
        }
    }
}

enum Incoming {
    Request(Request),
    /// What the client sent cannot be taken, and the connection is of no use after it.
    Refused(u16),
    End,
}

pub fn converse(stream: TcpStream, app: &App) -> io::Result<()> {
    // Connections of a non-blocking listener block on Linux, but not everywhere.
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(SILENCE_LIMIT))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut redis = Redis::new(&app.settings.db);
    while wait_for_bytes(&stream, &mut reader)? {
        match read(&mut reader, &stream)? {
            Incoming::Request(request) => {
                let response = routes::answer(app, &mut redis, &request);
                let keep_alive = request.keep_alive && !signals::stopping();
                write(&stream, &response, keep_alive, request.method == "HEAD")?;
                if !keep_alive {
                    break;
                }
            }
            Incoming::Refused(status) => {
                write(&stream, &Response::text(status, "refused\n"), false, false)?;
                // The rest is read and forgotten: to close with unread bytes resets the answer away.
                stream.shutdown(std::net::Shutdown::Write)?;
                io::copy(&mut reader.take(64 * BODY_LIMIT as u64), &mut io::sink())?;
                break;
            }
            Incoming::End => break,
        }
    }
    Ok(())
}

/// False when the client is gone, or idle for too long, or idle while the application stops.
fn wait_for_bytes(stream: &TcpStream, reader: &mut BufReader<TcpStream>) -> io::Result<bool> {
    let since = Instant::now();
    stream.set_read_timeout(Some(TICK))?;
    loop {
        match reader.fill_buf() {
            Ok(bytes) => {
                let more = !bytes.is_empty();
                stream.set_read_timeout(Some(SILENCE_LIMIT))?;
                return Ok(more);
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if signals::stopping() || since.elapsed() > IDLE_LIMIT {
                    return Ok(false);
                }
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>, mut stream: &TcpStream) -> io::Result<Incoming> {
    let mut head = reader.by_ref().take(HEAD_LIMIT);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(Incoming::End);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next())
    else {
        return Ok(Incoming::Refused(400));
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_string(),
        path: path.to_string(),
        query: query.to_string(),
        body: Vec::new(),
        keep_alive: version == "HTTP/1.1",
    };

    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Ok(if head.limit() == 0 {
                Incoming::Refused(431)
            } else {
                Incoming::End
            });
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Incoming::Refused(400));
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }

    match headers
        .get("connection")
        .map(|value| value.to_ascii_lowercase())
    {
        Some(value) if value.contains("close") => request.keep_alive = false,
        Some(value) if value.contains("keep-alive") => request.keep_alive = true,
        _ => {}
    }
    // A body of unknown length is refused rather than misread as the next request.
    if headers.contains_key("transfer-encoding") {
        return Ok(Incoming::Refused(411));
    }
    let length = match headers
        .get("content-length")
        .map(|value| value.parse::<usize>())
    {
        None => 0,
        Some(Ok(length)) if length <= BODY_LIMIT => length,
        Some(Ok(_)) => return Ok(Incoming::Refused(413)),
        Some(Err(_)) => return Ok(Incoming::Refused(400)),
    };
    if length > 0
        && headers
            .get("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;
    Ok(Incoming::Request(request))
}

fn write(
    mut stream: &TcpStream,
    response: &Response,
    keep_alive: bool,
    head_only: bool,
) -> io::Result<()> {
    let mut text = format!(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n",
        response.status,
        reason(response.status),
        response.content_type,
        response.body.len(),
        if keep_alive { "keep-alive" } else { "close" },
    );
    if let Some(location) = response.location {
        text += &format!("Location: {location}\r\n");
    }
    text += "\r\n";
    if !head_only {
        text += &response.body;
    }
    // One write, so that a small answer is one packet.
    stream.write_all(text.as_bytes())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        301 => "Moved Permanently",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
