//! Requests that will not end: a backend is never called drained before the last of them is answered, and none is cut.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use crate::common::{Sandbox, await_fact};
use crate::ground::{Ground, Steps, USUAL};

/// Workers of the proxy by pid; the machine's own engine shows them as they are here.
fn workers(sandbox: &Sandbox) -> Vec<String> {
    let text = sandbox.docker(&["top", &sandbox.container("proxy").id, "-eo", "pid,args"]);
    let of = text.lines().filter(|line| line.contains("nginx: worker process"));
    of.filter_map(|line| line.split_whitespace().next().map(str::to_string))
        .collect()
}

fn connect(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(("127.0.0.1", sandbox.port)).expect("the proxy listens")
}

/// Sends a request's head, and the rest when told to.
fn begin(sandbox: &Sandbox, head: &str) -> TcpStream {
    let mut stream = connect(sandbox);
    stream.write_all(head.as_bytes()).expect("the proxy reads");
    stream
}

fn status(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("the proxy answers");
    text.lines().next().unwrap_or_default().to_string()
}

#[test]
fn a_request_longer_than_the_limit() {
    let ground = Ground::new("longer");
    let recipe = ground.recipe(&Steps {
        drain: "timeout=3s",
        ..USUAL
    });
    let head = "GET /slow?delay=25s HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    // One for each backend at least: they take turns.
    let slow: Vec<TcpStream> = (0..6).map(|_| begin(&ground.sandbox, head)).collect();
    let waiting: Vec<_> = slow
        .into_iter()
        .map(|stream| thread::spawn(move || status(stream)))
        .collect();
    let run = ground.start(&recipe, "0.0.2").wait().exits(3);
    run.says("not drained after 3s").says("app_1 serves again");
    for request in waiting {
        assert_eq!(request.join().expect("it ends"), "HTTP/1.1 200 OK");
    }
    ground.ends("0.0.1");
}

/// Until these old workers have ended nothing was drained: `said` must not have been printed while one lives.
fn not_before_they_are_gone(ground: &Ground, release: impl FnOnce()) {
    let old = workers(&ground.sandbox);
    let recipe = ground.recipe(&USUAL);
    let mut run = ground.start(&recipe, "0.0.2");
    // The new generation is live, and the old worker is still there.
    await_fact("the first reload", || {
        (workers(&ground.sandbox).len() > old.len()).then_some(())
    });
    assert!(!run.stdout().contains("✓ drain"), "{}", run.stdout());
    release();
    run.await_text("✓ drain app_1");
    let left: Vec<String> = workers(&ground.sandbox)
        .into_iter()
        .filter(|pid| old.contains(pid))
        .collect();
    assert!(left.is_empty(), "called drained while {left:?} still worked");
    run.wait().ok();
}

#[test]
fn a_silent_connection() {
    let ground = Ground::new("silent");
    let silent = connect(&ground.sandbox);
    not_before_they_are_gone(&ground, || {});
    drop(silent);
    ground.ends("0.0.2");
}

#[test]
fn a_slow_upload() {
    let ground = Ground::new("upload");
    let head = "POST /orders HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 8\r\n\r\nslow";
    let uploads: Vec<TcpStream> = (0..4).map(|_| begin(&ground.sandbox, head)).collect();
    not_before_they_are_gone(&ground, || {
        for (n, mut upload) in uploads.into_iter().enumerate() {
            write!(upload, "-00{n}").expect("the proxy reads");
            assert_eq!(status(upload), "HTTP/1.1 201 Created");
        }
    });
    ground.ends("0.0.2");
}
