//! `enable`: back into traffic, healthy and the same container before and after.

use super::{Containers, Needs, Spec, Stage, Undo, Verb};
use crate::drivers::Failure;
use crate::plan::Args;

pub static SPEC: Spec = Spec {
    name: "enable",
    usage: "enable BACKEND…",
    summary: "puts backends back into traffic",
    doc: "\
Each must answer its health endpoint now, as the last `await healthy` of it demanded, and be the very container that
was awaited: a restart in between fails the step. The reload is proved, and the container looked at once more.",
    keys: &[],
    raw: false,
    parse,
};

#[derive(Debug)]
struct Enable {
    backends: Vec<String>,
}

fn parse(args: &mut Args) -> Option<Box<dyn Verb>> {
    Some(Box::new(Enable {
        backends: args.backends(),
    }))
}

impl Verb for Enable {
    fn title(&self) -> String {
        format!("enable {}", self.backends.join(" "))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            containers: true,
            proxy: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::BeforeImage
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let site = stage.site()?;
        site.enable(&self.backends)?;
        Ok(format!("generation {} live", site.state().generation))
    }
}
