//! `for`, `retry`, `if`: loops are unrolled here, conditions decided where they can be before the run.

use std::collections::{BTreeMap, HashMap};

use super::{Builder, NODES, unique};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{Condition, Mask, Node, NodeKind, Text, Value, types};
use crate::syntax::Span;
use crate::syntax::ast::{self, Argument, Block, Word};

impl<'a> Builder<'a> {
    #[allow(clippy::too_many_arguments)] // the parts of one statement
    pub(super) fn each(
        &mut self,
        span: Span,
        variable: &'a ast::Name,
        list: &'a ast::Value,
        batch: Option<&'a Word>,
        body: &'a Block,
        prefix: &str,
        used: &mut HashMap<String, usize>,
        nodes: &mut Vec<Node>,
    ) {
        self.check_variable(variable);
        let items = match self.scope.any(list) {
            Value::List(items) => items,
            Value::Text(text) => vec![text],
        };
        self.scope.asked.take();
        if items.iter().any(|item| item.get().is_none()) {
            if !self.scope.lenient.get() {
                self.scope.report(
                    Diagnostic::error(Code::UNKNOWN_BEFORE_RUN, "a loop's list must be known before the run")
                        .at(list.span(), "this depends on a command's output"),
                );
            }
            return;
        }
        let size = batch.and_then(|word| {
            let total = items.len();
            self.typed(word, |text| types::share(text, total))
        });
        let turns: Vec<Value> = match (batch, size) {
            (None, _) => items.into_iter().map(Value::Text).collect(),
            (Some(_), size) => items
                .chunks(size.unwrap_or(1))
                .map(|chunk| Value::List(chunk.to_vec()))
                .collect(),
        };
        // Ids are kept in journals.
        let mask = Mask::new(&self.scope.secrets.borrow());
        for turn in turns {
            if self.count > NODES {
                return;
            }
            let title = match &turn {
                Value::Text(text) => text.shown(),
                Value::List(list) => list.iter().map(Text::shown).collect::<Vec<_>>().join(" "),
            };
            let id = unique(prefix, &format!("for[{}]", mask.text(&title).replace(' ', ",")), used);
            self.scope
                .enter(BTreeMap::from([(variable.text.clone(), (turn, variable.span))]));
            let children = self.inner(body, &id);
            self.scope.leave();
            nodes.push(Node {
                id,
                span,
                kind: NodeKind::Group { title, children },
            });
        }
    }

    pub(super) fn retry(
        &mut self,
        times: &'a Word,
        options: &'a [Argument],
        body: &'a Block,
        id: &str,
        span: Span,
    ) -> NodeKind {
        let count = |text: &str| match types::int(text) {
            Ok(number @ 1..=1000) => Ok(number as usize),
            _ => Err(format!("`{text}` is not a number of tries (1 to 1000)")),
        };
        let times = self.typed(times, count).unwrap_or(1);
        let mut every = std::time::Duration::from_secs(1);
        for option in options {
            match option {
                Argument::Key {
                    key,
                    value: ast::Value::Word(word),
                    ..
                } if key.text == "every" => every = self.typed(word, types::duration).unwrap_or(every),
                other => self.scope.report(
                    Diagnostic::error(Code::UNKNOWN_KEY, "`retry` takes only `every=`")
                        .at(other.span(), "")
                        .help("retry 3 every=1s { … }"),
                ),
            }
        }
        let children = self.block(body, id);
        if children.is_empty() {
            self.scope
                .report(Diagnostic::warning(Code::EMPTY, "this retries nothing").at(span, ""));
        }
        NodeKind::Retry { times, every, children }
    }

    pub(super) fn typed<T>(&self, word: &Word, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.scope.text(word);
        self.scope.asked.take();
        let problem = match text.get() {
            Some(known) => match read(known) {
                Ok(value) => return Some(value),
                Err(why) => Diagnostic::error(Code::WRONG_TYPE, why),
            },
            None if self.scope.lenient.get() => return None,
            None => Diagnostic::error(Code::UNKNOWN_BEFORE_RUN, "this must be known before the run"),
        };
        self.scope.report(problem.at(word.span, ""));
        None
    }

    /// A condition known now keeps one branch; the other is still read for its mistakes.
    pub(super) fn branch(
        &mut self,
        span: Span,
        id: String,
        branches: &'a [(ast::Condition, Block)],
        otherwise: Option<&'a Block>,
        nodes: &mut Vec<Node>,
    ) -> Option<Node> {
        let Some(((condition, body), rest)) = branches.split_first() else {
            let children = otherwise.map(|block| self.block(block, &id)).unwrap_or_default();
            return (!children.is_empty()).then(|| Node {
                id,
                span,
                kind: NodeKind::Group {
                    title: "else".to_string(),
                    children,
                },
            });
        };
        self.place(&id);
        let condition = self.condition(condition);
        self.asked(nodes);
        let then = self.block(body, &format!("{id}/then"));
        let mut inner = Vec::new();
        let node = self.branch(span, format!("{id}/else"), rest, otherwise, &mut inner);
        inner.extend(node);
        Some(match condition {
            Condition::Known(true) => Node {
                id,
                span,
                kind: NodeKind::Group {
                    title: String::new(),
                    children: then,
                },
            },
            Condition::Known(false) => Node {
                id,
                span,
                kind: NodeKind::Group {
                    title: String::new(),
                    children: inner,
                },
            },
            condition => Node {
                id,
                span,
                kind: NodeKind::If {
                    shown: self.scope.sources.text(span).trim().to_string(),
                    condition,
                    then,
                    otherwise: inner,
                },
            },
        })
    }

    pub(super) fn condition(&self, condition: &'a ast::Condition) -> Condition {
        let both =
            |a: &'a ast::Condition, b: &'a ast::Condition| (Box::new(self.condition(a)), Box::new(self.condition(b)));
        match condition {
            ast::Condition::Equal(a, b) => self.equal(a, b),
            ast::Condition::NotEqual(a, b) => not(self.equal(a, b)),
            ast::Condition::Exists { path, .. } => {
                let text = self.scope.text(path);
                Condition::Exists(text, self.scope.sources.dir(path.span).to_path_buf())
            }
            ast::Condition::Succeeds { words, .. } => {
                Condition::Succeeds(words.iter().flat_map(|word| self.scope.items(word)).collect())
            }
            ast::Condition::Not(inner) => not(self.condition(inner)),
            ast::Condition::And(a, b) => match both(a, b) {
                (a, b) if *a == Condition::Known(false) || *b == Condition::Known(false) => Condition::Known(false),
                (a, b) if *a == Condition::Known(true) => *b,
                (a, b) => Condition::And(a, b),
            },
            ast::Condition::Or(a, b) => match both(a, b) {
                (a, b) if *a == Condition::Known(true) || *b == Condition::Known(true) => Condition::Known(true),
                (a, b) if *a == Condition::Known(false) => *b,
                (a, b) => Condition::Or(a, b),
            },
        }
    }

    pub(super) fn equal(&self, a: &'a ast::Value, b: &'a ast::Value) -> Condition {
        match (self.scope.any(a), self.scope.any(b)) {
            (Value::Text(a), Value::Text(b)) => match (a.get(), b.get()) {
                (Some(a), Some(b)) => Condition::Known(a == b),
                _ => Condition::Equal(a, b),
            },
            (a, b) => Condition::Known(a == b),
        }
    }
}

fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Known(known) => Condition::Known(!known),
        other => Condition::Not(Box::new(other)),
    }
}
