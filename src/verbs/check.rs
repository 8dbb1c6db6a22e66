//! `assert` and `expect`: the run goes on only when something holds.

use super::{Containers, Spec, Stage, Undo, Verb, await_, key};
use crate::drivers::Failure;
use crate::plan::{Args, Text};

pub static ASSERT: Spec = Spec {
    name: "assert",
    usage: "assert A == B | assert A != B",
    summary: "fails the run unless two values are equal (or differ)",
    doc: "Values known before the run are compared before the run, and a failing one is an error of the recipe.",
    keys: &[],
    raw: true,
    parse: assert,
};

pub static EXPECT: Spec = Spec {
    name: "expect",
    usage: "expect http URL [status=200] [contains=TEXT]",
    summary: "asks once and fails the run unless the answer is as expected",
    doc: "From this machine, on a fresh connection. To wait for an answer use `await http`.",
    keys: &[
        key("status", "200 to 299", "the exact status"),
        key("contains", "anything", "a whole token of the body"),
    ],
    raw: false,
    parse: |args| {
        let what = args.need("`http` and a URL")?;
        if what.text.get() != Some("http") {
            args.report(args.error(what.span, "`expect` knows `http` only"));
        }
        let url = args.need("a URL")?.text;
        Some(Box::new(Expect {
            url,
            status: args.key_as("status", await_::status),
            contains: args.key("contains").map(|item| item.text),
        }))
    },
};

fn assert(args: &mut Args) -> Option<Box<dyn Verb>> {
    let left = args.need("two values: `assert $a == $b`")?;
    let operator = args.need("`==` or `!=`")?;
    let right = args.need("a second value")?;
    let equal = match operator.text.get() {
        Some("==") => true,
        Some("!=") => false,
        _ => {
            args.report(args.error(operator.span, "this must be `==` or `!=`"));
            true
        }
    };
    if let (Some(a), Some(b)) = (left.text.get(), right.text.get())
        && (a == b) != equal
        && !args.scope.lenient.get()
    {
        let is = if equal { "differ" } else { "are equal" };
        args.report(args.error(args.span(), format!("`{a}` and `{b}` {is}")));
    }
    Some(Box::new(Assert {
        left: left.text,
        right: right.text,
        equal,
    }))
}

#[derive(Debug)]
struct Assert {
    left: Text,
    right: Text,
    equal: bool,
}

impl Verb for Assert {
    fn title(&self) -> String {
        let operator = if self.equal { "==" } else { "!=" };
        format!("assert {} {operator} {}", self.left.shown(), self.right.shown())
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let (a, b) = (stage.text(&self.left), stage.text(&self.right));
        if stage.dry || (a == b) == self.equal {
            return Ok(String::new());
        }
        let is = if self.equal { "differ" } else { "are equal" };
        Err(Failure::new(format!("`{a}` and `{b}` {is}")))
    }
}

#[derive(Debug)]
struct Expect {
    url: Text,
    status: Option<u16>,
    contains: Option<Text>,
}

impl Verb for Expect {
    fn title(&self) -> String {
        format!("expect http {}", self.url.shown())
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let url = stage.text(&self.url);
        let contains = self.contains.as_ref().map(|text| stage.text(text));
        if stage.dry {
            return Ok(String::new());
        }
        await_::get(stage, &url, self.status, contains.as_deref())
            .map_err(|why| Failure::new(format!("GET {url}: {why}")))
    }
}
