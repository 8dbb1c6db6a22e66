//! A docker command line, taken apart.

use super::cannot_play;
use crate::world::simulated::engine::Failure;

/// Options with a value of the commands played here. What is in neither list is a gap.
pub(super) const VALUED: &[&str] = &[
    "--format",
    "-f",
    "--filter",
    "--type",
    "--tail",
    "-n",
    "--since",
    "-s",
    "--signal",
    "-t",
    "--time",
    "--timeout",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "-e",
    "--env",
    "--memory",
    "-m",
    "--memory-swap",
    "--cpus",
    "--subnet",
    "--ip-range",
    "--label",
    "--name",
    "--network",
    "--restart",
];

pub(super) const FLAGS: &[&str] = &[
    "-a",
    "--all",
    "--no-trunc",
    "-q",
    "--quiet",
    "--force",
    "-v",
    "--volumes",
    "-i",
    "-T",
    "--timestamps",
    "--rm",
    "-d",
    "--no-prune",
    "--size",
];

/// A command line taken apart: options with their values, then words.
pub(super) struct Args<'a> {
    pub(super) options: Vec<(&'a str, &'a str)>,
    pub(super) words: Vec<&'a str>,
}

impl<'a> Args<'a> {
    /// `stop_at`: after this many words everything is a word (`exec ID program -x`).
    pub(super) fn parse(args: &'a [String], stop_at: usize) -> Result<Self, Failure> {
        let mut parsed = Self {
            options: Vec::new(),
            words: Vec::new(),
        };
        let mut rest = args.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            if parsed.words.len() >= stop_at || !word.starts_with('-') || word == "-" {
                parsed.words.push(word);
            } else if let Some((name, value)) = word.split_once('=').filter(|(name, _)| VALUED.contains(name)) {
                parsed.options.push((name, value));
            } else if VALUED.contains(&word) && !(word == "-f" && parsed.force_command(args)) {
                parsed.options.push((word, rest.next().unwrap_or_default()));
            } else if FLAGS.contains(&word) || word == "-f" {
                parsed.options.push((word, ""));
            } else {
                return Err(cannot_play(word));
            }
        }
        Ok(parsed)
    }

    /// In `rm -f` and `rmi -f` it means "force", elsewhere "filter" or "format".
    fn force_command(&self, args: &[String]) -> bool {
        args.first().is_some_and(|first| matches!(first.as_str(), "rm" | "rmi"))
            || matches!(self.words.first(), Some(&"rm" | &"rmi"))
    }

    pub(super) fn get(&self, names: &[&str]) -> Option<&'a str> {
        self.options
            .iter()
            .rev()
            .find(|(name, _)| names.contains(name))
            .map(|(_, value)| *value)
    }

    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.get(names).is_some()
    }
}

pub(super) fn word<'a>(args: &Args<'a>, at: usize) -> &'a str {
    args.words.get(at).copied().unwrap_or_default()
}
