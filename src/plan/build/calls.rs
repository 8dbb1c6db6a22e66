//! Calls: tasks and defs, with their arguments bound.

use super::Builder;
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::gather::Named;
use crate::plan::scope::Frame;
use crate::plan::{Node, NodeKind, Text, Value};
use crate::syntax::Span;
use crate::syntax::ast::{Argument, Command, Name};

/// Calls of defs and tasks within each other.
const DEPTH: usize = 64;

/// A def's arguments as one call gives them.
struct Call {
    names: Frame,
    /// All were given.
    complete: bool,
    /// For people: the call with the values that are known now.
    title: String,
}

impl<'a> Builder<'a> {
    pub(super) fn too_deep(&self, span: Span) -> bool {
        if self.depth >= DEPTH {
            let message = format!("tasks and defs call each other more than {DEPTH} deep");
            self.scope.report(
                Diagnostic::error(Code::CIRCLE, message)
                    .at(span, "here")
                    .help("does one call itself?"),
            );
        }
        self.depth >= DEPTH
    }

    pub(super) fn call_task(&mut self, task: Named<'a>, span: Span, id: String) -> Node {
        let mut children = Vec::new();
        if !self.too_deep(span) {
            self.depth += 1;
            let outer = self.scope.enter_alone(Frame::new());
            children = self.inner(task.body, &id);
            self.scope.leave_alone(outer);
            self.depth -= 1;
        }
        Node {
            id,
            span,
            kind: NodeKind::Group {
                title: task.name.text.clone(),
                children,
            },
        }
    }

    pub(super) fn call_def(
        &mut self,
        def: Named<'a>,
        command: &'a Command,
        id: String,
        nodes: &mut Vec<Node>,
    ) -> Option<Node> {
        let span = command.name.span;
        self.place(&id);
        let Call { names, complete, title } = self.bind_arguments(def, command);
        self.asked(nodes);
        if self.too_deep(span) {
            return None;
        }
        self.depth += 1;
        let outer = self.scope.enter_alone(names);
        let lenient = self.scope.lenient.get();
        self.scope.lenient.set(lenient || !complete);
        let children = self.inner(def.body, &id);
        self.scope.lenient.set(lenient);
        self.scope.leave_alone(outer);
        self.depth -= 1;
        Some(Node {
            id,
            span,
            kind: NodeKind::Group { title, children },
        })
    }

    /// The def's arguments. One that is missing is told here; inside the def it stands for something that is not known,
    /// so that what hangs on it is not told as well.
    fn bind_arguments(&self, def: Named<'a>, command: &'a Command) -> Call {
        let mut names = Frame::new();
        let mut title = command.name.text.clone();
        let mut free = def.parameters.iter();
        for argument in &command.arguments {
            let (name, value) = match argument {
                Argument::Key { key, value, .. } => match def.parameters.iter().find(|name| name.text == key.text) {
                    Some(name) => (name, self.scope.any(value)),
                    None => {
                        let message = format!("`{}` has no argument `{}`", def.name.text, key.text);
                        self.scope.report(
                            Diagnostic::error(Code::UNKNOWN_KEY, message)
                                .at(key.span, "")
                                .also(def.name.span, "declared here"),
                        );
                        continue;
                    }
                },
                Argument::Word(_) | Argument::List(_) => match free.find(|name| !names.contains_key(&name.text)) {
                    Some(name) => (name, self.positional(argument)),
                    None => {
                        let message = format!(
                            "`{}` takes {}",
                            def.name.text,
                            crate::count(def.parameters.len(), "argument")
                        );
                        self.scope
                            .report(Diagnostic::error(Code::BAD_ARGUMENT, message).at(argument.span(), "too many"));
                        continue;
                    }
                },
            };
            title.push(' ');
            title.push_str(&self.shown(argument, &value));
            names.insert(name.text.clone(), (value, name.span));
        }
        let missing: Vec<&Name> = def
            .parameters
            .iter()
            .filter(|name| !names.contains_key(&name.text))
            .collect();
        for name in &missing {
            let message = format!("`{}` needs `{}`", def.name.text, name.text);
            self.scope.report(
                Diagnostic::error(Code::BAD_ARGUMENT, message)
                    .at(command.name.span, "")
                    .also(name.span, "declared here"),
            );
            let unknown = Value::Text(Text::not_given(&name.text));
            names.insert(name.text.clone(), (unknown, name.span));
        }
        let complete = missing.is_empty();
        Call { names, complete, title }
    }

    /// An argument with its value where that is known, else as it is written.
    fn shown(&self, argument: &Argument, value: &Value) -> String {
        let word = |text: &Text| {
            let known = text.get()?;
            let plain = !known.is_empty() && !known.contains(char::is_whitespace);
            Some(if plain {
                known.to_string()
            } else {
                format!("\"{known}\"")
            })
        };
        let shown = match value {
            Value::Text(text) => word(text),
            Value::List(list) => list
                .iter()
                .map(word)
                .collect::<Option<Vec<_>>>()
                .map(|words| format!("[{}]", words.join(" "))),
        };
        match (shown, argument) {
            (None, _) => self.scope.sources.text(argument.span()).to_string(),
            (Some(shown), Argument::Key { key, .. }) => format!("{}={shown}", key.text),
            (Some(shown), Argument::Word(_) | Argument::List(_)) => shown,
        }
    }

    pub(super) fn positional(&self, argument: &'a Argument) -> Value {
        match argument {
            Argument::Word(word) => self.scope.value(word),
            Argument::List(list) => Value::List(list.items.iter().flat_map(|word| self.scope.items(word)).collect()),
            Argument::Key { value, .. } => self.scope.any(value),
        }
    }
}
