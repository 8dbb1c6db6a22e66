//! `zdt probe`: arguments in, exit code out. The only part of the probe that prints.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use super::args::{Percent, ProbeArgs};
use super::ending::{Ending, Signals};
use super::engine::Probe;
use super::live::Live;
use super::process::Process;
use super::report::report;
use super::summary::Summary;
use crate::report::Screen;

const DONE: u8 = 0;
const USAGE: u8 = 1;
const BELOW_EXPECTATION: u8 = 6;

/// How often the ending is looked for, and after how many of those looks the line is drawn.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS_PER_DRAWING: u32 = 5;

/// Runs `zdt probe` on stdout and stderr, and gives the exit code: 0, 1 for a usage error, 6 below expectation.
pub fn run(args: &ProbeArgs) -> u8 {
    run_with(args, &mut io::stdout(), &mut io::stderr(), Screen::of_stderr())
}

/// The same with output elsewhere; `screen` is what is known of `err`. A reader that goes away changes neither the measurement nor the exit code.
pub fn run_with(args: &ProbeArgs, out: &mut dyn Write, err: &mut dyn Write, screen: Screen) -> u8 {
    let summary = match measure(args, &mut Live::new(err, screen)) {
        Ok(summary) => summary,
        Err(text) => {
            let _ = writeln!(err, "error: {text}");
            return USAGE;
        }
    };
    let text = if args.json { json(&summary) } else { report(&summary) };
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    let Percent(percent) = args.expect;
    if summary.meets(percent) {
        return DONE;
    }
    let _ = writeln!(err, "error: availability is below the expected {percent} %");
    BELOW_EXPECTATION
}

fn measure(args: &ProbeArgs, live: &mut Live) -> Result<Summary, String> {
    let options = args.options().map_err(|error| error.to_string())?;
    let process = args
        .until_pid
        .map(|pid| Process::find(pid).ok_or(format!("there is no process {pid}")));
    let mut ending = Ending {
        process: process.transpose()?,
        signals: Signals::watch().map_err(|error| format!("signals cannot be watched: {error}"))?,
        at: None,
    };
    let probe = Probe::start(options).map_err(|error| error.to_string())?;
    // Counted from here, so that requests are sent for no less than the time that was asked for.
    ending.at = args.duration.and_then(|duration| Instant::now().checked_add(duration));
    wait(&probe, &ending, live);
    if live.is_shown() {
        live.finishing(probe.snapshot().in_flight);
    }
    let summary = probe.stop();
    live.clear();
    Ok(summary)
}

fn wait(probe: &Probe, ending: &Ending, live: &mut Live) {
    let mut looks = 0u32;
    while !ending.is_reached() {
        if live.is_shown() && looks.is_multiple_of(LOOKS_PER_DRAWING) {
            live.draw(&probe.snapshot());
        }
        looks = looks.wrapping_add(1);
        let left = ending.at.map(|at| at.saturating_duration_since(Instant::now()));
        thread::sleep(left.map_or(LOOK, |left| left.min(LOOK)));
    }
}

fn json(summary: &Summary) -> String {
    // Plain data with text for keys: there is nothing here that could fail.
    serde_json::to_string(summary).unwrap_or_default() + "\n"
}
