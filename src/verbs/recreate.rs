//! `recreate`: a new container, most often with a new image.

use super::{ALLOW, Containers, Needs, Spec, Stage, Undo, Verb, allow, allowed, key};
use crate::drivers::Failure;
use crate::plan::{Args, Text};
use crate::site::Allow;

pub static SPEC: Spec = Spec {
    name: "recreate",
    usage: "recreate BACKEND… [image=REPO:TAG]",
    summary: "gives backends new containers, side by side",
    doc: "\
The compose file is rendered with the new image for these backends and with what runs now for all others; compose
must accept it before it replaces the old file. No other service is touched and nothing is pulled or built.
A backend in traffic is refused: `drain` it first. What ran before is kept, so that it can come back.",
    keys: &[
        key(
            "image",
            "what it runs now",
            "the image; it must be on the engine (`pull` it before the drain)",
        ),
        ALLOW,
    ],
    raw: false,
    parse,
};

#[derive(Debug)]
struct Recreate {
    backends: Vec<String>,
    image: Option<Text>,
    allow: Allow,
}

fn parse(args: &mut Args) -> Option<Box<dyn Verb>> {
    Some(Box::new(Recreate {
        image: args.key("image").map(|item| item.text),
        allow: allow(args),
        backends: args.backends(),
    }))
}

impl Verb for Recreate {
    fn title(&self) -> String {
        let image = self
            .image
            .as_ref()
            .map(|image| format!(" image={}", image.shown()))
            .unwrap_or_default();
        format!("recreate {}{image}{}", self.backends.join(" "), allowed(self.allow))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            containers: true,
            new_images: match self.image {
                Some(_) => self.backends.clone(),
                None => Vec::new(),
            },
            images: self
                .image
                .iter()
                .filter_map(|image| image.get().map(str::to_string))
                .collect(),
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::BeforeImage
    }

    fn containers(&self) -> Containers {
        Containers::Changed
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let image = self.image.as_ref().map(|image| stage.text(image));
        let done = stage.site()?.recreate(&self.backends, image.as_deref(), self.allow)?;
        let mut lines: Vec<String> = done
            .iter()
            .map(|one| match &one.before {
                Some(before) if *before != one.after => format!("{before} → {}", tag(&one.after, before)),
                Some(before) => format!("{before} again"),
                None => format!("new: {}", one.after),
            })
            .collect();
        lines.dedup();
        Ok(lines.join(" · "))
    }
}

/// Only the tag where the repository is the same.
fn tag<'a>(after: &'a str, before: &str) -> &'a str {
    match (after.rsplit_once(':'), before.rsplit_once(':')) {
        (Some((repo, tag)), Some((old, _))) if repo == old && !tag.contains('/') => tag,
        _ => after,
    }
}
