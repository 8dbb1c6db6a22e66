//! `pull`: images onto the engine, before anything is drained.

use std::time::Duration;

use super::{Containers, Needs, Spec, Stage, Undo, Verb, key};
use crate::drivers::Failure;
use crate::plan::{Args, Text};

pub static SPEC: Spec = Spec {
    name: "pull",
    usage: "pull IMAGE…",
    summary: "brings images onto the engine",
    doc: "\
Do it before the first drain: a slow registry then costs nobody anything. An image that the engine has is used as it
is when it cannot be pulled, and the step says why. The tag becomes an image id once, for the whole run.",
    keys: &[key("timeout", "10m", "the longest one image may take")],
    raw: false,
    parse,
};

#[derive(Debug)]
struct Pull {
    images: Vec<Text>,
    timeout: Duration,
}

fn parse(args: &mut Args) -> Option<Box<dyn Verb>> {
    let images: Vec<Text> = args.rest().into_iter().map(|item| item.text).collect();
    if images.is_empty() {
        args.report(args.error(args.span(), "`pull` needs an image: `pull REPO:TAG`"));
    }
    Some(Box::new(Pull {
        images,
        timeout: args.duration("timeout", Duration::from_secs(600)),
    }))
}

impl Pull {
    fn known(&self) -> Vec<String> {
        self.images
            .iter()
            .filter_map(|image| image.get().map(str::to_string))
            .collect()
    }
}

impl Verb for Pull {
    fn title(&self) -> String {
        let images: Vec<String> = self.images.iter().map(Text::shown).collect();
        format!("pull {}", images.join(" "))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            pulls: self.known(),
            ..Needs::default()
        }
    }

    fn gives(&self) -> Needs {
        Needs {
            images: self.known(),
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
        let mut lines = Vec::new();
        for image in &self.images {
            lines.push(site.pull(&stage.text(image), stage.limit(self.timeout))?);
        }
        Ok(lines.join("; "))
    }
}
