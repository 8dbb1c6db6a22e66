//! What is wrong with a recipe, as plain data.
//!
//! Every stage that reads what a person wrote (syntax, plan, templates) reports with a [`Diagnostic`];
//! one renderer draws it for people, one as `file:line:col`. No text is laid out where it is raised.

mod codes;
mod excerpt;
mod render;

pub use codes::{CODES, Code, CodeDoc, explain};
pub use render::{RenderStyle, render_all, summary};

use crate::syntax::Span;
use crate::syntax::ast::Name;

/// How bad it is. An error stops everything before anything is touched; a warning is shown and the run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One finding, with the place that caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// Lower case, no full stop, names in backticks.
    pub message: String,
    /// The place to underline and what to write beneath it (may be empty).
    pub primary: Option<(Span, String)>,
    /// Other places that explain it.
    pub secondary: Vec<(Span, String)>,
    /// One sentence: what to type instead.
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: None,
        }
    }

    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// A word of the language that nothing behind it can do yet. Syntax says it where a block was written, and the plan
    /// of every such statement: the same finding, so that it is told once.
    pub fn not_yet(name: &Name) -> Self {
        let message = format!(
            "`{}` is a reserved word that this version of zdt cannot do yet",
            name.text
        );
        Self::error(Code::RESERVED_WORD, message)
            .at(name.span, "")
            .help("leave it out, or write what it would do step by step")
    }

    /// A name with two declarations, in either order; `what` is the name with its kind.
    pub fn twice(what: &str, one: Span, other: Span) -> Self {
        let (first, second) = match one.source == other.source && one.start < other.start {
            true => (one, other),
            false => (other, one),
        };
        Self::error(Code::TWICE, format!("{what} is declared twice"))
            .at(second, "")
            .also(first, "first here")
            .help("give one of them another name, or remove it")
    }

    /// The place itself, with a short label (`""` for none).
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.primary = Some((span, label.into()));
        self
    }

    pub fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.secondary.push((span, label.into()));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
