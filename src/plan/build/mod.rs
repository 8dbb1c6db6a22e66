//! Statements to nodes: tasks and defs called, loops unrolled, verbs read, ids given.

mod calls;
mod control;
mod names;

use std::collections::{BTreeMap, HashMap};

use super::declare;
use super::gather::{self, Declarations, Named};
use super::scope::Frame;
use super::{Args, Deployment, Loaded, Node, NodeKind, OUTCOME, Plan, Scope, Settings, Text, Value, types};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::syntax::SourceId;
use crate::syntax::ast::{Block, Command, Statement, StatementKind};
use crate::verbs;

/// Words kept for what comes later. A `def` cannot take them.
pub const RESERVED: &[&str] = &["watch", "weight", "limit", "switch", "parallel", "notify", "build"];

/// Nodes of one plan: a loop in a loop in a loop is a mistake before it is a plan.
const NODES: usize = 200_000;

/// A checked plan, or everything that is wrong with the recipe (warnings come along in both cases).
pub fn build(loaded: Loaded, settings: &Settings) -> Result<(Plan, Vec<Diagnostic>), (Loaded, Vec<Diagnostic>)> {
    let mut diagnostics = loaded.diagnostics.clone();
    let built = assemble(&loaded, settings, &mut diagnostics);
    diagnostics.sort_by_key(|diagnostic| {
        let place = diagnostic.primary.as_ref().map(|(span, _)| (span.source, span.start));
        (place.is_some(), place)
    });
    diagnostics.dedup();
    let failed = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    match built {
        Some(mut plan) if !failed => {
            plan.sources = loaded.sources;
            Ok((plan, diagnostics))
        }
        _ => Err((loaded, diagnostics)),
    }
}

/// Only what the recipe declares, for commands that ask about an application and run nothing of the recipe.
pub fn declared(loaded: Loaded, settings: &Settings) -> Result<Plan, (Loaded, Vec<Diagnostic>)> {
    let mut diagnostics = loaded.diagnostics.clone();
    let mut declared = gather::gather(&loaded.scripts);
    diagnostics.append(&mut declared.diagnostics);
    let scope = Scope::new(&loaded.sources, settings, std::mem::take(&mut declared.params));
    let deployment = declare::deployment(&declared.commands, &scope);
    let (params, secrets, env) = (scope.params(), scope.secrets.take(), scope.env.take());
    diagnostics.append(&mut scope.diagnostics.take());
    if diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
    {
        return Err((loaded, diagnostics));
    }
    Ok(Plan {
        name: loaded.sources.get(SourceId(0)).name.clone(),
        sources: loaded.sources,
        params,
        secrets,
        env,
        deployment,
        nodes: Vec::new(),
        on_failure: Vec::new(),
        finally: Vec::new(),
    })
}

fn assemble(loaded: &Loaded, settings: &Settings, diagnostics: &mut Vec<Diagnostic>) -> Option<Plan> {
    let mut declared = gather::gather(&loaded.scripts);
    diagnostics.append(&mut declared.diagnostics);
    let scope = Scope::new(&loaded.sources, settings, std::mem::take(&mut declared.params));
    for (name, _) in &settings.set {
        if !scope.declared().contains_key(name) {
            let known = scope.declared().keys().map(String::as_str);
            let diagnostic =
                Diagnostic::error(Code::UNKNOWN_PARAM, format!("--set {name}: there is no param `{name}`"));
            scope.report(match crate::near(name, known.clone()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("declared are: {}", known.collect::<Vec<_>>().join(", "))),
            });
        }
    }
    let deployment = declare::deployment(&declared.commands, &scope);
    let mut builder = Builder {
        scope: &scope,
        deployment: deployment.as_ref(),
        declared: &declared,
        depth: 0,
        count: 0,
    };
    builder.check_names();
    let mut nodes = builder.lets();
    nodes.extend(builder.chosen(&settings.tasks));
    let on_failure = builder.on_failure();
    let finally = builder.blocks(&declared.finally, "finally");
    builder.the_others(&settings.tasks);
    let params = scope.params();
    let (secrets, env) = (scope.secrets.take(), scope.env.take());
    diagnostics.append(&mut scope.diagnostics.take());
    Some(Plan {
        name: loaded.sources.get(SourceId(0)).name.clone(),
        sources: Default::default(),
        params,
        secrets,
        env,
        nodes,
        on_failure,
        finally,
        deployment,
    })
}

struct Builder<'a> {
    scope: &'a Scope<'a>,
    deployment: Option<&'a Deployment>,
    declared: &'a Declarations<'a>,
    depth: usize,
    count: usize,
}

impl<'a> Builder<'a> {
    /// `$outcome` is set in there, and known only when it comes to that. A param of that name is the recipe's own.
    fn on_failure(&mut self) -> Vec<Node> {
        let mut frame = Frame::new();
        if !self.scope.declared().contains_key(OUTCOME) {
            let value = Value::Text(Text::output(OUTCOME, "<outcome>"));
            frame.insert(OUTCOME.to_string(), (value, gather::top()));
        }
        self.scope.enter(frame);
        let nodes = self.blocks(&self.declared.on_failure, "on_failure");
        self.scope.leave();
        nodes
    }

    fn lets(&mut self) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut used = HashMap::new();
        for statement in &self.declared.lets {
            self.statement(statement, "let", &mut used, &mut nodes);
        }
        nodes
    }

    /// The named tasks, else the first of the named file, else its loose steps.
    fn chosen(&mut self, tasks: &[String]) -> Vec<Node> {
        if !self.declared.loose.is_empty() {
            if let Some(task) = self
                .declared
                .tasks
                .iter()
                .find(|task| task.name.span.source == SourceId(0))
            {
                self.scope.report(
                    Diagnostic::error(Code::WRONG_PLACE, "a step stands outside the recipe's tasks")
                        .at(self.declared.loose[0].span, "would never be run")
                        .also(task.name.span, "this is the task that is run")
                        .help("move it into a task"),
                );
            } else if tasks.is_empty() {
                let mut nodes = Vec::new();
                let mut used = HashMap::new();
                for statement in &self.declared.loose {
                    self.statement(statement, "", &mut used, &mut nodes);
                }
                return nodes;
            }
        }
        let mut nodes = Vec::new();
        let named: Vec<Named<'a>> = match tasks {
            [] => {
                let first = self
                    .declared
                    .tasks
                    .iter()
                    .find(|task| task.name.span.source == SourceId(0));
                if first.is_none() && self.declared.loose.is_empty() {
                    let help = match self.declared.tasks.first() {
                        Some(task) => format!("name a task, for instance `{}`", task.name.text),
                        None => "write steps, or `task NAME { … }`".to_string(),
                    };
                    let message = "there is nothing to run: this file has no task of its own";
                    self.scope.report(
                        Diagnostic::error(Code::NO_TASK, message)
                            .at(gather::top(), "")
                            .help(help),
                    );
                }
                first.copied().into_iter().collect()
            }
            tasks => tasks.iter().filter_map(|name| self.task_named(name)).collect(),
        };
        let mut used = HashMap::new();
        for task in named {
            let id = unique("", &task.name.text, &mut used);
            nodes.push(self.call_task(task, task.name.span, id));
        }
        nodes
    }

    fn task_named(&self, name: &str) -> Option<Named<'a>> {
        let found = self.declared.tasks.iter().find(|task| task.name.text == name);
        if found.is_none() {
            let known = self.declared.tasks.iter().map(|task| task.name.text.as_str());
            let diagnostic = Diagnostic::error(Code::NO_TASK, format!("there is no task `{name}`"));
            self.scope.report(match crate::near(name, known.clone()) {
                _ if name.contains('=') => diagnostic.help(format!("did you mean `--set {name}`?")),
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("tasks are: {}", known.collect::<Vec<_>>().join(", "))),
            });
        }
        found.copied()
    }

    /// Reads the tasks that were not chosen, so that their mistakes show too.
    fn the_others(&mut self, chosen: &[String]) {
        self.scope.lenient.set(true);
        for task in &self.declared.tasks {
            if !chosen.contains(&task.name.text) {
                self.block(task.body, &task.name.text);
            }
        }
        self.scope.lenient.set(false);
    }

    fn blocks(&mut self, blocks: &[&'a Block], name: &str) -> Vec<Node> {
        blocks.iter().flat_map(|block| self.block(block, name)).collect()
    }

    /// The nodes of a block, in a scope of its own.
    fn block(&mut self, block: &'a Block, prefix: &str) -> Vec<Node> {
        self.scope.enter(BTreeMap::new());
        let nodes = self.inner(block, prefix);
        self.scope.leave();
        nodes
    }

    fn inner(&mut self, block: &'a Block, prefix: &str) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(block.statements.len());
        let mut used = HashMap::new();
        for statement in &block.statements {
            if self.count > NODES {
                break;
            }
            self.statement(statement, prefix, &mut used, &mut nodes);
        }
        nodes
    }

    fn statement(
        &mut self,
        statement: &'a Statement,
        prefix: &str,
        used: &mut HashMap<String, usize>,
        nodes: &mut Vec<Node>,
    ) {
        self.count += 1;
        if self.count == NODES {
            let message = format!("the plan has more than {NODES} steps");
            self.scope
                .report(Diagnostic::error(Code::TOO_MANY_STEPS, message).at(statement.span, "reached here"));
        }
        let span = statement.span;
        let id = |name: &str, used: &mut HashMap<String, usize>| unique(prefix, name, used);
        match &statement.kind {
            StatementKind::Command(command) => {
                let id = id(&command.name.text, used);
                self.command(command, id, nodes);
            }
            StatementKind::Let { name, value } => {
                let id = id(&format!("let[{}]", name.text), used);
                self.place(&id);
                let value = self.scope.any(value);
                self.asked(nodes);
                self.check_variable(name);
                self.scope.bind(&name.text, value, name.span);
            }
            StatementKind::For {
                variable,
                list,
                batch,
                body,
            } => self.each(span, variable, list, batch.as_ref(), body, prefix, used, nodes),
            StatementKind::If { branches, otherwise } => {
                let id = id("if", used);
                let node = self.branch(span, id, branches, otherwise.as_ref(), nodes);
                nodes.extend(node);
            }
            StatementKind::Retry { times, options, body } => {
                let id = id("retry", used);
                let kind = self.retry(times, options, body, &id, span);
                nodes.push(Node { id, span, kind });
            }
            StatementKind::Timeout { limit, body } => {
                let id = id("timeout", used);
                let limit = self.typed(limit, types::duration).unwrap_or_default();
                let children = self.block(body, &id);
                nodes.push(Node {
                    id,
                    span,
                    kind: NodeKind::Timeout { limit, children },
                });
            }
            StatementKind::Include { .. } => self.misplaced(span, "include"),
            StatementKind::Param { .. } => self.misplaced(span, "param"),
            StatementKind::Task { .. } => self.misplaced(span, "task"),
            StatementKind::Def { .. } => self.misplaced(span, "def"),
            StatementKind::OnFailure { .. } => self.misplaced(span, "on failure"),
            StatementKind::Finally { .. } => self.misplaced(span, "finally"),
        }
    }

    fn place(&self, id: &str) {
        let mut place = self.scope.place.borrow_mut();
        place.clear();
        place.push_str(id);
    }

    /// The commands asked while the last words were looked up come before the step that uses them.
    fn asked(&self, nodes: &mut Vec<Node>) {
        for asked in self.scope.asked.take() {
            nodes.push(Node {
                id: asked.key.clone(),
                span: asked.span,
                kind: NodeKind::Ask {
                    key: asked.key,
                    words: asked.words,
                },
            });
        }
    }

    fn command(&mut self, command: &'a Command, id: String, nodes: &mut Vec<Node>) {
        let name = command.name.text.as_str();
        if let Some(spec) = verbs::find(name) {
            self.place(&id);
            let mut args = Args::new(command, self.scope, self.deployment, spec.keys, spec.raw);
            let verb = (spec.parse)(&mut args);
            let span = args.span();
            args.finish();
            self.asked(nodes);
            if let Some(verb) = verb {
                nodes.push(Node {
                    id,
                    span,
                    kind: NodeKind::Step(verb),
                });
            }
            return;
        }
        if let Some(def) = self.declared.defs.iter().find(|def| def.name.text == name).copied() {
            let node = self.call_def(def, command, id, nodes);
            nodes.extend(node);
            return;
        }
        if let Some(task) = self.declared.tasks.iter().find(|task| task.name.text == name).copied() {
            if let Some(argument) = command.arguments.first() {
                let message = format!("the task `{name}` takes no arguments");
                self.scope
                    .report(Diagnostic::error(Code::BAD_ARGUMENT, message).at(argument.span(), ""));
            }
            let node = self.call_task(task, command.name.span, id);
            nodes.push(node);
            return;
        }
        self.unknown(command);
    }
}

/// `prefix/name`, numbered from the second on within one block.
fn unique(prefix: &str, name: &str, used: &mut HashMap<String, usize>) -> String {
    let count = used.entry(name.to_string()).or_insert(0);
    *count += 1;
    let slash = if prefix.is_empty() { "" } else { "/" };
    match *count {
        1 => format!("{prefix}{slash}{name}"),
        number => format!("{prefix}{slash}{name}#{number}"),
    }
}
