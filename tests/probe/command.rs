//! `zdt probe` as a command, short of its place in the argument parser.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::Parser;
use zdt::probe::{ProbeArgs, run_with};
use zdt::report::{Screen, Width};

use super::server::{Server, ok, status};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: ProbeArgs,
}

fn args(server: &Server, more: &[&str]) -> ProbeArgs {
    let words = ["probe", &server.url, "--timeout", "60s"]
        .into_iter()
        .chain(more.iter().copied());
    Line::try_parse_from(words)
        .map_err(|error| error.to_string())
        .expect("valid arguments")
        .args
}

struct Ran {
    code: u8,
    out: String,
    err: String,
}

fn run(args: &ProbeArgs, screen: Screen) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run_with(args, &mut out, &mut err, screen);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran {
        code,
        out: text(out),
        err: text(err),
    }
}

#[test]
fn people_get_text_and_silence_in_a_pipe() {
    let server = Server::start(|_| ok("shop@0.0.7"));
    let ran = run(
        &args(&server, &["--for", "300ms", "--version-regex", r"@(\S+)"]),
        Screen::log(),
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with(&server.url), "{}", ran.out);
    for part in ["100 %, none failed", "longest outage  none", "0.0.7"] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 60), "{}", ran.out);
}

#[test]
fn json_is_one_document() {
    let server = Server::start(|_| ok("hi"));
    let ran = run(
        &args(&server, &["--for", "300ms", "--json", "--expect", "100%"]),
        Screen::log(),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("json");
    assert_eq!(json["requests"].as_u64(), Some(server.requests()));
    assert_eq!(json["availability"], 100.0);
    assert_eq!(json["longest_outage"], serde_json::Value::Null);
    assert!(json["elapsed_ms"].as_f64().expect("number") >= 300.0);
    assert!(json["latency"]["p99_ms"].as_f64().expect("number") > 0.0);
}

#[test]
fn less_than_expected_is_exit_6_and_that_does_not_depend_on_a_reader() {
    // All of them, where nothing else is said.
    let server = Server::start(|call| if call.number == 0 { status(500, "") } else { ok("hi") });
    let all = run(&args(&server, &["--for", "300ms"]), Screen::log());
    assert_eq!(all.code, 6, "{}", all.out);
    let server = Server::start(|call| if call.number == 0 { status(500, "") } else { ok("hi") });
    let args = args(&server, &["--for", "300ms", "--expect", "99.99%"]);
    let ran = run(&args, Screen::log());
    assert_eq!(ran.code, 6);
    assert!(ran.out.contains("1 failed"), "{}", ran.out);
    assert!(ran.err.contains("below the expected 99.99 %"), "{}", ran.err);

    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let server = Server::start(|_| status(500, ""));
    let args = super::command::args(&server, &["--for", "100ms", "--expect", "1%"]);
    let width: fn() -> usize = || 80;
    let screen = Screen {
        width: Width::Asked(width),
        live: true,
        color: true,
    };
    assert_eq!(run_with(&args, &mut Gone, &mut Gone, screen), 6);
}

#[test]
fn usage_errors_are_exit_1() {
    let line = Line::try_parse_from(["probe", "https://shop/"])
        .map_err(|e| e.to_string())
        .expect("words");
    let ran = run(&line.args, Screen::log());
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(
        ran.err
            .starts_with("error: `https://shop/` cannot be probed: only `http://`"),
        "{}",
        ran.err
    );
    let server = Server::start(|_| ok("hi"));
    let nobody = u32::MAX.to_string();
    let ran = run(&args(&server, &["--until-pid", &nobody]), Screen::log());
    assert_eq!(
        (ran.code, ran.err),
        (1, format!("error: there is no process {nobody}\n"))
    );
    assert_eq!(server.requests(), 0);
}

#[test]
fn it_ends_with_the_process_it_was_told_to_watch() {
    let server = Server::start(|_| ok("hi"));
    // Lives until its input ends.
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("cat");
    let args = args(&server, &["--until-pid", &child.id().to_string(), "--json"]);
    let running = thread::spawn(move || run(&args, Screen::log()));
    while server.requests() < 3 {
        thread::sleep(Duration::from_millis(5));
        assert!(!running.is_finished(), "the process lives");
    }
    drop(child.stdin.take());
    let ran = running.join().expect("it ended");
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with('{'), "{}", ran.out);
    child.wait().expect("cat");
}

#[test]
fn the_live_line_fits_the_terminal_and_is_wiped() {
    let server = Server::start(|_| status(502, ""));
    let width: fn() -> usize = || 30;
    let colourless = Screen {
        width: Width::Asked(width),
        live: true,
        color: false,
    };
    let ran = run(&args(&server, &["--for", "600ms", "--expect", "0%"]), colourless);
    let drawn: Vec<&str> = ran
        .err
        .split('\r')
        .map(|line| line.trim_end_matches("\x1b[K"))
        .collect();
    assert!(drawn.iter().any(|line| line.contains("failed of")), "{drawn:?}");
    assert!(drawn.iter().all(|line| line.chars().count() < 30), "{drawn:?}");
    assert!(!ran.err.contains('\n') && !ran.err.contains("\x1b[3"), "{}", ran.err);
    assert!(ran.err.ends_with("\r\x1b[K"), "{}", ran.err);
    let coloured = Screen {
        width: Width::Asked(width),
        live: true,
        color: true,
    };
    assert!(
        run(&args(&server, &["--for", "600ms", "--expect", "0%"]), coloured)
            .err
            .contains("\x1b[1;31m")
    );
}
