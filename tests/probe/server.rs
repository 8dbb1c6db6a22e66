//! A small HTTP server whose behaviour is a closure.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// One request that was read in full.
pub struct Call {
    /// Counts all requests of the server, from 0.
    pub number: u64,
    /// Counts the requests of its connection, from 0.
    pub on_connection: u64,
    pub line: String,
    pub body: String,
}

pub enum Reply {
    /// Bytes as they are; the connection lives on.
    Keep(String),
    /// Bytes as they are, then the end of the connection.
    Close(String),
}

pub fn ok(body: &str) -> Reply {
    status(200, body)
}

pub fn status(code: u16, body: &str) -> Reply {
    Reply::Keep(format!(
        "HTTP/1.1 {code} X\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

pub struct Server {
    pub url: String,
    connections: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
}

impl Server {
    /// Each connection has a thread of its own.
    pub fn start(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/ping", listener.local_addr().expect("address"));
        let server = Server {
            url,
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests, answer) = (server.connections.clone(), server.requests.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, SeqCst);
                let (requests, answer) = (requests.clone(), answer.clone());
                thread::spawn(move || converse(stream, &requests, &*answer));
            }
        });
        server
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(SeqCst)
    }

    pub fn requests(&self) -> u64 {
        self.requests.load(SeqCst)
    }
}

fn converse(stream: TcpStream, requests: &AtomicU64, answer: &dyn Fn(&Call) -> Reply) {
    let mut reader = BufReader::new(&stream);
    for on_connection in 0.. {
        let Some((line, body)) = read(&mut reader) else {
            return;
        };
        let call = Call {
            number: requests.fetch_add(1, SeqCst),
            on_connection,
            line,
            body,
        };
        let (text, keeps) = match answer(&call) {
            Reply::Keep(text) => (text, true),
            Reply::Close(text) => (text, false),
        };
        if (&stream).write_all(text.as_bytes()).is_err() || !keeps {
            return;
        }
    }
}

/// First line and body of the next request; `None` at the end of the connection.
fn read(reader: &mut BufReader<&TcpStream>) -> Option<(String, String)> {
    let head: Vec<String> = reader
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let first = head.first()?.clone();
    let length = head.iter().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |l| l.parse().expect("a length"))];
    reader.read_exact(&mut body).ok()?;
    Some((first, String::from_utf8(body).expect("text")))
}

/// Holds those who come until it is opened.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<Held>, Condvar)>);

#[derive(Default)]
struct Held {
    waiting: usize,
    open: bool,
}

impl Gate {
    pub fn pass(&self) {
        let (held, changed) = &*self.0;
        let mut state = held.lock().expect("gate");
        state.waiting += 1;
        changed.notify_all();
        drop(changed.wait_while(state, |held| !held.open).expect("gate"));
    }

    /// Waits until that many are held at the same time.
    pub fn await_held(&self, count: usize) {
        let (held, changed) = &*self.0;
        let state = held.lock().expect("gate");
        let waited = changed.wait_timeout_while(state, Duration::from_secs(100), |held| held.waiting < count);
        assert!(
            !waited.expect("gate").1.timed_out(),
            "there were never {count} at the gate"
        );
    }

    pub fn open(&self) {
        let (held, changed) = &*self.0;
        held.lock().expect("gate").open = true;
        changed.notify_all();
    }
}
