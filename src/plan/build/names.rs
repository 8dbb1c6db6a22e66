//! Names: taken ones, unknown ones, ones in the wrong place.

use super::{Builder, RESERVED};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::gather::DECLARING;
use crate::syntax::ast::{Command, Name};
use crate::syntax::{Span, is_keyword};
use crate::verbs;

impl Builder<'_> {
    /// Nothing declared takes a word of the language, and a def has each argument once.
    pub(super) fn check_names(&self) {
        for named in self.declared.defs.iter().chain(&self.declared.tasks) {
            self.check_word(named.name, taken(&named.name.text));
            for (at, name) in named.parameters.iter().enumerate() {
                self.check_word(name, no_value(&name.text));
                if let Some(first) = named.parameters[..at].iter().find(|known| known.text == name.text) {
                    let what = format!("the argument `{}`", name.text);
                    self.scope.report(Diagnostic::twice(&what, name.span, first.span));
                }
            }
        }
        for param in self.scope.declared().values() {
            self.check_word(&param.name, no_value(&param.name.text));
        }
    }

    /// A name that a `let` or a loop is about to set.
    pub(super) fn check_variable(&self, name: &Name) {
        match no_value(&name.text) {
            true => self.check_word(name, true),
            false => self.scope.check_new(name),
        }
    }

    fn check_word(&self, name: &Name, taken: bool) {
        if taken {
            let message = format!("`{}` is a word of the language", name.text);
            self.scope.report(
                Diagnostic::error(Code::TAKEN_NAME, message)
                    .at(name.span, "cannot be taken")
                    .help(format!("call it `my_{}`", name.text)),
            );
        }
    }

    pub(super) fn misplaced(&self, span: Span, what: &str) {
        let message = format!("`{what}` stands inside a block");
        self.scope.report(
            Diagnostic::error(Code::WRONG_PLACE, message)
                .at(span, "")
                .help("move it to the top of the file"),
        );
    }

    pub(super) fn unknown(&self, command: &Command) {
        let name = command.name.text.as_str();
        let span = command.name.span;
        if RESERVED.contains(&name) {
            return self.scope.report(Diagnostic::not_yet(&command.name));
        }
        if DECLARING.contains(&name) {
            return self.misplaced(span, name);
        }
        let verbs: Vec<&str> = verbs::names().collect();
        let known = verbs
            .iter()
            .copied()
            .chain(self.declared.defs.iter().map(|def| def.name.text.as_str()))
            .chain(self.declared.tasks.iter().map(|task| task.name.text.as_str()))
            .chain(DECLARING.iter().copied());
        let diagnostic = Diagnostic::error(Code::UNKNOWN_VERB, format!("there is no verb `{name}`")).at(span, "");
        self.scope.report(match crate::near(name, known) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("to run a program write `run {name} …`")),
        });
    }
}

/// Not a verb's or task's name: keywords, verbs of today and later, what declares.
fn taken(name: &str) -> bool {
    no_value(name) || verbs::find(name).is_some() || RESERVED.contains(&name) || DECLARING.contains(&name)
}

/// Not a value's name: keywords, and the one list that zdt sets itself. A value is written with `$`, so that
/// `for backend in $backends` and `param timeout` are clear.
fn no_value(name: &str) -> bool {
    is_keyword(name) || name == "backends"
}
