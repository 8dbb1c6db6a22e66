//! `say`, `warn`, `confirm`, `irreversible`, `fail`.

use super::{Containers, Needs, Spec, Stage, Undo, Verb};
use crate::drivers::Failure;
use crate::plan::{Args, Text};

pub static SAY: Spec = Spec {
    name: "say",
    usage: "say TEXT…",
    summary: "prints a line",
    doc: "Several words are joined by blanks.",
    keys: &[],
    raw: true,
    parse: |args| talk(args, What::Say),
};

pub static WARN: Spec = Spec {
    name: "warn",
    usage: "warn TEXT…",
    summary: "prints a line that stands out",
    doc: "The run goes on.",
    keys: &[],
    raw: true,
    parse: |args| talk(args, What::Warn),
};

pub static CONFIRM: Spec = Spec {
    name: "confirm",
    usage: "confirm QUESTION…",
    summary: "asks a person and goes on only after `y`",
    doc: "Without a terminal the run is refused before it begins, unless `--yes` was given; in an `if`, when it comes to it.",
    keys: &[],
    raw: true,
    parse: |args| talk(args, What::Confirm),
};

pub static IRREVERSIBLE: Spec = Spec {
    name: "irreversible",
    usage: "irreversible REASON…",
    summary: "says that from here on there is no way back",
    doc: "\
A migration ran, a message went out: after this line a failure pauses instead of rolling back, and says this reason.",
    keys: &[],
    raw: true,
    parse: |args| talk(args, What::Irreversible),
};

pub static FAIL: Spec = Spec {
    name: "fail",
    usage: "fail REASON…",
    summary: "fails the run, with a reason",
    doc: "The failure policy follows, as after any failed step.",
    keys: &[],
    raw: true,
    parse: |args| talk(args, What::Fail),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Say,
    Warn,
    Confirm,
    Irreversible,
    Fail,
}

#[derive(Debug)]
struct Talk {
    what: What,
    words: Vec<Text>,
}

fn talk(args: &mut Args, what: What) -> Option<Box<dyn Verb>> {
    let words: Vec<Text> = args.rest().into_iter().map(|item| item.text).collect();
    if words.is_empty() {
        args.report(args.error(args.span(), format!("`{}` needs a text", args.command.name.text)));
    }
    Some(Box::new(Talk { what, words }))
}

impl Verb for Talk {
    fn title(&self) -> String {
        let verb = match self.what {
            What::Say => "say",
            What::Warn => "warn",
            What::Confirm => "confirm",
            What::Irreversible => "irreversible",
            What::Fail => "fail",
        };
        let words: Vec<String> = self.words.iter().map(Text::shown).collect();
        format!("{verb} {}", words.join(" "))
    }

    fn needs(&self) -> Needs {
        Needs {
            question: (self.what == What::Confirm).then(|| self.title()),
            ..Needs::default()
        }
    }

    fn gives(&self) -> Needs {
        Needs {
            // Whoever is asked may first do what the question is about.
            ports: self.what == What::Confirm,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let words: Vec<String> = self.words.iter().map(|word| stage.text(word)).collect();
        let line = words.join(" ");
        match self.what {
            What::Say => (stage.say)(&line, false),
            What::Warn => (stage.say)(&line, true),
            What::Irreversible => (stage.irreversible)(&line)?,
            What::Fail if stage.dry => {}
            What::Fail => return Err(Failure::new(line)),
            What::Confirm if stage.yes || stage.dry => return Ok("yes (--yes)".to_string()),
            What::Confirm => match stage.console.confirm(&line) {
                Some(true) => return Ok("yes".to_string()),
                Some(false) => return Err(Failure::refused(format!("not confirmed: {line}"))),
                None => {
                    return Err(Failure::refused(format!("nobody is here to confirm: {line}"))
                        .help("run it in a terminal, or give `--yes`"));
                }
            },
        }
        Ok(String::new())
    }
}
