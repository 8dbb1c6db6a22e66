//! Conditions.

use pest::iterators::Pair;

use super::statement::{Words, is_keyword};
use crate::syntax::ast::Condition;
use crate::syntax::grammar::Rule;

impl Words {
    pub fn condition(self, pair: Pair<'_, Rule>) -> Condition {
        let parts = pair.into_inner().filter(|pair| !is_keyword(pair.as_rule()));
        let parts = parts.map(|all| {
            let terms = all.into_inner().filter(|pair| !is_keyword(pair.as_rule()));
            balanced(terms.map(|term| self.term(term)).collect(), Condition::And)
        });
        balanced(parts.collect(), Condition::Or)
    }

    fn term(self, pair: Pair<'_, Rule>) -> Condition {
        let mut negated = false;
        let mut condition = None;
        for part in pair.into_inner() {
            if part.as_rule() == Rule::negation {
                negated = true;
            } else {
                condition = Some(self.simple(part));
            }
        }
        // The grammar puts a condition into every term.
        let condition = condition.unwrap_or_else(|| balanced(Vec::new(), Condition::And));
        if negated {
            Condition::Not(Box::new(condition))
        } else {
            condition
        }
    }

    fn simple(self, pair: Pair<'_, Rule>) -> Condition {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        if rule == Rule::condition {
            return self.condition(pair);
        }
        let mut parts: Vec<Pair<'_, Rule>> = pair.into_inner().filter(|pair| !is_keyword(pair.as_rule())).collect();
        if rule == Rule::comparison && parts.len() == 3 {
            let right = self.value(parts.remove(2));
            let unequal = parts.remove(1).as_rule() == Rule::unequal;
            let left = self.value(parts.remove(0));
            return if unequal {
                Condition::NotEqual(left, right)
            } else {
                Condition::Equal(left, right)
            };
        }
        let mut words: Vec<_> = parts.into_iter().map(|part| self.word(part)).collect();
        if rule == Rule::exists && words.len() == 1 {
            return Condition::Exists {
                path: words.remove(0),
                span,
            };
        }
        Condition::Succeeds { words, span }
    }
}

/// Joins parts in order. As a balanced tree: its depth grows with the logarithm of their number.
fn balanced(mut parts: Vec<Condition>, join: fn(Box<Condition>, Box<Condition>) -> Condition) -> Condition {
    if parts.len() > 1 {
        let right = parts.split_off(parts.len().div_ceil(2));
        return join(Box::new(balanced(parts, join)), Box::new(balanced(right, join)));
    }
    parts.pop().unwrap_or_else(|| Condition::Succeeds {
        words: Vec::new(),
        span: crate::syntax::Span::new(crate::syntax::SourceId(0), 0, 0),
    })
}
