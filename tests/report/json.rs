//! The log for programs.

use zdt::exec::Sink;
use zdt::report::JsonLog;

use crate::{Paper, cases, clock, golden};

#[test]
fn every_event_is_a_line() {
    for (name, events) in cases::all() {
        let paper = Paper::default();
        let log = JsonLog::with_clock(Box::new(paper.clone()), clock());
        events.iter().for_each(|event| log.event(event));
        let text = paper.text();
        assert_eq!(text.lines().count(), events.len());
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert!(value["time"].is_string() && value["event"].is_string(), "{line}");
            assert!(value.get("took").is_none(), "{line}");
        }
        golden(&format!("{name}.jsonl"), &text);
    }
}
