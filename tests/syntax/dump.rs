//! A tree as text, one node a line, each with its place.

use zdt::syntax::ast::{Argument, Block, Condition, Piece, Script, Statement, StatementKind, Value, Word};
use zdt::syntax::{Sources, Span};

pub fn dump(script: &Script, sources: &Sources) -> String {
    let mut dump = Dump {
        sources,
        out: String::new(),
        depth: 0,
    };
    dump.doc(script.doc.as_deref());
    for statement in &script.statements {
        dump.statement(statement);
    }
    dump.out
}

struct Dump<'a> {
    sources: &'a Sources,
    out: String,
    depth: usize,
}

impl Dump<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(&"  ".repeat(self.depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn place(&self, span: Span) -> String {
        let (line, column) = self.sources.line_column(span);
        let (last, end) = self.sources.line_column(Span {
            start: span.end,
            ..span
        });
        if line == last {
            format!("{line}:{column}-{end}")
        } else {
            format!("{line}:{column}-{last}:{end}")
        }
    }

    fn doc(&mut self, doc: Option<&str>) {
        if let Some(doc) = doc {
            self.line(&format!("doc {doc:?}"));
        }
    }

    fn nested(&mut self, head: &str, block: &Block) {
        let place = self.place(block.span);
        self.line(&format!("{head} {{ {place}"));
        self.depth += 1;
        for statement in &block.statements {
            self.statement(statement);
        }
        self.depth -= 1;
    }

    fn statement(&mut self, statement: &Statement) {
        let at = self.place(statement.span);
        match &statement.kind {
            StatementKind::Include { path } => self.line(&format!("include {} @{at}", self.word(path))),
            StatementKind::Param {
                name,
                kind,
                secret,
                default,
                doc,
            } => {
                self.doc(doc.as_deref());
                let kind = kind.as_ref().map_or(String::new(), |kind| format!(" : {}", kind.text));
                let secret = if *secret { " secret" } else { "" };
                let default = default
                    .as_ref()
                    .map_or(String::new(), |value| format!(" = {}", self.value(value)));
                self.line(&format!("param {}{kind}{secret}{default} @{at}", name.text));
            }
            StatementKind::Let { name, value } => {
                self.line(&format!("let {} = {} @{at}", name.text, self.value(value)));
            }
            StatementKind::Task { name, doc, body } => {
                self.doc(doc.as_deref());
                self.nested(&format!("task {} @{at}", name.text), body);
            }
            StatementKind::Def {
                name,
                parameters,
                doc,
                body,
            } => {
                self.doc(doc.as_deref());
                let names: Vec<&str> = parameters.iter().map(|name| name.text.as_str()).collect();
                self.nested(&format!("def {}({}) @{at}", name.text, names.join(" ")), body);
            }
            StatementKind::For {
                variable,
                list,
                batch,
                body,
            } => {
                let batch = batch
                    .as_ref()
                    .map_or(String::new(), |word| format!(" batch {}", self.word(word)));
                let head = format!("for {} in {}{batch} @{at}", variable.text, self.value(list));
                self.nested(&head, body);
            }
            StatementKind::If { branches, otherwise } => {
                self.line(&format!("if @{at}"));
                self.depth += 1;
                for (condition, body) in branches {
                    self.nested(&format!("when {}", self.condition(condition)), body);
                }
                if let Some(body) = otherwise {
                    self.nested("otherwise", body);
                }
                self.depth -= 1;
            }
            StatementKind::Retry { times, options, body } => {
                let options: String = options
                    .iter()
                    .map(|option| format!(" {}", self.argument(option)))
                    .collect();
                self.nested(&format!("retry {}{options} @{at}", self.word(times)), body);
            }
            StatementKind::Timeout { limit, body } => {
                self.nested(&format!("timeout {} @{at}", self.word(limit)), body);
            }
            StatementKind::OnFailure { body } => self.nested(&format!("on failure @{at}"), body),
            StatementKind::Finally { body } => self.nested(&format!("finally @{at}"), body),
            StatementKind::Command(command) => {
                self.line(&format!("{} @{at}", command.name.text));
                self.depth += 1;
                for argument in &command.arguments {
                    let text = format!("{} @{}", self.argument(argument), self.place(argument.span()));
                    self.line(&text);
                }
                self.depth -= 1;
            }
        }
    }

    fn argument(&self, argument: &Argument) -> String {
        match argument {
            Argument::Word(word) => self.word(word),
            Argument::List(list) => self.value(&Value::List(list.clone())),
            Argument::Key {
                key, value, as_word, ..
            } => {
                let plain = as_word.as_ref().map_or("-".to_owned(), |word| self.word(word));
                format!("{}={} or {plain}", key.text, self.value(value))
            }
        }
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Word(word) => self.word(word),
            Value::List(list) => {
                let items: Vec<String> = list.items.iter().map(|word| self.word(word)).collect();
                format!("[{}]", items.join(" "))
            }
        }
    }

    fn word(&self, word: &Word) -> String {
        let pieces: Vec<String> = word
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => format!("{text:?}"),
                Piece::Variable { name, span } => format!("${name}{}", self.check(*span, "$")),
                Piece::Output { words, span } => {
                    let words: Vec<String> = words.iter().map(|word| self.word(word)).collect();
                    format!("$({}){}", words.join(" "), self.check(*span, "$("))
                }
                Piece::Home { span } => format!("~{}", self.check(*span, "~")),
            })
            .collect();
        let quoted = if word.quoted { "q" } else { "" };
        format!("{quoted}<{}>", pieces.join("+"))
    }

    /// Nothing, unless the span does not begin where the piece does.
    fn check(&self, span: Span, begin: &str) -> &'static str {
        if self.sources.text(span).starts_with(begin) {
            ""
        } else {
            "(WRONG SPAN)"
        }
    }

    fn condition(&self, condition: &Condition) -> String {
        let words = |words: &[Word]| words.iter().map(|word| self.word(word)).collect::<Vec<_>>().join(" ");
        match condition {
            Condition::Equal(left, right) => {
                format!("{} == {}", self.value(left), self.value(right))
            }
            Condition::NotEqual(left, right) => {
                format!("{} != {}", self.value(left), self.value(right))
            }
            Condition::Exists { path, span } => {
                format!("exists {} @{}", self.word(path), self.place(*span))
            }
            Condition::Succeeds { words: list, span } => {
                format!("succeeds {} @{}", words(list), self.place(*span))
            }
            Condition::And(left, right) => {
                format!("({} and {})", self.condition(left), self.condition(right))
            }
            Condition::Or(left, right) => {
                format!("({} or {})", self.condition(left), self.condition(right))
            }
            Condition::Not(inner) => format!("not ({})", self.condition(inner)),
        }
    }
}
