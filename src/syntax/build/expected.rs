//! What the grammar expected, in people's words.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::{Builder, shown_word};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::grammar::Rule;
use crate::syntax::scan::{Item, ItemKind};

impl Builder<'_> {
    /// The grammar could not read a statement.
    pub(super) fn unexpected(&self, item: Item, error: &Error<Rule>) -> Diagnostic {
        let text = &self.text[item.start..item.end];
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let at = at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
        if at == 0 {
            return self.bad_beginning(item);
        }
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => expectations(positives),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        let found = shown_word(&text[at..]);
        let message = format!(
            "expected {}, found {}",
            alternatives(&expected),
            if found.is_empty() {
                self.what_follows().to_owned()
            } else {
                format!("`{found}`")
            }
        );
        let place = if found.is_empty() {
            self.span(item.end, item.end)
        } else {
            self.span(item.start + at, item.start + at + found.len())
        };
        let problem = Diagnostic::error(Code::UNEXPECTED, message).at(place, "");
        match help(text, found, &expected) {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    /// A statement that does not begin with a name.
    fn bad_beginning(&self, item: Item) -> Diagnostic {
        let word = self.first_word(item);
        let place = self.span(item.start, item.start + word.len());
        if matches!(word, "in" | "and" | "or") {
            return Diagnostic::error(Code::NAME, format!("expected a statement, found `{word}`"))
                .at(place, "")
                .help("the word belongs inside `for` or `if`, and is reserved");
        }
        let problem = Diagnostic::error(Code::NAME, format!("expected a statement, found `{word}`")).at(place, "");
        if let Some((name, value)) = word.split_once('=')
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            let name = name.to_ascii_lowercase();
            return problem.help(format!("to give a value a name write `let {name} = {value}`"));
        }
        if word.contains('/') {
            return problem.help(format!("to run a program write `run {word}`"));
        }
        if word.starts_with(['$', '"', '\'']) {
            return problem.help("a statement begins with a plain word; to run a program write `run` before it");
        }
        if word.starts_with('[') {
            return problem.help("a list is an argument; `if` conditions are written without brackets");
        }
        let lower = word.to_ascii_lowercase().replace(['-', '.'], "_");
        if lower != word && is_name(&lower) {
            return problem.help(format!(
                "names are made of `a`–`z`, `0`–`9` and `_`; did you mean `{lower}`?"
            ));
        }
        problem.help("a statement begins with a name, made of `a`–`z`, `0`–`9` and `_`")
    }

    /// In words, what stands behind the statement just read.
    fn what_follows(&self) -> &'static str {
        match self.peek().map(|item| item.kind) {
            Some(ItemKind::Open) => "`{`",
            Some(ItemKind::Close) => "`}`",
            Some(ItemKind::Semicolon) => "`;`",
            Some(ItemKind::Newline | ItemKind::Comment | ItemKind::Statement { .. }) => "the end of the line",
            None => "the end of the text",
        }
    }
}

/// Rules as people call what they match; each once, in the order of the grammar.
fn expectations(rules: &[Rule]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for rule in rules {
        let name = in_words(*rule);
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.contains(&"a list") && names.contains(&"a word") {
        names.retain(|name| *name != "a list");
        for name in &mut names {
            if *name == "a word" {
                *name = "a value";
            }
        }
    }
    if names.contains(&"`==`") {
        // The word before it could go on, but that is not what is missing.
        names.retain(|name| *name != "a word");
    }
    if names.len() > 1 {
        // Where several things may stand, that nothing needs to is no help.
        names.retain(|name| *name != END);
    }
    names
}

const END: &str = "the end of the statement";

fn in_words(rule: Rule) -> &'static str {
    match rule {
        Rule::label | Rule::name | Rule::verb => "a name",
        Rule::kind => "a type",
        Rule::secret => "`secret`",
        Rule::word
        | Rule::value
        | Rule::bare
        | Rule::single
        | Rule::double
        | Rule::variable
        | Rule::output
        | Rule::home => "a word",
        Rule::list => "a list",
        Rule::keyed => "`key=value`",
        Rule::batch => "`batch=`",
        Rule::parameters => "`(`",
        Rule::condition | Rule::all_of | Rule::term | Rule::exists | Rule::succeeds | Rule::comparison => "a condition",
        Rule::negation => "`not`",
        Rule::equal => "`==`",
        Rule::unequal => "`!=`",
        Rule::is => "`=`",
        Rule::kw_in => "`in`",
        Rule::kw_if => "`if`",
        Rule::kw_and => "`and`",
        Rule::kw_or => "`or`",
        Rule::kw_failure => "`failure`",
        Rule::EOI => END,
        // These begin a statement, are parts of a word, or never stand alone.
        Rule::script
        | Rule::block
        | Rule::statement
        | Rule::conditional
        | Rule::head
        | Rule::include
        | Rule::param
        | Rule::r#let
        | Rule::task
        | Rule::def
        | Rule::r#for
        | Rule::r#if
        | Rule::else_if
        | Rule::r#else
        | Rule::retry
        | Rule::timeout
        | Rule::on_failure
        | Rule::finally
        | Rule::command
        | Rule::assigned
        | Rule::group
        | Rule::side
        | Rule::operand
        | Rule::argument
        | Rule::piece
        | Rule::raw
        | Rule::literal
        | Rule::escape
        | Rule::environment
        | Rule::keyword
        | Rule::kw_include
        | Rule::kw_param
        | Rule::kw_let
        | Rule::kw_task
        | Rule::kw_def
        | Rule::kw_for
        | Rule::kw_else
        | Rule::kw_retry
        | Rule::kw_timeout
        | Rule::kw_on
        | Rule::kw_finally
        | Rule::kw_exists
        | Rule::kw_succeeds
        | Rule::edge
        | Rule::WHITESPACE
        | Rule::newline
        | Rule::gap
        | Rule::separator
        | Rule::comment
        | Rule::BOM => "",
    }
}

fn alternatives(names: &[&str]) -> String {
    match names.split_last() {
        None => "something else".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// What to type instead, by the statement and what was found in it.
fn help(statement: &str, found: &str, expected: &[&str]) -> Option<String> {
    let form = match shown_word(statement) {
        "param" if found.is_empty() && expected.contains(&"a value") => "an empty text is written `''`",
        "param" => "a param is written `param NAME [TYPE] [secret] [= default]`",
        "let" if found.is_empty() && expected.contains(&"a value") => "an empty text is written `''`",
        "let" => "a value is named by `let NAME = VALUE`",
        "include" => "one file is included by `include PATH`",
        "task" => "a task is written `task NAME { … }`; names are made of `a`–`z`, `0`–`9` and `_`",
        "def" => "a verb is defined by `def NAME(ARGUMENT …) { … }`; names are made of `a`–`z`, `0`–`9` and `_`",
        "for" => "a loop is written `for NAME in LIST { … }`, with `batch=2` behind the list if need be",
        "if" | "else" if found == "=" => "compare with `==`",
        "if" | "else" if found == "!" => "turn a condition around with `not`",
        "if" | "else" => {
            "a condition is `A == B`, `A != B`, `exists PATH` or `succeeds PROGRAM …`, joined by `and`, `or`, `not`; \
             blanks stand around `==`"
        }
        "retry" => "it is written `retry TIMES every=1s { … }`",
        "timeout" => "it is written `timeout 60s { … }`",
        "on" => "it is written `on failure { … }`",
        "finally" => "it is written `finally { … }`",
        _ => return None,
    };
    Some(form.to_owned())
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && word
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}
