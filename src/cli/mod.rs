//! The command: arguments to library calls, results to exit codes.

/// Prints a line; a reader that has gone away (`zdt | head -1`) is no reason to crash.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

mod args;
mod check;
mod dry;
mod find;
mod pages;
mod project;
mod recipe;
mod run;
mod status;

use std::io::Write;

use clap::Parser;

use crate::drivers::Failure;
use crate::exec::{OpenStep, Sink};
use crate::report::{Fan, JsonLog, Masked, Screen, Terminal};
use args::{Cli, Sub};
use project::{Allowed, What};

/// The command line as clap knows it, for whoever checks command lines in documents.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command line of this process and gives the exit code.
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 1 } else { 0 };
        }
    };
    match cli.command {
        Some(Sub::Check {
            recipe,
            tasks,
            with,
            short,
        }) => check::run(recipe, &tasks, &with, short),
        Some(Sub::Probe(args)) => crate::probe::run(&args),
        Some(Sub::Status(args)) => status::status(&args),
        Some(Sub::History(args)) => status::history(&args),
        Some(Sub::Resume { project, again, skip }) => {
            let open_step = match (again, skip) {
                (true, _) => OpenStep::Again,
                (_, true) => OpenStep::Skip,
                _ => OpenStep::Ask,
            };
            project::run(&project, What::Resume(open_step))
        }
        Some(Sub::Rollback {
            project, dry_run: true, ..
        }) => project::run(&project, What::WouldGoBack),
        Some(Sub::Rollback { project, allow, .. }) => {
            let said = |what: &str| allow.iter().any(|one| one == what);
            let (downtime, irreversible) = (said("downtime"), said("irreversible"));
            project::run(&project, What::Rollback(Allowed { downtime, irreversible }))
        }
        Some(Sub::Abandon(args)) => project::run(&args, What::Abandon),
        Some(Sub::Fmt { files, check }) => pages::fmt(&files, check),
        Some(Sub::Explain { word }) => pages::explain(word.as_deref()),
        Some(Sub::Completions { shell }) => pages::completions(shell),
        Some(Sub::Man) => pages::man(),
        None if cli.run.help => pages::help(&cli.run),
        None if cli.run.recipe.is_none() && cli.run.with.text.is_none() && !cli.run.dry_run => {
            match cli.run.is_bare() {
                true => pages::list(),
                false => run::unnamed(),
            }
        }
        None => run::run(&cli.run),
    }
}

fn color(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    size.ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|width| *width > 0)
        .unwrap_or(100)
}

fn print_failure(failure: &Failure, secrets: &[String]) {
    let mask = crate::plan::Mask::new(secrets);
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "zdt: {}", mask.text(&failure.message));
    for note in &failure.notes {
        let _ = writeln!(err, "  {}", mask.text(note));
    }
    if let Some(help) = &failure.help {
        let _ = writeln!(err, "help: {}", mask.text(help));
    }
    if let Some(code) = failure.code {
        let _ = writeln!(err, "more: zdt explain {code}");
    }
}

/// The sink for a run: the screen, or one JSON event a line; secrets never pass.
fn sink<'a>(log: Option<&str>, secrets: &[String], also: Option<&'a dyn Sink>) -> Box<dyn Sink + 'a> {
    let out = Box::new(std::io::stdout());
    let first: Box<dyn Sink> = match log {
        Some(_) => Box::new(JsonLog::new(out)),
        None => Box::new(Terminal::new(out, Screen::of_stdout())),
    };
    let all: Box<dyn Sink + 'a> = match also {
        Some(also) => Box::new(Fan(vec![first, Box::new(also)])),
        None => first,
    };
    Box::new(Masked::new(secrets, all))
}
