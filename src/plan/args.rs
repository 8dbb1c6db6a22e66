//! The arguments of one command, taken one after the other by the verb that knows what they mean.

use std::path::PathBuf;
use std::time::Duration;

use super::{Deployment, Scope, Text, Value, types};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::Span;
use crate::syntax::ast::{Argument, Command};

/// A `key=value` that a verb takes.
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    pub name: &'static str,
    /// What it is when not given, as shown in documentation.
    pub default: &'static str,
    pub doc: &'static str,
}

/// A positional argument.
#[derive(Debug, Clone)]
pub struct Item {
    pub text: Text,
    pub span: Span,
}

/// What is left of a command's arguments.
pub struct Args<'a> {
    pub command: &'a Command,
    pub scope: &'a Scope<'a>,
    pub deployment: Option<&'a Deployment>,
    /// All service names are only known to compose; backends are known here.
    keys: &'static [KeySpec],
    positional: Vec<Item>,
    given: Vec<(&'a str, Value, Span)>,
}

impl<'a> Args<'a> {
    /// Looks all arguments up. `raw` verbs (`run`, `exec`) take keys only before their first word.
    pub fn new(
        command: &'a Command,
        scope: &'a Scope<'a>,
        deployment: Option<&'a Deployment>,
        keys: &'static [KeySpec],
        raw: bool,
    ) -> Self {
        let mut args = Self {
            command,
            scope,
            deployment,
            keys,
            positional: Vec::new(),
            given: Vec::new(),
        };
        for argument in &command.arguments {
            args.take(argument, raw);
        }
        args
    }

    fn take(&mut self, argument: &'a Argument, raw: bool) {
        let span = argument.span();
        match argument {
            Argument::Key {
                as_word: Some(word), ..
            } if raw && !self.positional.is_empty() => {
                let text = self.scope.text(word);
                self.positional.push(Item { text, span });
            }
            Argument::Key { key, value, .. } => {
                if let Some((_, _, first)) = self.given.iter().find(|(name, _, _)| *name == key.text) {
                    let message = format!("`{}` is given twice", key.text);
                    self.scope.report(
                        Diagnostic::error(Code::BAD_ARGUMENT, message)
                            .at(key.span, "")
                            .also(*first, "first here"),
                    );
                }
                self.given.push((&key.text, self.scope.any(value), span));
            }
            Argument::Word(word) => {
                for text in self.scope.items(word) {
                    self.positional.push(Item { text, span });
                }
            }
            Argument::List(list) => {
                for text in list.items.iter().flat_map(|word| self.scope.items(word)) {
                    self.positional.push(Item { text, span });
                }
            }
        }
    }

    pub fn span(&self) -> Span {
        let last = self.command.arguments.last();
        last.map_or(self.command.name.span, |argument| {
            self.command.name.span.to(argument.span())
        })
    }

    pub fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::BAD_ARGUMENT, message).at(span, "")
    }

    pub fn report(&self, diagnostic: Diagnostic) {
        self.scope.report(diagnostic);
    }

    /// All positional arguments that are left.
    pub fn rest(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.positional)
    }

    /// The next positional argument, if there is one.
    pub fn optional(&mut self) -> Option<Item> {
        (!self.positional.is_empty()).then(|| self.positional.remove(0))
    }

    /// The next positional argument; `what` says what is missing (``a file, `copy FROM TO` ``).
    pub fn need(&mut self, what: &str) -> Option<Item> {
        let item = self.optional();
        if item.is_none() {
            self.report(self.error(self.span(), format!("`{}` needs {what}", self.command.name.text)));
        }
        item
    }

    /// The rest as names of declared backends, at least one.
    pub fn backends(&mut self) -> Vec<String> {
        let items = self.rest();
        if items.is_empty() {
            let message = format!("`{}` needs at least one backend", self.command.name.text);
            self.report(
                self.error(self.span(), message)
                    .help("name one, or `$backends` for all"),
            );
        }
        let mut names = Vec::new();
        for item in items {
            let Some(name) = self.known(&item) else { continue };
            match self.deployment {
                Some(deployment) if deployment.backend(&name).is_none() => {
                    let known = deployment.backends.iter().map(|backend| backend.name.as_str());
                    let diagnostic = Diagnostic::error(Code::UNKNOWN_BACKEND, format!("there is no backend `{name}`"))
                        .at(item.span, "");
                    self.report(match crate::near(&name, known.clone()) {
                        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                        None => diagnostic.help(format!("declared are: {}", known.collect::<Vec<_>>().join(", "))),
                    });
                }
                Some(_) if names.contains(&name) => {}
                Some(_) => names.push(name),
                None => {
                    let message = format!(
                        "no backend is declared, so `{}` has nothing to work on",
                        self.command.name.text
                    );
                    self.report(
                        Diagnostic::error(Code::UNKNOWN_BACKEND, message)
                            .at(item.span, "")
                            .help("declare the application first (`compose …`, `backend …`), or `include app.zdt`"),
                    );
                }
            }
        }
        names
    }

    /// A text that must be known before the run.
    pub fn known(&self, item: &Item) -> Option<String> {
        match item.text.get() {
            Some(text) => Some(text.to_string()),
            None => {
                if !self.scope.lenient.get() {
                    self.report(
                        Diagnostic::error(Code::UNKNOWN_BEFORE_RUN, "this must be known before the run")
                            .at(item.span, "it is a command's output"),
                    );
                }
                None
            }
        }
    }

    /// A key's text, if given.
    pub fn key(&mut self, name: &str) -> Option<Item> {
        let at = self.given.iter().position(|(key, _, _)| *key == name)?;
        let (_, value, span) = self.given.remove(at);
        match value {
            Value::Text(text) => Some(Item { text, span }),
            Value::List(_) => {
                self.report(self.error(span, format!("`{name}` takes one value, not a list")));
                None
            }
        }
    }

    /// A key's text that must be known before the run.
    pub fn key_known(&mut self, name: &str) -> Option<(String, Span)> {
        let item = self.key(name)?;
        Some((self.known(&item)?, item.span))
    }

    /// A key read by one of [`types`]'s functions.
    pub fn key_as<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (text, span) = self.key_known(name)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.report(Diagnostic::error(Code::WRONG_TYPE, why).at(span, ""));
                None
            }
        }
    }

    pub fn duration(&mut self, name: &str, default: Duration) -> Duration {
        self.key_as(name, types::duration).unwrap_or(default)
    }

    pub fn flag(&mut self, name: &str) -> bool {
        self.key_as(name, types::bool).unwrap_or(false)
    }

    /// A path, relative to the file it is written in.
    pub fn path(&self, item: &Item) -> PathBuf {
        self.path_of(&item.text.shown(), item.span)
    }

    pub fn path_of(&self, text: &str, span: Span) -> PathBuf {
        super::load::normal(&self.scope.sources.dir(span).join(text))
    }

    /// Keys that are none of the verb's own (`sh v=$version '…'`): names with values.
    pub fn others(&mut self) -> Vec<(String, Text)> {
        let own = self.keys;
        let (mine, others) = std::mem::take(&mut self.given)
            .into_iter()
            .partition::<Vec<_>, _>(|(name, _, _)| own.iter().any(|key| key.name == *name));
        self.given = mine;
        others
            .into_iter()
            .filter_map(|(name, value, span)| match value {
                Value::Text(text) => Some((name.to_string(), text)),
                Value::List(_) => {
                    self.report(self.error(span, format!("`{name}` takes one value, not a list")));
                    None
                }
            })
            .collect()
    }

    /// Reports whatever nobody took. Call it last.
    pub fn finish(mut self) {
        let verb = self.command.name.text.clone();
        for item in std::mem::take(&mut self.positional) {
            let message = format!("`{verb}` takes no further argument `{}`", item.text.shown());
            self.report(self.error(item.span, message));
        }
        for (name, _, span) in std::mem::take(&mut self.given) {
            let names = self.keys.iter().map(|key| key.name);
            let diagnostic = Diagnostic::error(Code::UNKNOWN_KEY, format!("`{verb}` has no key `{name}`")).at(span, "");
            let listed: Vec<&str> = names.clone().collect();
            self.report(match (crate::near(name, names), listed.is_empty()) {
                (Some(near), _) => diagnostic.help(format!("did you mean `{near}`?")),
                (None, true) => diagnostic.help(format!("`{verb}` takes no keys")),
                (None, false) => diagnostic.help(format!("it takes: {}", listed.join(", "))),
            });
        }
    }
}
