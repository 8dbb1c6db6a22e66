//! Secrets, in every field of every event.

use std::time::Duration;

use zdt::drivers::{Failure, FailureKind};
use zdt::exec::{Change, Event, Finding, Outcome, Sink, Standing};
use zdt::plan::Policy;
use zdt::report::{Fan, HtmlReport, JsonLog, Masked, Screen, Terminal};

use crate::{Paper, clock};

/// One event of each kind, with `s` wherever there is text.
fn events(s: &str) -> Vec<Event> {
    let text = || format!("before {s} after");
    let (id, title, took) = (text, text, Duration::ZERO);
    let failure = || Failure {
        kind: FailureKind::Failed,
        message: text(),
        notes: vec![text(), text()],
        help: Some(text()),
        code: None,
    };
    let standing = Standing {
        backend: text(),
        image: Some(text()),
        stopped: false,
        healthy: Some(true),
        enabled: None,
    };
    let finding = Finding {
        code: text(),
        message: text(),
        help: Some(text()),
    };
    let changes = vec![
        Change::Command { line: text() },
        Change::File {
            path: text(),
            diff: format!("+{s}\n-{s}\n"),
        },
    ];
    vec![
        Event::Started {
            recipe: text(),
            run: text(),
            params: vec![text()],
            dry: None,
        },
        Event::Preflight {
            facts: vec![text()],
            warnings: vec![finding],
            took,
        },
        Event::Group {
            title: title(),
            depth: 0,
        },
        Event::StepStarted {
            id: id(),
            title: title(),
            depth: 0,
        },
        Event::Progress { id: id(), line: text() },
        Event::StepDone {
            id: id(),
            title: title(),
            depth: 0,
            detail: text(),
            took,
        },
        Event::StepFailed {
            id: id(),
            title: title(),
            depth: 0,
            failure: failure(),
            place: text(),
            source_line: text(),
            took,
        },
        Event::Planned {
            id: id(),
            title: title(),
            depth: 0,
            note: text(),
            changes,
        },
        Event::Skipped {
            id: id(),
            title: title(),
            depth: 0,
        },
        Event::Said {
            line: text(),
            warning: true,
        },
        Event::Warned { line: text() },
        Event::Policy {
            policy: Policy::Pause,
            reason: Some(text()),
        },
        Event::Undone {
            title: title(),
            detail: text(),
            took,
        },
        Event::UndoFailed {
            title: title(),
            failure: failure(),
        },
        Event::Ended {
            outcome: Outcome::Failed,
            took,
            standing: vec![standing],
            irreversible: vec![text()],
            next: vec![text()],
        },
    ]
}

/// All that any report says about them.
fn everything(secrets: &[&str], events: &[Event]) -> String {
    let (paper, html) = (Paper::default(), HtmlReport::with_clock(clock()));
    let secrets: Vec<String> = secrets.iter().map(ToString::to_string).collect();
    let fan = Fan(vec![
        Box::new(Terminal::new(Box::new(paper.clone()), Screen::log())),
        Box::new(JsonLog::new(Box::new(paper.clone()))),
        Box::new(&html),
    ]);
    let masked = Masked::new(&secrets, Box::new(fan));
    events.iter().for_each(|event| masked.event(event));
    drop(masked);
    html.finish(&mut paper.clone(), None).expect("a page");
    paper.text()
}

#[test]
fn no_field_of_any_event_leaks() {
    let text = everything(&["hunter2"], &events("hunter2"));
    assert!(text.contains("before ••• after"));
    let leak = text.lines().find(|line| line.contains("hunter2"));
    assert_eq!(leak, None);
    // The same events unmasked, so that the test knows that there is something to hide.
    assert!(everything(&[], &events("hunter2")).matches("hunter2").count() > 60);
}

#[test]
fn secrets_in_secrets_and_in_other_spellings_are_hidden() {
    let secrets = ["pass", "password$'\"1", "-----BEGIN KEY-----\nMIIBcode\n", ""];
    for spelling in [
        "password$'\"1",
        r#"password$'\''"1"#,
        r#"password$'\"1"#,
        "password$$'\"1",
        "MIIBcode",
        r"-----BEGIN KEY-----\nMIIBcode\n",
    ] {
        let text = everything(&secrets, &events(spelling));
        for part in ["word$", "MIIB", "pass", "\"1 after"] {
            assert!(!text.contains(part), "{spelling}: {part}");
        }
    }
}
