//! The run on terminals of three widths, in colour, and in a log.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use zdt::exec::{Event, Sink};
use zdt::report::{Fan, Screen, Terminal, Width};

use crate::{Paper, cases, golden};

fn shown(events: &[Event], screen: Screen) -> String {
    let paper = Paper::default();
    let terminal = Terminal::new(Box::new(paper.clone()), screen);
    events.iter().for_each(|event| terminal.event(event));
    drop(terminal);
    paper.text()
}

fn columns(columns: usize, color: bool) -> Screen {
    Screen {
        color,
        width: Width::Columns(columns),
        live: false,
    }
}

#[test]
fn runs_read_well_at_every_width() {
    for (name, events) in cases::all() {
        let mut text = String::new();
        for width in [60, 80, 120] {
            text += &format!("════ {width} columns\n{}", shown(&events, columns(width, false)));
        }
        text += &format!("════ a log\n{}", shown(&events, Screen::log()));
        golden(&format!("{name}.txt"), &text);
        golden(&format!("{name}.ansi"), &shown(&events, columns(80, true)));
    }
}

#[test]
fn lines_fit_but_for_those_to_copy() {
    for (name, events) in cases::all() {
        for width in 40..130 {
            let shown = shown(&events, columns(width, false));
            let long = shown.lines().filter(|line| line.chars().count() >= width);
            let kept = ["$", "zdt ", "+", "-", "@@", "server", "~/", "done, and"];
            let long = long.filter(|line| !kept.iter().any(|begin| line.trim_start().starts_with(begin)));
            // The table has no use for fewer columns than its words need.
            let long: Vec<&str> = long.filter(|line| width >= 50 || !line.contains("  ")).collect();
            assert!(long.is_empty(), "{name} at {width}: {long:#?}");
        }
    }
}

#[test]
fn colour_changes_no_words() {
    for (_, events) in cases::all() {
        let (plain, mut coloured) = (shown(&events, columns(80, false)), shown(&events, columns(80, true)));
        assert!(coloured.contains("\x1b["));
        while let Some(at) = coloured.find('\x1b') {
            let end = coloured[at..].find('m').expect("only colours") + at;
            coloured.replace_range(at..=end, "");
        }
        assert_eq!(plain, coloured);
    }
}

#[test]
fn the_live_line_comes_and_goes() {
    let paper = Paper::default();
    let screen = Screen {
        live: true,
        ..columns(60, false)
    };
    let terminal = Terminal::new(Box::new(paper.clone()), screen);
    terminal.event(&cases::begin("drain app_1", 0));
    terminal.event(&cases::progress("drain app_1", "waiting for 2 old \x1b[2Jworkers"));
    let limit = Instant::now() + Duration::from_secs(20);
    let line = "\r\x1b[K  … drain app_1   0s  waiting for 2 old workers";
    while !paper.text().contains(line) {
        assert!(Instant::now() < limit, "{:?}", paper.text());
        thread::sleep(Duration::from_millis(20));
    }
    let events = cases::done();
    let last = events.last().expect("an end");
    terminal.event(last);
    assert!(
        paper.text().ends_with("\r\x1b[K  done in 1m07s\n"),
        "{:?}",
        paper.text()
    );
    let before = paper.text();
    thread::sleep(Duration::from_millis(400));
    drop(terminal);
    assert_eq!(before, paper.text());
}

#[test]
fn a_question_is_answered_by_yes_only() {
    let paper = Paper::default();
    let terminal = Terminal::new(Box::new(paper.clone()), Screen::log());
    for (answer, means) in [
        ("y\n", Some(true)),
        ("Yes\n", Some(true)),
        ("\n", Some(false)),
        ("", None),
    ] {
        assert_eq!(terminal.ask("delete all orders?", &mut answer.as_bytes()), means);
    }
    assert!(paper.text().starts_with("  delete all orders? [y/N] "));
}

/// A reader that went away.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_stops_nothing() {
    let paper = Paper::default();
    let fan = Fan(vec![
        Box::new(Terminal::new(Box::new(Gone), Screen::log())),
        Box::new(zdt::report::JsonLog::new(Box::new(Gone))),
        Box::new(Terminal::new(Box::new(paper.clone()), Screen::log())),
    ]);
    cases::done().iter().for_each(|event| fan.event(event));
    assert!(paper.text().ends_with("done in 1m07s\n"));
}
