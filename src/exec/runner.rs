//! Walks the nodes of a plan. Each step: journal its beginning, do it, journal its end, tell what happened.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use super::journal::Journal;
use super::options::{OpenStep, Options, find_tools};
use super::{Bounded, Event, Sink, preflight};
use crate::drivers::{Failure, FailureKind};
use crate::plan::{Condition, Mask, Node, NodeKind, Plan, Text};
use crate::site::{Site, Templates, Tools};
use crate::syntax::Span;
use crate::verbs::{Console, Stage, Undo, Verb};
use crate::world::{Command, Lock, World};

/// Everything a run works with.
pub struct Runner<'a> {
    pub world: &'a dyn World,
    /// The same world: where a `timeout` block sets its end.
    pub bound: &'a Bounded<'a>,
    pub plan: &'a Plan,
    pub sink: &'a dyn Sink,
    pub journal: &'a Journal<'a>,
    pub templates: &'a Templates,
    pub lock: Option<&'a Lock>,
    pub options: &'a Options,
    pub console: &'a dyn Console,
    pub nonce: &'a dyn Fn() -> String,
    pub tools: &'a OnceCell<Tools>,
    pub site: &'a OnceCell<Site<'a>>,
    pub outputs: RefCell<BTreeMap<String, String>>,
    /// A run that goes on after another.
    pub resumed: bool,
    /// The running application was looked at before anything was done to it.
    pub looked: Cell<bool>,
}

/// The first step that failed.
#[derive(Debug)]
pub struct Stopped {
    pub node: String,
    pub failure: Failure,
}

impl<'a> Runner<'a> {
    pub fn tools(&self) -> Result<&'a Tools, Failure> {
        if self.tools.get().is_none() {
            let declared = self
                .plan
                .deployment
                .as_ref()
                .and_then(|deployment| deployment.compose.command.as_deref());
            let _ = self.tools.set(find_tools(self.world, self.options, declared)?);
        }
        self.tools.get().ok_or_else(|| Failure::new("no engine was found"))
    }

    /// The deployment, opened when first needed.
    pub fn site(&self) -> Result<&'a Site<'a>, Failure> {
        if self.site.get().is_none() {
            let deployment = self.plan.deployment.as_ref().ok_or_else(|| {
                Failure::refused("no application is declared").help("declare it with `compose …`, or `include app.zdt`")
            })?;
            let site = Site::open(
                self.world,
                deployment,
                self.tools()?,
                self.templates,
                self.lock,
                self.journal,
                self.nonce,
            )?;
            site.allow_downtime.set(self.options.allow_downtime);
            site.goes_on.set(self.resumed);
            let _ = self.site.set(site);
        }
        self.site
            .get()
            .ok_or_else(|| Failure::new("the deployment could not be opened"))
    }

    /// Runs `nodes` one after the other; stops at the first failure.
    pub fn nodes(&self, nodes: &'a [Node], depth: usize, end: Option<Duration>) -> Result<(), Stopped> {
        // What was done before a crash is not done again, but within the group where it stopped the waits are:
        // a container may have died since.
        let open = self.resumed && nodes.iter().any(|node| !self.all_done(node));
        nodes.iter().try_for_each(|node| self.node(node, depth, end, open))
    }

    fn all_done(&self, node: &Node) -> bool {
        match &node.kind {
            NodeKind::Step(verb) => self.is_done(node, verb.as_ref()),
            NodeKind::Ask { .. } => self.journal.is_done(&node.id),
            NodeKind::Group { children, .. }
            | NodeKind::Retry { children, .. }
            | NodeKind::Timeout { children, .. } => {
                self.journal.is_done(&node.id) || children.iter().all(|child| self.all_done(child))
            }
            NodeKind::If { .. } => self.journal.is_done(&node.id),
        }
    }

    /// Done, and no rollback has undone it since.
    fn is_done(&self, node: &Node, verb: &dyn Verb) -> bool {
        let undone = self.journal.is_undone(&node.id) && verb.undo() != Undo::Never;
        self.journal.is_done(&node.id) && !undone
    }

    fn node(&self, node: &'a Node, depth: usize, end: Option<Duration>, open: bool) -> Result<(), Stopped> {
        let stop = |failure: Failure| Stopped {
            node: node.id.clone(),
            failure,
        };
        match &node.kind {
            NodeKind::Group { title, children } => {
                if !title.is_empty() {
                    self.sink.event(&Event::Group {
                        title: title.clone(),
                        depth,
                    });
                }
                let deeper = if title.is_empty() { depth } else { depth + 1 };
                self.nodes(children, deeper, end)
            }
            NodeKind::Step(verb) => self.step(node, verb.as_ref(), depth, end, open),
            NodeKind::Ask { key, words } => self.ask(node, key, words).map_err(stop),
            NodeKind::If {
                condition,
                then,
                otherwise,
                shown,
            } => {
                if self.options.dry && !self.decidable(condition) {
                    let both = [(shown.clone(), then), (format!("else of {shown}"), otherwise)];
                    for (title, nodes) in both.into_iter().filter(|(_, nodes)| !nodes.is_empty()) {
                        self.sink.event(&Event::Group { title, depth });
                        self.nodes(nodes, depth + 1, end)?;
                    }
                    return Ok(());
                }
                let branch = match self.holds(condition).map_err(stop)? {
                    true => then,
                    false => otherwise,
                };
                self.nodes(branch, depth, end)
            }
            NodeKind::Retry { times, every, children } => self.retry(*times, *every, children, depth, end),
            NodeKind::Timeout { limit, children } => {
                let own = self.world.now() + *limit;
                let end = end.map_or(own, |end| end.min(own));
                let before = self.bound.set(Some(end));
                let done = self.nodes(children, depth, Some(end));
                self.bound.set(before);
                done
            }
        }
    }

    fn retry(
        &self,
        times: usize,
        every: Duration,
        children: &'a [Node],
        depth: usize,
        end: Option<Duration>,
    ) -> Result<(), Stopped> {
        let mut attempt = 1;
        loop {
            match self.nodes(children, depth, end) {
                Err(stopped) if attempt < times && !self.options.dry && stopped.failure.kind == FailureKind::Failed => {
                    self.sink.event(&Event::Warned {
                        line: format!("try {attempt} of {times} failed: {}", stopped.failure.message),
                    });
                    attempt += 1;
                    if !self.world.pause(every) {
                        return Err(Stopped {
                            failure: Failure::interrupted(),
                            ..stopped
                        });
                    }
                }
                other => return other,
            }
        }
    }

    fn step(
        &self,
        node: &'a Node,
        verb: &'a dyn Verb,
        depth: usize,
        end: Option<Duration>,
        open: bool,
    ) -> Result<(), Stopped> {
        let id = node.id.clone();
        let title = verb.title();
        let skip = self.resumed && self.is_done(node, verb) && !(open && verb.looks());
        if skip || self.skip_open(node, verb) {
            self.sink.event(&Event::Skipped { id, title, depth });
            return Ok(());
        }
        self.sink.event(&Event::StepStarted {
            id: id.clone(),
            title: title.clone(),
            depth,
        });
        let start = self.world.now();
        let result = self.attempt(node, verb, end);
        let took = self.world.now().saturating_sub(start);
        match result {
            Ok(detail) => {
                self.sink.event(&Event::StepDone {
                    id,
                    title,
                    depth,
                    detail,
                    took,
                });
                Ok(())
            }
            Err(failure) => {
                let (place, source_line) = self.place(node.span);
                self.sink.event(&Event::StepFailed {
                    id: id.clone(),
                    title,
                    depth,
                    failure: failure.clone(),
                    place,
                    source_line,
                    took,
                });
                Err(Stopped { node: id, failure })
            }
        }
    }

    fn skip_open(&self, node: &Node, verb: &dyn Verb) -> bool {
        self.resumed
            && verb.undo() == Undo::Never
            && self.options.open_step == OpenStep::Skip
            && self.journal.is_begun(&node.id)
            && !self.journal.is_done(&node.id)
    }

    fn attempt(&self, node: &'a Node, verb: &'a dyn Verb, end: Option<Duration>) -> Result<String, Failure> {
        if self.world.pending().is_some() {
            return Err(Failure::interrupted());
        }
        if end.is_some_and(|end| self.world.now() >= end) {
            return Err(Failure::new("the time of the block around this step is over"));
        }
        let unclear = self.resumed && verb.undo() == Undo::Never && self.journal.is_begun(&node.id);
        if unclear && self.options.open_step == OpenStep::Ask {
            return Err(Failure::refused(format!(
                "`{}` was begun before zdt stopped, and whether it was done is not known",
                verb.title()
            ))
            .help("look, then `zdt resume --again` to run it once more, or `zdt resume --skip` to go on behind it"));
        }
        preflight::late(self, verb)?;
        let begun = self.journal.begin(&node.id)?;
        let result = self.perform(node, verb, end);
        begun.end(result.as_deref())?;
        result
    }

    fn perform(&self, node: &'a Node, verb: &'a dyn Verb, end: Option<Duration>) -> Result<String, Failure> {
        let site = || self.site();
        let outputs = self.outputs.borrow().clone();
        let (sink, id) = (self.sink, node.id.clone());
        let say = |line: &str, warning: bool| {
            let line = line.to_string();
            sink.event(&Event::Said { line, warning });
        };
        let progress = |line: &str| {
            sink.event(&Event::Progress {
                id: id.clone(),
                line: line.to_string(),
            });
        };
        let irreversible = |reason: &str| self.journal.mark_irreversible(reason);
        verb.run(&Stage {
            world: self.world,
            site: &site,
            outputs: &outputs,
            mask: &Mask::new(&self.plan.secrets),
            end,
            lock: self.lock,
            console: self.console,
            yes: self.options.yes,
            zdt: self.options.zdt.as_deref(),
            dry: self.options.dry,
            say: &say,
            progress: &progress,
            irreversible: &irreversible,
        })
    }

    fn ask(&self, node: &Node, key: &str, words: &[Text]) -> Result<(), Failure> {
        if self.options.dry {
            return Ok(());
        }
        if self.resumed
            && let Some(known) = self.journal.outputs().get(key)
        {
            self.outputs.borrow_mut().insert(key.to_string(), known.clone());
            return Ok(());
        }
        let begun = self.journal.begin(&node.id)?;
        let result = self.command(words, node.span);
        let kept = result.as_ref().map(|_| "");
        begun.end(kept)?;
        let output = result?;
        self.journal.output(key, &output)?;
        self.outputs.borrow_mut().insert(key.to_string(), output);
        Ok(())
    }

    fn command(&self, words: &[Text], span: Span) -> Result<String, Failure> {
        let mut argv = words
            .iter()
            .map(|word| word.now(&self.outputs.borrow()))
            .collect::<Vec<_>>()
            .into_iter();
        let Some(program) = argv.next() else {
            return Err(Failure::refused("`$( )` is empty"));
        };
        let command = Command {
            cwd: Some(self.plan.sources.dir(span).to_path_buf()),
            ..Command::new(program, argv)
        };
        let output = self.world.run(&command)?;
        match output.success() {
            true => Ok(output.stdout.trim().to_string()),
            false => Err(crate::drivers::said(&command, &output)),
        }
    }

    /// Whether a dry run can decide it: files can be looked at, commands are not run.
    fn decidable(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Known(_) => true,
            Condition::Exists(text, _) => text.get().is_some(),
            Condition::Equal(a, b) => a.get().is_some() && b.get().is_some(),
            Condition::Succeeds(_) => false,
            Condition::And(a, b) | Condition::Or(a, b) => self.decidable(a) && self.decidable(b),
            Condition::Not(inner) => self.decidable(inner),
        }
    }

    fn holds(&self, condition: &Condition) -> Result<bool, Failure> {
        let outputs = self.outputs.borrow().clone();
        Ok(match condition {
            Condition::Known(known) => *known,
            Condition::Equal(a, b) => a.now(&outputs) == b.now(&outputs),
            Condition::Exists(text, dir) => {
                let path = crate::plan::normal(&dir.join(text.now(&outputs)));
                let kind = self.world.kind(&path);
                kind.map_err(|error| Failure::new(format!("cannot look at `{}`: {error}", path.display())))?
                    .is_some()
            }
            Condition::Succeeds(words) => {
                let mut argv = words.iter().map(|word| word.now(&outputs));
                let program = argv.next().unwrap_or_default();
                self.world.run(&Command::new(program, argv))?.success()
            }
            Condition::And(a, b) => self.holds(a)? && self.holds(b)?,
            Condition::Or(a, b) => self.holds(a)? || self.holds(b)?,
            Condition::Not(inner) => !self.holds(inner)?,
        })
    }

    /// Where a node stands in its recipe: `recipes/upgrade.zdt:12` and the line.
    pub fn place(&self, span: Span) -> (String, String) {
        let source = self.plan.sources.get(span.source);
        let (line, _) = self.plan.sources.line_column(span);
        let text = source.text.lines().nth(line - 1).unwrap_or_default().trim().to_string();
        (format!("{}:{line}", source.name), text)
    }
}
