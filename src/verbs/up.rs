//! `up`: what is missing starts, what runs stays.

use super::{Containers, Needs, Spec, Stage, Start, Undo, Verb, key};
use crate::drivers::Failure;
use crate::plan::{Args, Text};

pub static SPEC: Spec = Spec {
    name: "up",
    usage: "up [SERVICE…] [image=REPO:TAG] [adopt=true]",
    summary: "starts what is missing; never recreates what runs",
    doc: "\
Writes the compose file and the proxy's configuration where they are missing, creates and starts services without a
running container, and leaves all others as they are. Run twice, it changes nothing the second time. A backend that is new
beside others that serve is not put into traffic: `enable` does that once it is healthy. A running nginx whose file zdt did
not write keeps it, unless `adopt=true` says that the template stands for it: then a copy of that file is kept in `.zdt`, and zdt's own is
validated, reloaded and proved; no request is lost, and the old one comes back where that fails.",
    keys: &[
        key(
            "image",
            "what ran last",
            "the image of backends that have no container yet",
        ),
        key(
            "adopt",
            "false",
            "put zdt's configuration in the place of one that somebody else wrote",
        ),
    ],
    raw: false,
    parse,
};

#[derive(Debug)]
struct Up {
    services: Vec<String>,
    image: Option<Text>,
    adopt: bool,
}

fn parse(args: &mut Args) -> Option<Box<dyn Verb>> {
    let image = args.key("image").map(|item| item.text);
    let adopt = args.flag("adopt");
    let items = args.rest();
    let services = items.iter().filter_map(|item| args.known(item)).collect();
    if args.deployment.is_none() {
        args.report(args.error(args.span(), "there is nothing to start: no `compose` is declared"));
    }
    Some(Box::new(Up { services, image, adopt }))
}

impl Verb for Up {
    fn title(&self) -> String {
        let mut title = String::from("up");
        for service in &self.services {
            title.push(' ');
            title.push_str(service);
        }
        if let Some(image) = &self.image {
            title.push_str(&format!(" image={}", image.shown()));
        }
        if self.adopt {
            title.push_str(" adopt=true");
        }
        title
    }

    fn needs(&self) -> Needs {
        let image = self.image.as_ref().map(|image| image.get().map(str::to_string));
        let start = |image: Option<String>| Start {
            services: self.services.clone(),
            image,
        };
        Needs {
            engine: true,
            images: image.clone().flatten().into_iter().collect(),
            starts: match image {
                None => vec![start(None)],
                Some(Some(known)) => vec![start(Some(known))],
                Some(None) => Vec::new(),
            },
            compose_file: true,
            ..Needs::default()
        }
    }

    fn gives(&self) -> Needs {
        Needs {
            containers: self.services.is_empty(),
            proxy: self.services.is_empty(),
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
        stage.site()?.up(&self.services, image.as_deref(), self.adopt)
    }
}
