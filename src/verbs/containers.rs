//! `start`, `stop`, `restart`, `down`.

use super::{ALLOW, Containers, Needs, Spec, Stage, Undo, Verb, allow, allowed, key};
use crate::drivers::Failure;
use crate::plan::Args;
use crate::site::Allow;

pub static START: Spec = Spec {
    name: "start",
    usage: "start BACKEND…",
    summary: "starts stopped containers of backends",
    doc: "It does not wait for health: `await healthy` does. Traffic is not changed.",
    keys: &[],
    raw: false,
    parse: |args| simple(args, What::Start),
};

pub static STOP: Spec = Spec {
    name: "stop",
    usage: "stop BACKEND…",
    summary: "stops containers of backends",
    doc: "A backend in traffic is refused: `drain` it first.",
    keys: &[ALLOW],
    raw: false,
    parse: |args| simple(args, What::Stop),
};

pub static RESTART: Spec = Spec {
    name: "restart",
    usage: "restart BACKEND…",
    summary: "restarts containers of backends",
    doc: "A backend in traffic is refused: `drain` it first.",
    keys: &[ALLOW],
    raw: false,
    parse: |args| simple(args, What::Restart),
};

pub static DOWN: Spec = Spec {
    name: "down",
    usage: "down allow=downtime [volumes=true]",
    summary: "removes the whole application",
    doc: "Containers and networks of the project go; with `volumes=true` its data goes too. It cannot be undone.",
    keys: &[ALLOW, key("volumes", "false", "remove the project's volumes as well")],
    raw: false,
    parse: |args| {
        let volumes = args.flag("volumes");
        let allow = allow(args);
        Some(Box::new(Down { volumes, allow }))
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Start,
    Stop,
    Restart,
}

#[derive(Debug)]
struct Simple {
    what: What,
    backends: Vec<String>,
    allow: Allow,
}

fn simple(args: &mut Args, what: What) -> Option<Box<dyn Verb>> {
    Some(Box::new(Simple {
        what,
        allow: if what == What::Start {
            Allow::Nothing
        } else {
            allow(args)
        },
        backends: args.backends(),
    }))
}

impl Verb for Simple {
    fn title(&self) -> String {
        let verb = match self.what {
            What::Start => "start",
            What::Stop => "stop",
            What::Restart => "restart",
        };
        format!("{verb} {}{}", self.backends.join(" "), allowed(self.allow))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            containers: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        match self.what {
            What::Start => Undo::Nothing,
            What::Stop | What::Restart => Undo::BeforeImage,
        }
    }

    fn containers(&self) -> Containers {
        match self.what {
            What::Start | What::Restart => Containers::Changed,
            What::Stop => Containers::Stopped,
        }
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let site = stage.site()?;
        match self.what {
            What::Start => site.start(&self.backends)?,
            What::Stop => site.stop(&self.backends, self.allow)?,
            What::Restart => site.restart(&self.backends, self.allow)?,
        }
        Ok(String::new())
    }
}

#[derive(Debug)]
struct Down {
    volumes: bool,
    allow: Allow,
}

impl Verb for Down {
    fn title(&self) -> String {
        let volumes = if self.volumes { " volumes=true" } else { "" };
        format!("down{volumes}{}", allowed(self.allow))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::Never
    }

    fn containers(&self) -> Containers {
        Containers::Changed
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        match stage.site()?.down(self.volumes, self.allow)? {
            0 => Ok("nothing was there".to_string()),
            number => Ok(format!("{} removed", crate::count(number, "container"))),
        }
    }
}
