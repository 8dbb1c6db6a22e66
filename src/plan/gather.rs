//! Gathers what the texts declare at their top: params, tasks, defs, `let`s, and the commands that declare.

use std::collections::BTreeMap;

use super::scope::Declared;
use super::types::ParamType;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Block, Command, Name, Script, Statement, StatementKind};
use crate::syntax::{SourceId, Span};

/// A `task` or a `def`.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    pub name: &'a Name,
    pub parameters: &'a [Name],
    pub body: &'a Block,
}

/// Everything declared at the top of the texts, the included before the includer.
#[derive(Debug, Default)]
pub struct Declarations<'a> {
    pub params: BTreeMap<String, Declared>,
    /// In source order; the named file's own first.
    pub tasks: Vec<Named<'a>>,
    pub defs: Vec<Named<'a>>,
    pub lets: Vec<&'a Statement>,
    pub on_failure: Vec<&'a Block>,
    pub finally: Vec<&'a Block>,
    /// `compose`, `proxy`, `backend`, `policy`.
    pub commands: Vec<&'a Command>,
    /// Steps outside any task, of the named file.
    pub loose: Vec<&'a Statement>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Words that declare; they stand outside tasks.
pub const DECLARING: &[&str] = &["compose", "proxy", "backend", "policy"];

pub fn gather(scripts: &[Script]) -> Declarations<'_> {
    let mut found = Declarations::default();
    for (index, script) in scripts.iter().enumerate() {
        for statement in &script.statements {
            found.statement(statement, index == 0);
        }
    }
    // Included files declare before their includer uses it.
    found
        .commands
        .sort_by_key(|command| std::cmp::Reverse(command.name.span.source));
    found
        .lets
        .sort_by_key(|statement| std::cmp::Reverse(statement.span.source));
    found
}

impl<'a> Declarations<'a> {
    fn statement(&mut self, statement: &'a Statement, main: bool) {
        match &statement.kind {
            StatementKind::Include { .. } => {}
            StatementKind::Param {
                name,
                kind,
                secret,
                default,
                doc,
            } => {
                let kind = kind.as_ref().and_then(|kind| {
                    let known = ParamType::NAMES.iter().find(|(text, _)| *text == kind.text);
                    known.map(|(_, kind)| *kind)
                });
                let declared = Declared {
                    name: name.clone(),
                    kind: kind.unwrap_or(ParamType::String),
                    secret: *secret,
                    doc: doc.clone(),
                    default: default.clone(),
                };
                self.param(declared);
            }
            StatementKind::Let { .. } => self.lets.push(statement),
            StatementKind::Task { name, body, .. } => {
                let task = Named {
                    name,
                    parameters: &[],
                    body,
                };
                self.check_twice(name, "task");
                self.tasks.push(task);
            }
            StatementKind::Def {
                name, parameters, body, ..
            } => {
                self.check_twice(name, "def");
                self.defs.push(Named { name, parameters, body });
            }
            StatementKind::OnFailure { body } => self.on_failure.push(body),
            StatementKind::Finally { body } => self.finally.push(body),
            StatementKind::Command(command) if DECLARING.contains(&command.name.text.as_str()) => {
                self.commands.push(command);
            }
            StatementKind::Command(_)
            | StatementKind::For { .. }
            | StatementKind::If { .. }
            | StatementKind::Retry { .. }
            | StatementKind::Timeout { .. } => {
                if main {
                    self.loose.push(statement);
                } else {
                    self.diagnostics.push(
                        Diagnostic::error(
                            Code::WRONG_PLACE,
                            "an included file only declares; steps belong into a task",
                        )
                        .at(statement.span, "")
                        .help("put it into `task NAME { … }`"),
                    );
                }
            }
        }
    }

    /// Tasks and defs are called alike, so they share their names.
    fn check_twice(&mut self, name: &Name, what: &str) {
        let mut known = self.tasks.iter().chain(&self.defs);
        if let Some(first) = known.find(|named| named.name.text == name.text) {
            let what = format!("the {what} `{}`", name.text);
            self.diagnostics
                .push(Diagnostic::twice(&what, name.span, first.name.span));
        }
    }

    /// The includer's declaration beats the included one; the nearest to the named file has the lowest id.
    fn param(&mut self, declared: Declared) {
        let name = declared.name.text.clone();
        match self.params.get(&name) {
            Some(first) if first.name.span.source == declared.name.span.source => {
                let what = format!("the param `{name}`");
                self.diagnostics
                    .push(Diagnostic::twice(&what, declared.name.span, first.name.span));
            }
            Some(_) => {}
            None => {
                self.params.insert(name, declared);
            }
        }
    }
}

/// Where the named file begins, for errors that have no better place.
pub fn top() -> Span {
    Span::new(SourceId(0), 0, 0)
}
