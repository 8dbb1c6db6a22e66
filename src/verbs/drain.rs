//! `drain`: out of traffic, and proved to be.

use std::time::Duration;

use super::{ALLOW, Containers, Needs, Spec, Stage, Undo, Verb, allow, allowed, key};
use crate::drivers::Failure;
use crate::plan::types::show_duration;
use crate::plan::{Args, declared};
use crate::site::{Allow, OnTimeout};

pub static SPEC: Spec = Spec {
    name: "drain",
    usage: "drain BACKEND…",
    summary: "takes backends out of traffic and waits until their last request is answered",
    doc: "\
The proxy gets a configuration without them, and the reload is proved: the new generation answers and new
workers run. Then zdt waits until every nginx worker from before is gone, for only then can no request reach them.

When that takes longer than `timeout` the backends serve again and the step has failed; nothing else changed.
It is refused when fewer healthy backends than `min_serving` would be left.

What an app goes on with *after* it has answered is not seen by a drain; its `stop_grace_period` covers that.",
    keys: &[
        key("timeout", "30s", "the longest the last requests may take"),
        key("on_timeout", "back", "`cut`: go on and lose what is still in flight"),
        ALLOW,
    ],
    raw: false,
    parse,
};

#[derive(Debug)]
struct Drain {
    backends: Vec<String>,
    timeout: Duration,
    on_timeout: OnTimeout,
    allow: Allow,
}

fn parse(args: &mut Args) -> Option<Box<dyn Verb>> {
    let on_timeout = args.key_as("on_timeout", |text| match text {
        "back" => Ok(OnTimeout::PutBack),
        "cut" => Ok(OnTimeout::Cut),
        _ => Err(format!("`{text}` is neither `back` nor `cut`")),
    });
    Some(Box::new(Drain {
        backends: args.backends(),
        timeout: args.duration("timeout", declared::DRAIN_LIMIT),
        on_timeout: on_timeout.unwrap_or_default(),
        allow: allow(args),
    }))
}

impl Verb for Drain {
    fn title(&self) -> String {
        let cut = match self.on_timeout {
            OnTimeout::PutBack => "",
            OnTimeout::Cut => " on_timeout=cut",
        };
        format!("drain {}{cut}{}", self.backends.join(" "), allowed(self.allow))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            containers: true,
            proxy: true,
            longest_drain: match self.on_timeout {
                OnTimeout::PutBack => self.timeout,
                // It was told to cut.
                OnTimeout::Cut => Duration::ZERO,
            },
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
        let limit = stage.limit(self.timeout);
        let drained = stage
            .site()?
            .drain(&self.backends, limit, self.on_timeout, self.allow)?;
        Ok(match drained.cut {
            0 => format!("generation {} live · 0 connections left", drained.generation),
            left => format!(
                "generation {} live · cut after {}: {} still busy",
                drained.generation,
                show_duration(drained.took),
                crate::count(left, "worker")
            ),
        })
    }
}
