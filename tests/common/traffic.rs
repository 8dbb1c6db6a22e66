//! Users: steady requests on fresh and on pooled connections, and orders that can be told apart, against the proxy.

use std::collections::BTreeMap;
use std::time::Duration;

use zdt::probe::{Probe, ProbeOptions, Stream, Summary};

use super::{Sandbox, await_fact};

/// What the users do. At least 200 requests a second unless a test says otherwise.
#[derive(Debug, Clone)]
pub struct Load {
    /// Requests a second to `/ping`, fresh and pooled taking turns.
    pub rate: f64,
    /// Keep-alive connections; 0: fresh ones only.
    pub pooled: usize,
    /// Orders a second.
    pub posts: f64,
    /// The orders' path.
    pub post_path: &'static str,
    pub timeout: Duration,
}

impl Default for Load {
    fn default() -> Self {
        Load {
            rate: 200.0,
            pooled: 16,
            posts: 20.0,
            post_path: "/orders",
            // Nobody's patience is measured here: a request fails when it gets no answer.
            timeout: Duration::from_secs(20),
        }
    }
}

pub struct Traffic {
    probe: Probe,
    orders: String,
}

impl Traffic {
    /// Starts the usual load, and waits until each kind of request has been answered.
    pub fn start(sandbox: &Sandbox) -> Traffic {
        Self::with(sandbox, Load::default())
    }

    pub fn with(sandbox: &Sandbox, load: Load) -> Traffic {
        let options = ProbeOptions {
            rate: load.rate,
            pooled: load.pooled,
            posts_per_second: load.posts,
            post_url: (load.posts > 0.0).then(|| sandbox.url(load.post_path)),
            timeout: load.timeout,
            expect_status: 200..=299,
            ..ProbeOptions::new(sandbox.url("/ping"))
        };
        let traffic = Traffic {
            probe: Probe::start(options).expect("the options are valid"),
            orders: sandbox.url("/orders/ids"),
        };
        await_fact("every kind of request was answered", || {
            let streams = traffic.probe.snapshot().streams;
            (!streams.is_empty() && streams.iter().all(|stream| stream.ok > 0)).then_some(())
        });
        traffic
    }

    pub fn snapshot(&self) -> Summary {
        self.probe.snapshot()
    }

    /// Stops, waits for what is in flight, and gives the figures.
    pub fn stop(self) -> Summary {
        self.probe.stop()
    }

    /// Stops and asserts that no request failed and that every accepted order is in the database exactly once.
    #[track_caller]
    pub fn assert_no_failures(self) -> Summary {
        let orders = self.orders.clone();
        let summary = self.stop();
        assert_eq!(summary.failed, 0, "{}", zdt::probe::report(&summary));
        assert!(summary.ok > 0, "{}", zdt::probe::report(&summary));
        assert_orders(&orders, &summary);
        summary
    }

    /// Stops and asserts it of one kind of request; gives how many others failed.
    #[track_caller]
    pub fn assert_none_failed_of(self, wanted: &[Stream]) -> Summary {
        let orders = self.orders.clone();
        let summary = self.stop();
        for stream in summary.streams.iter().filter(|stream| wanted.contains(&stream.stream)) {
            assert_eq!(stream.failed, 0, "{}", zdt::probe::report(&summary));
            assert!(stream.ok > 0, "{}", zdt::probe::report(&summary));
        }
        assert_orders(&orders, &summary);
        summary
    }
}

/// Every accepted order exactly once, and none twice that was not accepted.
#[track_caller]
fn assert_orders(url: &str, summary: &Summary) {
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for line in get(url).1.lines() {
        *rows.entry(line.to_string()).or_default() += 1;
    }
    let twice: Vec<&String> = rows.iter().filter(|(_, count)| **count > 1).map(|(id, _)| id).collect();
    assert!(twice.is_empty(), "orders in the database more than once: {twice:?}");
    let lost: Vec<String> = summary
        .accepted
        .ids()
        .filter(|id| !rows.contains_key(&format!("{{\"order\":\"{id}\"}}")))
        .collect();
    assert!(
        lost.is_empty(),
        "orders that were accepted and are not in the database: {lost:?}"
    );
}

/// Status and body of a GET on a fresh connection.
#[track_caller]
pub fn get(url: &str) -> (u16, String) {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .max_idle_connections(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .build();
    let mut answer = ureq::Agent::new_with_config(config)
        .get(url)
        .call()
        .unwrap_or_else(|error| panic!("GET {url}: {error}"));
    let body = answer
        .body_mut()
        .read_to_string()
        .unwrap_or_else(|error| panic!("GET {url}: {error}"));
    (answer.status().as_u16(), body)
}
