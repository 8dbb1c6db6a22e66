//! What is sent, when, and over which connections.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use zdt::probe::{FailureKind, Method, Probe, ProbeOptions, Stream, VersionSource};

use super::server::{Gate, Reply, Server, ok};
use super::{check, count, fresh, one_by_one, options, start, until};

#[test]
fn a_server_that_is_well_gets_all_streams_and_loses_nothing() {
    let orders = Arc::new(Mutex::new(BTreeSet::new()));
    let stored = orders.clone();
    let server = Server::start(move |call| {
        if call.line.starts_with("POST") {
            assert!(
                stored.lock().expect("orders").insert(call.body.clone()),
                "an order came twice"
            );
        }
        ok("hi")
    });
    let post_url = Some(server.url.clone());
    let probe = start(ProbeOptions {
        pooled: 3,
        post_url,
        posts_per_second: 20.0,
        ..options(&server.url)
    });
    until(&probe, |s| s.streams.iter().all(|stream| stream.requests >= 10));
    let summary = probe.stop();
    check(&summary);
    assert_eq!((summary.ok, summary.failed), (server.requests(), 0));
    assert_eq!((summary.availability, summary.longest_outage), (Some(100.0), None));
    assert!(summary.meets(100.0));
    let streams: Vec<Stream> = summary.streams.iter().map(|s| s.stream).collect();
    assert_eq!(streams, [Stream::Fresh, Stream::Pooled, Stream::Post]);
    let accepted: BTreeSet<String> = summary
        .accepted
        .ids()
        .map(|id| format!("{{\"order\":\"{id}\"}}"))
        .collect();
    assert_eq!(accepted, *orders.lock().expect("orders"));
    assert_eq!(accepted.len() as u64, summary.streams[2].ok);
}

#[test]
fn fresh_requests_open_a_connection_each_and_pooled_ones_do_not() {
    let server = Server::start(|_| ok("hi"));
    let probe = start(fresh(&server.url));
    until(&probe, |s| s.ok >= 20);
    assert_eq!(probe.stop().ok, server.connections());

    let server = Server::start(|_| ok("hi"));
    let probe = start(one_by_one(&server.url));
    until(&probe, |s| s.ok >= 20);
    let summary = probe.stop();
    check(&summary);
    assert_eq!(server.connections(), 1);
    assert_eq!(summary.ok, server.requests());
    assert_eq!(summary.failed, count(&summary, FailureKind::NotSent));
}

#[test]
fn the_pool_opens_all_its_connections_and_more_only_while_all_are_busy() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = Server::start(move |_| {
        held.pass();
        ok("hi")
    });
    let probe = start(ProbeOptions {
        pooled: 2,
        fresh: false,
        ..options(&server.url)
    });
    gate.await_held(5);
    assert!(server.connections() >= 5, "nobody waits for a pooled connection");
    gate.open();
    until(&probe, |s| s.ok >= 50);
    check(&probe.stop());
}

#[test]
fn slow_answers_do_not_slow_the_requests() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = Server::start(move |_| {
        held.pass();
        ok("hi")
    });
    let probe = start(options(&server.url));
    // A client that waits for an answer before it sends the next request never gets here.
    gate.await_held(20);
    let held = probe.snapshot();
    assert_eq!(held.requests, 0);
    assert!(held.in_flight >= 20);
    gate.open();
    until(&probe, |s| s.ok >= 20);
    let summary = probe.stop();
    check(&summary);
    assert_eq!(summary.failed, 0);
    assert_eq!(summary.longest_outage, None, "slow is not down");
    // The first was due at least 19 steps of 10 ms before the gate opened.
    assert!(summary.latency.expect("answers").max >= Duration::from_millis(190));
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = Server::start(move |_| {
        held.pass();
        ok("hi")
    });
    let probe = start(ProbeOptions {
        max_in_flight: 2,
        ..fresh(&server.url)
    });
    until(&probe, |s| count(s, FailureKind::NotSent) >= 5);
    gate.open();
    until(&probe, |s| s.ok >= 5);
    let summary = probe.stop();
    check(&summary);
    assert_eq!(summary.ok, server.requests());
    assert_eq!(summary.failed, count(&summary, FailureKind::NotSent));
    assert!(!summary.meets(100.0));
    assert_eq!(summary.longest_outage, None, "it says nothing about the server");
}

#[test]
fn stopping_waits_for_what_is_in_flight() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = Server::start(move |_| {
        held.pass();
        ok("hi")
    });
    let probe = start(fresh(&server.url));
    gate.await_held(3);
    let stopping = thread::spawn(move || probe.stop());
    thread::sleep(Duration::from_millis(20));
    assert!(!stopping.is_finished());
    gate.open();
    let summary = stopping.join().expect("summary");
    check(&summary);
    assert!(summary.ok >= 3);
    assert_eq!((summary.ok, summary.failed), (server.requests(), 0));
}

#[test]
fn versions_are_listed_in_the_order_of_their_appearance() {
    let version = |number: u64| {
        if number < 10 {
            "shop@0.0.1 here"
        } else {
            "shop@0.0.2 here"
        }
    };
    let server = Server::start(move |call| ok(version(call.number)));
    let version_from = Some(VersionSource::body(r"@(\S+)").expect("pattern"));
    let probe = start(ProbeOptions {
        version_from,
        ..one_by_one(&server.url)
    });
    until(&probe, |s| s.ok >= 25);
    let summary = probe.stop();
    let seen: Vec<_> = summary.versions.iter().map(|v| (v.version.as_str(), v.count)).collect();
    assert_eq!(seen, [("0.0.1", 10), ("0.0.2", summary.ok - 10)]);
    assert!(summary.versions[0].last_seen < summary.versions[1].first_seen);
    assert_eq!(summary.other_versions, 0);
}

#[test]
fn a_version_may_stand_in_a_header_and_bodies_in_chunks() {
    let reply = "HTTP/1.1 200 OK\r\nx-version: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let server = Server::start(|_| Reply::Keep(reply.to_string()));
    let version_from = Some(VersionSource::Header("X-Version".to_string()));
    let probe = start(ProbeOptions {
        version_from,
        ..one_by_one(&server.url)
    });
    until(&probe, |s| s.ok >= 10);
    let summary = probe.stop();
    assert_eq!((server.connections(), summary.versions.len()), (1, 1));
    assert_eq!(
        (summary.versions[0].version.as_str(), summary.versions[0].count),
        ("7", summary.ok)
    );
}

#[test]
fn a_body_is_sent() {
    let server = Server::start(|call| match (call.line.as_str(), call.body.as_str()) {
        ("POST /ping HTTP/1.1", "one=1") => ok("hi"),
        _ => Reply::Close(String::new()),
    });
    let body = Some("one=1".to_string());
    let probe = start(ProbeOptions {
        method: Method::Post,
        body,
        ..options(&server.url)
    });
    until(&probe, |s| s.requests >= 10);
    assert_eq!(probe.stop().failed, 0);
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    let refused = |options: ProbeOptions| Probe::start(options).err().expect("refused").to_string();
    assert!(refused(ProbeOptions::new("https://x/")).contains("only `http://` is supported"));
    let plain = || ProbeOptions::new("http://x/");
    assert!(
        refused(ProbeOptions {
            rate: f64::NAN,
            ..plain()
        })
        .contains("rate")
    );
    assert!(refused(ProbeOptions { rate: -1.0, ..plain() }).contains("rate"));
    assert!(refused(ProbeOptions { rate: 0.0, ..plain() }).contains("nothing to send"));
    assert!(
        refused(ProbeOptions {
            timeout: Duration::ZERO,
            ..plain()
        })
        .contains("timeout")
    );
    assert!(
        refused(ProbeOptions {
            pooled: 0,
            fresh: false,
            ..plain()
        })
        .contains("connections")
    );
    assert!(
        refused(ProbeOptions {
            posts_per_second: 1.0,
            ..plain()
        })
        .contains("url")
    );
}
