//! What counts as a failure, under which name, and what that makes of outages.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use zdt::probe::{FailureKind, ProbeOptions, Stream, Summary};

use super::server::{Gate, Reply, Server, ok, status};
use super::{check, count, fresh, one_by_one, options, start, until};

/// Runs until ten requests are done, and expects that each failed as `kind`.
fn all_fail(options: ProbeOptions, kind: FailureKind) -> Summary {
    let probe = start(options);
    until(&probe, |s| s.requests >= 10);
    let summary = probe.stop();
    check(&summary);
    assert_eq!(summary.failures, BTreeMap::from([(kind, summary.requests)]));
    assert_eq!(summary.availability, Some(0.0));
    summary
}

#[test]
fn nobody_listens() {
    // A port that is taken by a connection cannot be listened on by anyone else meanwhile.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = TcpStream::connect(listener.local_addr().expect("address")).expect("connection");
    let url = format!("http://{}/", taken.local_addr().expect("address"));
    let summary = all_fail(options(&url), FailureKind::Refused);
    assert_eq!(summary.latency, None);
    let outage = summary.longest_outage.expect("an outage");
    assert!(!outage.ended, "it may go on after the probe");
    assert_eq!((outage.began, outage.lasted), (Duration::ZERO, summary.elapsed));
}

#[test]
fn the_name_is_unknown() {
    // A label of more than 63 letters is no name anywhere, and no server is asked for it.
    let url = format!("http://{}.invalid/", "x".repeat(64));
    all_fail(options(&url), FailureKind::Unresolved);
}

#[test]
fn the_answer_breaks_off() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot so much",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Len",
    ] {
        let server = Server::start(|_| Reply::Close(text.to_string()));
        all_fail(options(&server.url), FailureKind::Truncated);
    }
}

#[test]
fn the_reply_is_empty() {
    let server = Server::start(|_| Reply::Close(String::new()));
    all_fail(fresh(&server.url), FailureKind::Closed);
}

#[test]
fn the_answer_is_something_else() {
    let server = Server::start(|_| Reply::Close("220 mail.example ESMTP\r\n".to_string()));
    all_fail(fresh(&server.url), FailureKind::NotHttp);
}

#[test]
fn the_answer_never_comes() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = Server::start(move |_| {
        held.pass();
        ok("late")
    });
    let timeout = Duration::from_millis(200);
    let summary = all_fail(
        ProbeOptions {
            timeout,
            ..options(&server.url)
        },
        FailureKind::Timeout,
    );
    assert!(summary.slowest_failure >= timeout);
    gate.open();
}

#[test]
fn a_status_is_a_failure_unless_it_is_expected() {
    for (code, expected) in [(404, false), (302, true), (503, false)] {
        let server = Server::start(move |_| status(code, "x"));
        if expected {
            let probe = start(options(&server.url));
            until(&probe, |s| s.requests >= 10);
            assert_eq!(probe.stop().failed, 0);
        } else {
            all_fail(options(&server.url), FailureKind::Status(code));
        }
        let probe = start(ProbeOptions {
            expect_status: 200..=599,
            ..options(&server.url)
        });
        until(&probe, |s| s.requests >= 10);
        assert_eq!(probe.stop().failed, 0);
    }
}

#[test]
fn a_pooled_connection_that_is_closed_under_a_request_is_a_failure() {
    let closed = Arc::new(AtomicU64::new(0));
    let counter = closed.clone();
    let server = Server::start(move |call| match call.on_connection {
        2 => {
            counter.fetch_add(1, SeqCst);
            Reply::Close(String::new())
        }
        _ => ok("hi"),
    });
    let probe = start(ProbeOptions {
        pooled: 2,
        ..options(&server.url)
    });
    until(&probe, |s| count(s, FailureKind::ClosedPooled) >= 5);
    let summary = probe.stop();
    check(&summary);
    let expected = BTreeMap::from([(FailureKind::ClosedPooled, closed.load(SeqCst))]);
    assert_eq!(summary.failures, expected, "not one was hidden by a retry");
    assert_eq!(summary.requests, server.requests());
    assert_eq!(summary.streams[0].failed, 0, "fresh connections feel nothing of it");
    assert_eq!(summary.longest_outage.expect("an outage").stream, Stream::Pooled);
    let words = serde_json::to_value(&summary).expect("json");
    assert_eq!(words["failures"]["closed (pooled)"], summary.failed);
}

#[test]
fn an_outage_lasts_to_the_next_success() {
    let bad = 12;
    let server = Server::start(move |call| match call.number {
        n if (5..5 + bad).contains(&n) => status(502, "bad gateway"),
        _ => ok("hi"),
    });
    let probe = start(one_by_one(&server.url));
    until(&probe, |s| s.ok >= 20);
    let summary = probe.stop();
    check(&summary);
    assert_eq!(count(&summary, FailureKind::Status(502)), bad);
    assert_eq!(server.connections(), 1, "an error page does not end a connection");
    let outage = summary.longest_outage.expect("an outage");
    assert_eq!((outage.failed, outage.ended), (bad, true));
    // Twelve requests are at least twelve steps of 10 ms; more when some could not be sent.
    assert!(outage.lasted >= Duration::from_millis(10 * bad), "{outage:?}");
    assert!(outage.began >= Duration::from_millis(50), "{outage:?}");
    assert!(outage.began + outage.lasted < summary.elapsed, "{outage:?}");
}

#[test]
fn one_stream_that_is_down_is_an_outage_though_the_other_is_not() {
    let server = Server::start(|call| match call.line.starts_with("POST") {
        true => status(503, "no orders today"),
        false => ok("hi"),
    });
    let post_url = Some(server.url.clone());
    let probe = start(ProbeOptions {
        post_url,
        posts_per_second: 20.0,
        ..options(&server.url)
    });
    until(&probe, |s| s.streams[2].failed >= 3 && s.ok >= 10);
    let summary = probe.stop();
    check(&summary);
    let outage = summary.longest_outage.expect("an outage");
    assert_eq!(
        (outage.stream, outage.failed, outage.ended),
        (Stream::Post, summary.failed, false)
    );
    assert_eq!(summary.streams[0].longest_outage, None);
    assert!(summary.accepted.is_empty());
}
