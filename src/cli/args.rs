//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Command, Parser, Subcommand};

use crate::probe::ProbeArgs;

/// Upgrades docker-compose applications without losing a request.
#[derive(Debug, Parser)]
#[command(
    name = "zdt",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_flag = true,
    mut_subcommands(with_help),
    after_help = "zdt RECIPE --help shows the recipe's own params and tasks; zdt explain VERB or CODE explains."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Sub>,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The recipe's file; `-` reads it from standard input
    pub recipe: Option<String>,
    /// Tasks to run; without one, the recipe's first
    pub tasks: Vec<String>,
    #[command(flatten)]
    pub with: RecipeArgs,
    /// Show every command and every changed line, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Answer `confirm` with yes
    #[arg(long, short)]
    pub yes: bool,
    /// Write a report of the run as an HTML page
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print events as JSON, one a line
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    pub log: Option<String>,
    /// Go on although users may lose service (recorded in the journal)
    #[arg(long, value_name = "WHAT", value_parser = ["downtime"])]
    pub allow: Option<String>,
    /// Wait so long for another run to end
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", hide_default_value = true)]
    pub lock_wait: std::time::Duration,
    /// Show help; with a RECIPE, its own
    #[arg(long, short)]
    pub help: bool,
}

impl RunArgs {
    /// Nothing is said of a run.
    pub fn is_bare(&self) -> bool {
        let with = &self.with;
        let said = self.yes || self.report.is_some() || self.log.is_some() || self.allow.is_some();
        !said && with.set.is_empty() && with.files.is_empty() && self.lock_wait.is_zero()
    }
}

/// How a recipe is read, for every command that takes one.
#[derive(Debug, Clone, Default, Args)]
pub struct RecipeArgs {
    /// Steps given here instead of a file
    #[arg(long = "command", short = 'c', value_name = "STEPS")]
    pub text: Option<String>,
    /// Include this file first (for `-c`)
    #[arg(long = "file", short = 'f', value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Give a param of the recipe
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// The compose command (also ZDT_COMPOSE)
    #[arg(long, value_name = "COMMAND", env = "ZDT_COMPOSE")]
    pub compose_command: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Sub {
    /// Read a recipe, resolve it, and prove that no single failure leaves users without a backend
    Check {
        recipe: Option<String>,
        tasks: Vec<String>,
        #[command(flatten)]
        with: RecipeArgs,
        /// Print findings as `file:line:col: …`
        #[arg(long)]
        short: bool,
    },
    /// Steady requests to a URL: availability, latency, longest outage, versions seen
    Probe(Box<ProbeArgs>),
    /// What is serving now
    Status(ProjectArgs),
    /// What was done
    History(ProjectArgs),
    /// Finish an interrupted run
    Resume {
        #[command(flatten)]
        project: ProjectArgs,
        /// Run a step again whose end was not recorded
        #[arg(long, conflicts_with = "skip")]
        again: bool,
        /// Go on behind a step whose end was not recorded
        #[arg(long)]
        skip: bool,
    },
    /// Undo an interrupted run, or go back to the images that served before
    Rollback {
        #[command(flatten)]
        project: ProjectArgs,
        /// Only show what would run again
        #[arg(long)]
        dry_run: bool,
        /// Go back although users may lose service, or although something was done that has no way back
        #[arg(long, value_name = "WHAT", value_parser = ["downtime", "irreversible"])]
        allow: Vec<String>,
    },
    /// Leave everything as it is and forget an interrupted run
    Abandon(ProjectArgs),
    /// Lay out recipes evenly
    Fmt {
        files: Vec<PathBuf>,
        /// Only tell which files would change
        #[arg(long)]
        check: bool,
    },
    /// Explain a code (`Z101`), a verb (`drain`) or a declaration (`backend`); without one, list them
    Explain { word: Option<String> },
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

/// Which deployment.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// A recipe that declares the application
    pub recipe: Option<String>,
    /// The application's folder, the one with `.zdt` in it
    #[arg(long, value_name = "FOLDER", conflicts_with = "recipe")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub with: RecipeArgs,
    /// Wait so long for another run to end
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", hide_default_value = true)]
    pub lock_wait: std::time::Duration,
    /// Print events as JSON, one a line
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    pub log: Option<String>,
}

/// What `zdt` does with `--help` itself holds for its commands too, so each gets one of its own.
fn with_help(command: Command) -> Command {
    let help = Arg::new("help").long("help").short('h').action(ArgAction::Help);
    command.arg(help.help("Show help"))
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("write NAME=VALUE".to_string()),
    }
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::plan::types::duration(text)
}
