//! One statement through the grammar.

use pest::Parser;
use pest::iterators::Pair;

use super::{Builder, Head};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::Span;
use crate::syntax::ast::{Command, Name, StatementKind, Value};
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::scan::{Item, ItemKind};

/// The largest statement that is read, without its block, in bytes.
const MAX_STATEMENT: usize = 256 * 1024;

impl<'a> Builder<'a> {
    /// Reads a statement up to its block.
    pub(super) fn head(&mut self, item: Item, doc: Option<String>) -> Head {
        if item.end - item.start > MAX_STATEMENT {
            let size = item.end - item.start;
            self.report(
                Diagnostic::error(
                    Code::SIZE,
                    format!("the statement has {size} bytes, more than the {MAX_STATEMENT} that are read"),
                )
                .at(self.span(item.start, item.start + self.first_word(item).len()), "")
                .help("data belongs in a file of its own, to be copied or mounted"),
            );
            return Head::Unknown;
        }
        if item.kind == (ItemKind::Statement { sound: false }) {
            return self.faulty_head(item, doc);
        }
        let text = &self.text[item.start..item.end];
        match Grammar::parse(Rule::head, text) {
            Ok(mut pairs) => match pairs.next() {
                Some(pair) => self.build_head(pair, item.start, doc),
                None => Head::Unknown,
            },
            Err(error) => {
                let problem = self.unexpected(item, &error);
                self.report(problem);
                Head::Unknown
            }
        }
    }

    /// A statement in which something was reported already. What declares a name is kept as well as can be,
    /// so that later stages do not report that name as unknown.
    fn faulty_head(&mut self, item: Item, doc: Option<String>) -> Head {
        let mut bytes = self.text.as_bytes()[item.start..item.end].to_vec();
        while let Some((start, end)) = self.scanned.patches.get(self.patch).copied() {
            if start >= item.end {
                break;
            }
            self.patch += 1;
            if start >= item.start {
                let end = end.min(item.end);
                bytes[start - item.start..end - item.start].fill(b'_');
            }
        }
        let Ok(text) = String::from_utf8(bytes) else {
            return Head::Unknown;
        };
        let Ok(mut pairs) = Grammar::parse(Rule::head, &text) else {
            return Head::Unknown;
        };
        match pairs.next() {
            Some(pair) if !matches!(pair.as_rule(), Rule::command | Rule::include) => {
                self.build_head(pair, item.start, doc)
            }
            _ => Head::Unknown,
        }
    }

    fn build_head(&mut self, pair: Pair<'_, Rule>, base: usize, doc: Option<String>) -> Head {
        let rule = pair.as_rule();
        let words = Words { id: self.id, base };
        let mut inner = pair.into_inner().filter(|pair| !is_keyword(pair.as_rule())).peekable();
        // The grammar guarantees the parts that are asked for with `?` below.
        let build = || -> Option<Head> {
            Some(match rule {
                Rule::command => Head::Complete(StatementKind::Command(Command {
                    name: words.name(&inner.next()?),
                    arguments: inner.map(|pair| words.argument(pair)).collect(),
                })),
                Rule::include => Head::Complete(StatementKind::Include {
                    path: words.word(inner.next()?),
                }),
                Rule::param => {
                    let name = words.name(&inner.next()?);
                    let kind = inner
                        .next_if(|pair| pair.as_rule() == Rule::kind)
                        .map(|pair| words.name(&pair));
                    let secret = inner.next_if(|pair| pair.as_rule() == Rule::secret).is_some();
                    let default = inner.next().map(|pair| words.value(pair));
                    Head::Complete(StatementKind::Param {
                        name,
                        kind,
                        secret,
                        default,
                        doc: doc.clone(),
                    })
                }
                Rule::r#let => Head::Complete(StatementKind::Let {
                    name: words.name(&inner.next()?),
                    value: words.value(inner.next()?),
                }),
                Rule::task => {
                    let (name, doc) = (words.name(&inner.next()?), doc.clone());
                    Head::WithBlock(Box::new(|body| StatementKind::Task { name, doc, body }))
                }
                Rule::def => {
                    let (name, doc) = (words.name(&inner.next()?), doc.clone());
                    let parameters: Vec<Name> = inner
                        .next()
                        .map(|pair| pair.into_inner().map(|pair| words.name(&pair)).collect())
                        .unwrap_or_default();
                    Head::WithBlock(Box::new(|body| StatementKind::Def {
                        name,
                        parameters,
                        doc,
                        body,
                    }))
                }
                Rule::r#for => {
                    let variable = words.name(&inner.next()?);
                    let list = words.value(inner.next()?);
                    let batch = inner.next().and_then(|pair| pair.into_inner().next());
                    let batch = batch.map(|pair| words.word(pair));
                    Head::WithBlock(Box::new(|body| StatementKind::For {
                        variable,
                        list,
                        batch,
                        body,
                    }))
                }
                Rule::r#if => {
                    let condition = words.condition(inner.next()?);
                    Head::WithBlock(Box::new(|body| StatementKind::If {
                        branches: vec![(condition, body)],
                        otherwise: None,
                    }))
                }
                Rule::else_if => Head::Else(Some(words.condition(inner.next()?))),
                Rule::r#else => Head::Else(None),
                Rule::retry => {
                    let times = words.word(inner.next()?);
                    let options = inner.map(|pair| words.argument(pair)).collect();
                    Head::WithBlock(Box::new(|body| StatementKind::Retry { times, options, body }))
                }
                Rule::timeout => {
                    let limit = words.word(inner.next()?);
                    Head::WithBlock(Box::new(|body| StatementKind::Timeout { limit, body }))
                }
                Rule::on_failure => Head::WithBlock(Box::new(|body| StatementKind::OnFailure { body })),
                Rule::finally => Head::WithBlock(Box::new(|body| StatementKind::Finally { body })),
                _ => Head::Unknown,
            })
        };
        let head = build().unwrap_or(Head::Unknown);
        if let Head::Complete(StatementKind::Param { kind: Some(kind), .. }) = &head {
            self.check_type(kind);
        }
        head
    }
}

/// Turns pairs into parts of the tree; spans are relative to `base`.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub id: crate::syntax::SourceId,
    pub base: usize,
}

impl Words {
    pub fn span(self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(self.id, self.base + span.start(), self.base + span.end())
    }

    pub fn name(self, pair: &Pair<'_, Rule>) -> Name {
        Name {
            text: pair.as_str().to_owned(),
            span: self.span(pair),
        }
    }

    pub fn value(self, pair: Pair<'_, Rule>) -> Value {
        match pair.as_rule() {
            Rule::list => Value::List(self.list(pair)),
            _ => Value::Word(self.word(pair)),
        }
    }
}

/// Keywords carry no meaning beyond the rule they stand in.
pub(super) fn is_keyword(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::kw_include
            | Rule::kw_param
            | Rule::kw_let
            | Rule::kw_task
            | Rule::kw_def
            | Rule::kw_for
            | Rule::kw_in
            | Rule::kw_if
            | Rule::kw_else
            | Rule::kw_retry
            | Rule::kw_timeout
            | Rule::kw_on
            | Rule::kw_failure
            | Rule::kw_finally
            | Rule::kw_and
            | Rule::kw_or
            | Rule::kw_exists
            | Rule::kw_succeeds
            | Rule::is
            | Rule::EOI
    )
}
