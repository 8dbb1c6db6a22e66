//! `run`, `sh`, `exec`: programs of the user's own. Values reach them as arguments or environment, never as shell text.

use std::path::PathBuf;
use std::time::Duration;

use super::{Containers, Needs, Spec, Stage, Undo, Verb, key};
use crate::drivers::Failure;
use crate::plan::{KeySpec, Text};
use crate::world::Command;

const TIMEOUT: KeySpec = key("timeout", "10m", "after this it is stopped and the step has failed");
const LIMIT: Duration = Duration::from_secs(600);

pub static RUN: Spec = Spec {
    name: "run",
    usage: "run [KEY=VALUE…] PROGRAM [ARGUMENT…]",
    summary: "runs a program on this machine",
    doc: "\
No shell is in between: arguments arrive as they are written, blanks and quotes included. Keys of zdt stand before
the program; whatever comes after it belongs to the program. It runs in the recipe's folder, finds this very zdt as
`$ZDT` in its environment, and cannot be undone.",
    keys: &[
        TIMEOUT,
        key(
            "provides",
            "nothing",
            "`engine`: this step starts the engine later steps need",
        ),
    ],
    raw: true,
    parse: |args| {
        let timeout = args.duration("timeout", LIMIT);
        let provides = args.key_as("provides", |text| match text {
            "engine" => Ok(()),
            _ => Err(format!("`{text}` is nothing a step can provide; `engine` is")),
        });
        let base = args.scope.sources.dir(args.span()).to_path_buf();
        let argv: Vec<Text> = args.rest().into_iter().map(|item| item.text).collect();
        if argv.is_empty() {
            args.report(args.error(args.span(), "`run` needs a program"));
        }
        Some(Box::new(Run {
            argv,
            timeout,
            base,
            engine: provides.is_some(),
        }))
    },
};

pub static SH: Spec = Spec {
    name: "sh",
    usage: "sh [NAME=VALUE…] 'SCRIPT'",
    summary: "runs a shell script",
    doc: "\
The script is `sh -euc` text in single quotes; values reach it as environment (`sh v=$version 'echo \"$v\"'`), so that
nothing is ever pasted into a shell. As with `run`, `$ZDT` is this very zdt. It cannot be undone.",
    keys: &[TIMEOUT],
    raw: false,
    parse: |args| {
        let timeout = args.duration("timeout", LIMIT);
        let env = args.others();
        let base = args.scope.sources.dir(args.span()).to_path_buf();
        let script = args.need("a script: `sh 'echo hello'`")?;
        if script.text.get().is_none() {
            args.report(
                args.error(script.span, "values do not belong into a script's text")
                    .help("hand them over: sh v=$value 'echo \"$v\"'"),
            );
        }
        Some(Box::new(Sh {
            script: script.text,
            env,
            timeout,
            base,
        }))
    },
};

pub static EXEC: Spec = Spec {
    name: "exec",
    usage: "exec SERVICE PROGRAM [ARGUMENT…]",
    summary: "runs a program inside a service's container",
    doc: "Without a terminal and without a shell in between. It cannot be undone.",
    keys: &[TIMEOUT],
    raw: true,
    parse: |args| {
        let timeout = args.duration("timeout", LIMIT);
        let service = args.need("a service and a program: `exec app_1 id`")?;
        let service = args.known(&service)?;
        let argv: Vec<Text> = args.rest().into_iter().map(|item| item.text).collect();
        if argv.is_empty() {
            args.report(args.error(args.span(), "`exec` needs a program"));
        }
        Some(Box::new(Exec { service, argv, timeout }))
    },
};

fn shown(argv: &[Text]) -> String {
    let words: Vec<String> = argv.iter().map(|word| crate::world::quote(&word.shown())).collect();
    words.join(" ")
}

fn last_line(stage: &Stage, output: &crate::world::Output) -> String {
    let line = output.stdout.lines().rev().find(|line| !line.trim().is_empty());
    stage.brief(line.unwrap_or_default(), 60)
}

#[derive(Debug)]
struct Run {
    argv: Vec<Text>,
    timeout: Duration,
    base: PathBuf,
    engine: bool,
}

impl Run {
    /// A program written with a `/` is relative to the recipe's file.
    fn program(&self, text: &str) -> String {
        match text.contains('/') {
            true => crate::plan::normal(&self.base.join(text))
                .to_string_lossy()
                .into_owned(),
            false => text.to_string(),
        }
    }
}

impl Verb for Run {
    fn title(&self) -> String {
        format!("run {}", shown(&self.argv))
    }

    fn needs(&self) -> Needs {
        let program = self.argv.first().and_then(Text::get).map(|text| self.program(text));
        Needs {
            programs: program.into_iter().collect(),
            ..Needs::default()
        }
    }

    fn gives(&self) -> Needs {
        Needs {
            engine: self.engine,
            ports: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::Never
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let mut argv = self.argv.iter().map(|word| stage.text(word));
        let Some(program) = argv.next() else {
            return Err(Failure::refused("there is no program"));
        };
        let output = stage.program(Command {
            cwd: Some(self.base.clone()),
            deadline: stage.limit(self.timeout),
            mutates: true,
            ..Command::new(self.program(&program), argv)
        })?;
        Ok(last_line(stage, &output))
    }
}

#[derive(Debug)]
struct Sh {
    script: Text,
    env: Vec<(String, Text)>,
    timeout: Duration,
    base: PathBuf,
}

impl Verb for Sh {
    fn title(&self) -> String {
        let script = self.script.shown();
        let first = script
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default()
            .to_string();
        let more = if script.trim().lines().count() > 1 { " …" } else { "" };
        format!("sh {first}{more}")
    }

    fn gives(&self) -> Needs {
        Needs {
            ports: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::Never
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let output = stage.program(Command {
            env: self
                .env
                .iter()
                .map(|(name, value)| (name.clone(), stage.text(value)))
                .collect(),
            cwd: Some(self.base.clone()),
            deadline: stage.limit(self.timeout),
            mutates: true,
            ..Command::new("sh", ["-euc".to_string(), stage.text(&self.script)])
        })?;
        Ok(last_line(stage, &output))
    }
}

#[derive(Debug)]
struct Exec {
    service: String,
    argv: Vec<Text>,
    timeout: Duration,
}

impl Verb for Exec {
    fn title(&self) -> String {
        format!("exec {} {}", self.service, shown(&self.argv))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            containers: true,
            ..Needs::default()
        }
    }

    fn gives(&self) -> Needs {
        Needs {
            ports: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::Never
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let argv: Vec<String> = self.argv.iter().map(|word| stage.text(word)).collect();
        let output = stage.program(Command {
            deadline: stage.limit(self.timeout),
            mutates: true,
            ..stage.site()?.compose.exec(&self.service, &argv, &[])
        })?;
        Ok(last_line(stage, &output))
    }
}
