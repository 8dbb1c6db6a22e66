//! The page of a run.

use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use zdt::exec::{Event, Sink};
use zdt::probe::{AcceptedOrders, Bucket, FailureKind, Latency, Outage, Stream, Summary, Timeline, VersionSeen};
use zdt::report::HtmlReport;

use crate::cases::ms;
use crate::{cases, clock, golden};

fn page(events: &[Event], probe: Option<&Summary>) -> String {
    let report = HtmlReport::with_clock(clock());
    events.iter().for_each(|event| report.event(event));
    let mut page = Vec::new();
    report.finish(&mut page, probe).expect("a page");
    String::from_utf8(page).expect("text")
}

fn probe() -> Summary {
    let buckets = (0..30).map(|second| Bucket {
        ok: if second == 9 { 46 } else { 50 },
        failed: if second == 9 { 4 } else { 0 },
        slowest: ms(3 + second % 7),
    });
    let seen = |version: &str, from, to| VersionSeen {
        version: version.into(),
        count: 748,
        first_seen: ms(from),
        last_seen: ms(to),
    };
    Summary {
        url: "http://localhost:8080/ping?a=1&b=<2>".into(),
        rate: 50.0,
        started: UNIX_EPOCH + ms(1_784_539_998_000),
        elapsed: Duration::from_secs(30),
        requests: 1500,
        ok: 1496,
        failed: 4,
        in_flight: 0,
        availability: Some(99.7333),
        failures: [(FailureKind::Status(502), 3), (FailureKind::Reset, 1)].into(),
        latency: Some(Latency {
            p50: ms(2),
            p99: ms(9),
            max: ms(18),
        }),
        lateness: None,
        slowest_failure: ms(4),
        longest_outage: Some(Outage {
            stream: Stream::Fresh,
            began: ms(9_040),
            lasted: ms(80),
            failed: 4,
            ended: true,
        }),
        streams: Vec::new(),
        versions: vec![seen("0.0.1", 10, 18_000), seen("0.0.2", 15_500, 29_990)],
        other_versions: 0,
        timeline: Timeline {
            seconds: 1,
            buckets: buckets.collect(),
        },
        accepted: AcceptedOrders::default(),
    }
}

#[test]
fn pages_of_runs() {
    for (name, events) in cases::all() {
        golden(&format!("{name}.html"), &page(&events, None));
    }
    golden("probed.html", &page(&cases::done(), Some(&probe())));
}

#[test]
fn nothing_of_a_run_becomes_markup() {
    let evil = "</pre><script>alert(\"&'\")</script>\u{202e}";
    let event = |line: &str| Event::Said {
        line: line.into(),
        warning: false,
    };
    static PLAIN: OnceLock<usize> = OnceLock::new();
    for text in ["x", evil] {
        let page = page(&[event(text)], None);
        let tags = page.matches('<').count();
        assert_eq!(tags, *PLAIN.get_or_init(|| tags));
        assert!(!page.contains("http://") && !page.contains("https://"));
    }
}
