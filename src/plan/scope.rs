//! Names to values: loop variables and `let`s, then params, then what zdt knows itself.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::types::ParamType;
use super::{Param, Settings, Text, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Piece, Word};
use crate::syntax::{Sources, Span};

/// A `$( )` met while words were looked up: it becomes a node before the step that uses it.
#[derive(Debug)]
pub struct Asked {
    pub key: String,
    pub words: Vec<Text>,
    pub span: Span,
}

/// A `param` as declared.
#[derive(Debug)]
pub struct Declared {
    pub name: ast::Name,
    pub kind: ParamType,
    pub secret: bool,
    pub doc: Option<String>,
    pub default: Option<ast::Value>,
}

/// The names of one block, each with the place that sets it.
pub type Frame = BTreeMap<String, (Value, Span)>;

/// All names that can be seen from one place.
pub struct Scope<'a> {
    pub sources: &'a Sources,
    pub settings: &'a Settings,
    params: BTreeMap<String, Declared>,
    /// Params looked up so far; `None` while one is being looked up (a circle).
    values: RefCell<BTreeMap<String, Option<Value>>>,
    frames: RefCell<Vec<Frame>>,
    pub asked: RefCell<Vec<Asked>>,
    pub diagnostics: RefCell<Vec<Diagnostic>>,
    pub secrets: RefCell<Vec<String>>,
    /// Variables of the environment that what is to run has asked for.
    pub env: RefCell<BTreeSet<String>>,
    /// Where in the tree we are; begins the key of an [`Asked`].
    pub place: RefCell<String>,
    /// Tasks that were not chosen are read too, but need not have their required params.
    pub lenient: Cell<bool>,
}

impl<'a> Scope<'a> {
    pub fn new(sources: &'a Sources, settings: &'a Settings, params: BTreeMap<String, Declared>) -> Self {
        Self {
            sources,
            settings,
            params,
            values: RefCell::default(),
            frames: RefCell::new(vec![BTreeMap::new()]),
            asked: RefCell::default(),
            diagnostics: RefCell::default(),
            secrets: RefCell::default(),
            env: RefCell::default(),
            place: RefCell::default(),
            lenient: Cell::new(false),
        }
    }

    pub fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Opens a block of its own for names; closed by [`Scope::leave`].
    pub fn enter(&self, names: Frame) {
        self.frames.borrow_mut().push(names);
    }

    pub fn leave(&self) {
        self.frames.borrow_mut().pop();
    }

    /// Puts a name into the innermost block.
    pub fn bind(&self, name: &str, value: Value, span: Span) {
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            frame.insert(name.to_string(), (value, span));
        }
    }

    /// A name that can be seen already is not hidden by another.
    pub fn check_new(&self, name: &ast::Name) {
        let frames = self.frames.borrow();
        let set = frames.iter().find_map(|frame| frame.get(&name.text));
        let param = self.params.get(&name.text);
        let known = set.map(|(_, span)| *span).or(param.map(|param| param.name.span));
        if let Some(known) = known {
            self.report(Diagnostic::twice(&format!("`{}`", name.text), name.span, known));
        }
    }

    /// A def sees params and its own arguments, not the names of its caller.
    pub fn enter_alone(&self, names: Frame) -> Vec<Frame> {
        let mut frames = self.frames.borrow_mut();
        let outer = frames.split_off(1);
        frames.push(names);
        outer
    }

    pub fn leave_alone(&self, outer: Vec<Frame>) {
        let mut frames = self.frames.borrow_mut();
        frames.truncate(1);
        frames.extend(outer);
    }

    /// A word where exactly one text is wanted.
    pub fn text(&self, word: &Word) -> Text {
        match self.value(word) {
            Value::Text(text) => text,
            Value::List(_) => {
                self.report(
                    Diagnostic::error(Code::LIST_IN_WORD, "a list stands where one value is expected")
                        .at(word.span, "this is a list")
                        .help("go through it with `for x in …`, or name one of its items"),
                );
                Text::known("")
            }
        }
    }

    /// A word that may stand for a list.
    pub fn value(&self, word: &Word) -> Value {
        if let [Piece::Variable { name, span }] = word.pieces.as_slice() {
            return self.lookup(name, *span);
        }
        let mut text = Text::default();
        for piece in &word.pieces {
            match piece {
                Piece::Text(part) => text.push(part),
                Piece::Home { span } => text.push(&self.home(*span)),
                Piece::Output { words, span } => text.append(self.output(words, *span)),
                Piece::Variable { name, span } => match self.lookup(name, *span) {
                    Value::Text(value) => text.append(value),
                    Value::List(_) => self.report(
                        Diagnostic::error(Code::LIST_IN_WORD, format!("the list `{name}` stands inside a word"))
                            .at(*span, "a list")
                            .help("go through it with `for x in …`"),
                    ),
                },
            }
        }
        Value::Text(text)
    }

    /// A value of `let`, `param`, a key or a loop.
    pub fn any(&self, value: &ast::Value) -> Value {
        match value {
            ast::Value::Word(word) => self.value(word),
            ast::Value::List(list) => Value::List(list.items.iter().flat_map(|word| self.items(word)).collect()),
        }
    }

    /// A word as items: a list gives all of its own.
    pub fn items(&self, word: &Word) -> Vec<Text> {
        match self.value(word) {
            Value::Text(text) => vec![text],
            Value::List(list) => list,
        }
    }

    fn home(&self, span: Span) -> String {
        match self.settings.env.get("HOME") {
            Some(home) => home.clone(),
            None => {
                self.report(Diagnostic::error(Code::UNSET, "`~` needs HOME, which is not set").at(span, ""));
                String::new()
            }
        }
    }

    fn output(&self, words: &[Word], span: Span) -> Text {
        let key = format!("{}/$({})", self.place.borrow(), span.start);
        let shown = format!(
            "<output of {}>",
            self.sources.text(span).trim_start_matches("$(").trim_end_matches(')')
        );
        let words = words.iter().flat_map(|word| self.items(word)).collect();
        self.asked.borrow_mut().push(Asked {
            key: key.clone(),
            words,
            span,
        });
        Text::output(&key, &shown)
    }

    fn lookup(&self, name: &str, span: Span) -> Value {
        for frame in self.frames.borrow().iter().rev() {
            if let Some((value, _)) = frame.get(name) {
                return value.clone();
            }
        }
        if let Some(variable) = name.strip_prefix("env.") {
            if !self.lenient.get() {
                self.env.borrow_mut().insert(variable.to_string());
            }
            return Value::Text(Text::known(match self.settings.env.get(variable) {
                Some(value) => value.clone(),
                None => {
                    self.report(
                        Diagnostic::error(Code::UNSET, format!("the environment has no `{variable}`"))
                            .at(span, "")
                            .help(format!("export {variable}=… first")),
                    );
                    String::new()
                }
            }));
        }
        if self.params.contains_key(name) {
            return self.param(name, span);
        }
        let frames = self.frames.borrow();
        let known = frames.iter().flat_map(|frame| frame.keys()).chain(self.params.keys());
        let near = crate::near(name, known.map(String::as_str));
        let diagnostic = Diagnostic::error(Code::UNSET, format!("`${name}` is not set")).at(span, "");
        self.report(match near {
            Some(near) => diagnostic.help(format!("did you mean `${near}`?")),
            None => diagnostic.help(format!("declare it: `param {name}`, or `let {name} = …`")),
        });
        Value::Text(Text::known(""))
    }

    /// A param's value: `--set`, else its default, looked up when first needed.
    pub fn param(&self, name: &str, span: Span) -> Value {
        if let Some(known) = self.values.borrow().get(name) {
            return match known {
                Some(value) => value.clone(),
                None => {
                    let message = format!("the default of `{name}` needs `{name}` itself");
                    self.report(Diagnostic::error(Code::CIRCLE, message).at(span, ""));
                    Value::Text(Text::known(""))
                }
            };
        }
        let Some(declared) = self.params.get(name) else {
            return Value::Text(Text::known(""));
        };
        self.values.borrow_mut().insert(name.to_string(), None);
        let given = self.settings.set.iter().rev().find(|(set, _)| set == name);
        let value = match (given, &declared.default) {
            (Some((_, text)), _) => self.given(declared, text),
            (None, Some(default)) => {
                let value = self.any(default);
                self.can_be_masked(declared, &value, default.span());
                self.typed(declared, value, default.span())
            }
            (None, None) if self.lenient.get() => {
                self.values.borrow_mut().remove(name);
                return Value::Text(Text::not_given(name));
            }
            (None, None) => {
                let doc = declared
                    .doc
                    .as_deref()
                    .map(|doc| format!(" ({doc})"))
                    .unwrap_or_default();
                self.report(
                    Diagnostic::error(Code::REQUIRED, format!("`{name}` is needed and has no default{doc}"))
                        .at(declared.name.span, "declared here")
                        .help(format!("give it: --set {name}=…")),
                );
                Value::Text(Text::known(""))
            }
        };
        if declared.secret {
            let mut secrets = self.secrets.borrow_mut();
            // A recipe's text is kept too, and there an escape stands for what it means.
            let written = declared
                .default
                .as_ref()
                .map(|default| self.sources.text(default.span()).trim_matches('"'));
            secrets.extend(written.filter(|text| text.contains('\\')).map(str::to_string));
            match &value {
                Value::Text(text) => secrets.push(text.shown()),
                Value::List(list) => secrets.extend(list.iter().map(Text::shown)),
            }
        }
        self.values.borrow_mut().insert(name.to_string(), Some(value.clone()));
        value
    }

    /// A secret is known before the run begins: what a command gives later could not be hidden any more.
    fn can_be_masked(&self, declared: &Declared, value: &Value, span: Span) {
        let known = match value {
            Value::Text(text) => text.get().is_some(),
            Value::List(list) => list.iter().all(|text| text.get().is_some()),
        };
        if declared.secret && !known && !self.lenient.get() {
            let name = &declared.name.text;
            let message = format!("the secret `{name}` is not known before the run");
            self.report(
                Diagnostic::error(Code::UNKNOWN_BEFORE_RUN, message)
                    .at(span, "a command gives it later, when it could not be masked")
                    .help(format!(
                        "`param {name} secret = ${{env.{}}}`, or --set {name}=…",
                        name.to_uppercase()
                    )),
            );
        }
    }

    fn given(&self, declared: &Declared, text: &str) -> Value {
        let name = &declared.name.text;
        if declared.kind == ParamType::List {
            let items = text.split(',').filter(|item| !item.is_empty());
            return Value::List(items.map(Text::known).collect());
        }
        if let Err(why) = declared.kind.check(text) {
            self.report(
                Diagnostic::error(Code::WRONG_TYPE, format!("--set {name}: {why}"))
                    .at(declared.name.span, format!("declared as {}", declared.kind.name())),
            );
        }
        if declared.kind == ParamType::Path {
            return Value::Text(Text::known(self.path_from(text, self.settings.cwd.clone())));
        }
        Value::Text(Text::known(text))
    }

    fn typed(&self, declared: &Declared, value: Value, span: Span) -> Value {
        match value {
            Value::List(list) if declared.kind == ParamType::List => Value::List(list),
            Value::Text(text) if declared.kind == ParamType::List => Value::List(vec![text]),
            Value::List(_) => {
                let message = format!("`{}` is a list, but not declared as one", declared.name.text);
                self.report(
                    Diagnostic::error(Code::WRONG_TYPE, message)
                        .at(span, "a list")
                        .help(format!("write `param {} list = …`", declared.name.text)),
                );
                Value::Text(Text::known(""))
            }
            Value::Text(text) => {
                if let Some(known) = text.get() {
                    if let Err(why) = declared.kind.check(known) {
                        self.report(Diagnostic::error(Code::WRONG_TYPE, why).at(span, ""));
                    }
                    if declared.kind == ParamType::Path {
                        let path = self.path_from(known, self.sources.dir(span).to_path_buf());
                        return Value::Text(Text::known(path));
                    }
                }
                Value::Text(text)
            }
        }
    }

    fn path_from(&self, text: &str, dir: PathBuf) -> String {
        let expanded = match (text.strip_prefix('~'), self.settings.env.get("HOME")) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
            _ => text.to_string(),
        };
        super::load::normal(&dir.join(expanded)).to_string_lossy().into_owned()
    }

    /// All params with what they got, for the plan's head, `--help` and templates.
    pub fn params(&self) -> Vec<Param> {
        let values = self.values.borrow();
        self.params
            .values()
            .map(|declared| {
                let name = &declared.name.text;
                let value = match values.get(name) {
                    Some(Some(Value::Text(text))) => Some(text.shown()),
                    Some(Some(Value::List(list))) => Some(list.iter().map(Text::shown).collect::<Vec<_>>().join(",")),
                    _ => None,
                };
                Param {
                    name: name.clone(),
                    kind: declared.kind,
                    secret: declared.secret,
                    doc: declared.doc.clone(),
                    value,
                    given: self.settings.set.iter().any(|(set, _)| set == name),
                }
            })
            .collect()
    }

    pub fn declared(&self) -> &BTreeMap<String, Declared> {
        &self.params
    }
}
