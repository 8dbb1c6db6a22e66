//! Words, lists and arguments.

use pest::iterators::Pair;

use super::statement::Words;
use crate::syntax::ast::{Argument, List, Piece, Value, Word};
use crate::syntax::grammar::Rule;

impl Words {
    pub fn argument(self, pair: Pair<'_, Rule>) -> Argument {
        match pair.as_rule() {
            Rule::list => Argument::List(self.list(pair)),
            Rule::keyed => self.keyed(pair),
            _ => Argument::Word(self.word(pair)),
        }
    }

    pub fn list(self, pair: Pair<'_, Rule>) -> List {
        List {
            span: self.span(&pair),
            items: pair.into_inner().map(|word| self.word(word)).collect(),
        }
    }

    pub fn word(self, pair: Pair<'_, Rule>) -> Word {
        let span = self.span(&pair);
        let mut pieces = Pieces::default();
        for piece in pair.into_inner() {
            pieces.add(self, piece);
        }
        Word {
            pieces: pieces.list,
            quoted: pieces.quoted,
            span,
        }
    }

    fn keyed(self, pair: Pair<'_, Rule>) -> Argument {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let key = match inner.next() {
            Some(key) => self.name(&key),
            None => unreachable_key(span),
        };
        let value = match inner.next() {
            Some(value) => self.value(value),
            None => Value::Word(Word {
                pieces: Vec::new(),
                quoted: false,
                span: crate::syntax::Span {
                    start: span.end,
                    ..span
                },
            }),
        };
        let as_word = match &value {
            Value::List(_) => None,
            Value::Word(word) => Some(Word {
                pieces: joined(&key.text, &word.pieces),
                quoted: word.quoted,
                span,
            }),
        };
        Argument::Key {
            key,
            value,
            as_word,
            span,
        }
    }
}

/// The grammar gives every `key=value` its key; an empty name is what is left if that ever changes.
fn unreachable_key(span: crate::syntax::Span) -> crate::syntax::ast::Name {
    crate::syntax::ast::Name {
        text: String::new(),
        span,
    }
}

/// `key=` and what follows it as the pieces of one word, in which a `~` means nothing.
fn joined(key: &str, value: &[Piece]) -> Vec<Piece> {
    let mut text = format!("{key}=");
    let mut rest = value;
    if let Some((Piece::Home { .. }, behind)) = rest.split_first() {
        text.push('~');
        rest = behind;
    }
    if let Some((Piece::Text(first), behind)) = rest.split_first() {
        text.push_str(first);
        rest = behind;
    }
    let mut pieces = vec![Piece::Text(text)];
    pieces.extend_from_slice(rest);
    pieces
}

/// Pieces as they come; text next to text becomes one piece.
#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
    quoted: bool,
}

impl Pieces {
    fn add(&mut self, words: Words, pair: Pair<'_, Rule>) {
        match pair.as_rule() {
            Rule::bare => self.text(pair.as_str()),
            Rule::literal | Rule::raw => self.text(&unix_lines(pair.as_str())),
            Rule::escape => self.text(match pair.as_str() {
                "\\n" => "\n",
                "\\t" => "\t",
                "\\\"" => "\"",
                "\\\\" => "\\",
                "\\$" => "$",
                _ => "",
            }),
            Rule::single | Rule::double => {
                self.quoted = true;
                for inner in pair.into_inner() {
                    self.add(words, inner);
                }
            }
            Rule::variable => {
                let span = words.span(&pair);
                let name = pair
                    .into_inner()
                    .next()
                    .map_or_else(String::new, |name| name.as_str().to_owned());
                self.list.push(Piece::Variable { name, span });
            }
            Rule::output => {
                let span = words.span(&pair);
                self.list.push(Piece::Output {
                    words: pair.into_inner().map(|word| words.word(word)).collect(),
                    span,
                });
            }
            Rule::home => self.list.push(Piece::Home {
                span: words.span(&pair),
            }),
            _ => {}
        }
    }

    fn text(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        match self.list.last_mut() {
            Some(Piece::Text(text)) => text.push_str(part),
            _ => self.list.push(Piece::Text(part.to_owned())),
        }
    }
}

/// A script in quotes means the same, however its file ends lines.
fn unix_lines(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").into()
    } else {
        text.into()
    }
}
