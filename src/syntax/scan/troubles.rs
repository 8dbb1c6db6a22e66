//! The wording of what the scanner finds.

use super::Scanner;
use super::quoted::Broken;
use crate::diagnostic::{Code, Diagnostic};

impl Scanner<'_> {
    pub(super) fn unquoted(&self, at: usize, end: usize, statement: usize) -> Diagnostic {
        let found = &self.text[at..end];
        let verb = self.text[statement..].split([' ', '\t', '\n']).next().unwrap_or("");
        let help = match found {
            "&&" => "commands follow each other by `;` or a new line and stop at the first failure",
            "||" => "write `if not succeeds …  { … }` or `on failure { … }`, or `sh '…'` for a shell",
            "|" => "use `sh '…'` for a pipe, or quote the word",
            "&" if verb == "run" || self.blank_follows(end) => {
                "nothing runs in the background; quote the word if `&` is just a character"
            }
            "&" => "quote the word",
            "<" | ">" | ">>" | "<<" => "use `sh '…'` for a redirection, or quote the word",
            "*" => "there are no file patterns outside `sh '…'`; quote the word if `*` is just a character",
            "\\" => "quote the word; a backslash stands only at the end of a line, to continue it",
            "`" => "the output of a program is `$(prog args)`; quote the word if it is just a character",
            "[" | "]" => "a list like `[a b]` is a word of its own; quote the word if it is just a character",
            "(" | ")" => "quote the word",
            "{" | "}" => "a variable is `${name}`; quote the word if it is just a character",
            _ => return self.strange(at, end),
        };
        let message = match found {
            "`" => "unquoted backtick".to_owned(),
            _ => format!("unquoted `{found}`"),
        };
        Diagnostic::error(Code::SPECIAL, message)
            .at(self.span(at, end), "")
            .help(help)
    }

    /// A character that one does not see, or takes for another.
    fn strange(&self, at: usize, end: usize) -> Diagnostic {
        let character = self.char_at(at).unwrap_or('\u{fffd}');
        let code = format!("U+{:04X}", u32::from(character));
        let (message, help) = match character {
            '“' | '”' | '„' => (
                format!("`{character}` is not a quote"),
                "use the straight quotes `\"` or `'`",
            ),
            '\r' => (
                "a carriage return in the middle of a line".to_owned(),
                "end lines with `\\n` or `\\r\\n`",
            ),
            _ if character.is_control() => (
                format!("control character {code} outside quotes"),
                "remove it, or put it in quotes",
            ),
            _ => (format!("{code} only looks like a blank"), "type a plain blank instead"),
        };
        Diagnostic::error(Code::SPECIAL, message)
            .at(self.span(at, end), "")
            .help(help)
    }

    pub(super) fn unquoted_in_output(&self, at: usize, end: usize) -> Diagnostic {
        let found = &self.text[at..end];
        if self
            .char_at(at)
            .is_some_and(|character| !character.is_ascii() || character.is_control())
        {
            return self.strange(at, end);
        }
        let help = match found {
            "(" if self.bytes[..at].ends_with(b"$(") => "there is no arithmetic; compute it in `$(sh -c '…')`",
            _ => "`$( )` holds one program and its arguments; quote the word, or use `$(sh -c '…')`",
        };
        Diagnostic::error(Code::SPECIAL, format!("unquoted `{found}` in `$( )`"))
            .at(self.span(at, end), "")
            .help(help)
    }

    pub(super) fn list_in_word(&mut self, at: usize, reported: &mut bool) {
        self.out.patches.push((at, self.pos));
        if *reported {
            return;
        }
        *reported = true;
        let problem = Diagnostic::error(Code::SPECIAL, "a list inside a word")
            .at(self.span(at, self.pos), "")
            .help("a list like `[a b]` is a word of its own; quote the word if these are just characters");
        self.report(problem);
    }

    pub(super) fn list_in_list(&mut self, at: usize, reported: &mut bool) {
        if *reported {
            return;
        }
        *reported = true;
        let problem = Diagnostic::error(Code::SPECIAL, "a list inside a list")
            .at(self.span(at, at + 1), "")
            .help("write all elements into one list, or quote the word");
        self.report(problem);
    }

    /// Reports that what was opened at `open` has no end.
    pub(super) fn unclosed_at(&mut self, open: usize, opened_by: u8) -> Broken {
        let problem = self.unclosed(open, opened_by);
        self.report(problem);
        Broken { start: open }
    }

    pub(super) fn unclosed(&self, open: usize, opened_by: u8) -> Diagnostic {
        let (code, what, length, help) = match opened_by {
            b'"' => (
                Code::QUOTE,
                "`\"`",
                1,
                "close it with `\"`; a `\"` inside is written `\\\"`",
            ),
            b'\'' => (
                Code::QUOTE,
                "`'`",
                1,
                "close it with `'`; text with a `'` in it goes in double quotes",
            ),
            b'[' => (Code::BRACKET, "`[`", 1, "close the list with `]`"),
            b'(' => (Code::BRACKET, "`(`", 1, "close it with `)`"),
            _ => (Code::BRACKET, "`$(`", 2, "close it with `)` on the same line"),
        };
        let problem = Diagnostic::error(code, format!("{what} is never closed"))
            .at(self.span(open, open + length), "opened here")
            .help(help);
        match self.suspect {
            Some((at, quote)) if quote == opened_by && code == Code::QUOTE => problem.also(
                self.span(at, at + 1),
                "a text of several lines begins here: is its closing quote missing?",
            ),
            _ => problem,
        }
    }

    pub(super) fn unclosed_in_brackets(&mut self, open: usize, quote: u8) -> Broken {
        let quote = char::from(quote);
        let problem = Diagnostic::error(Code::QUOTE, format!("`{quote}` is not closed on its line"))
            .at(self.span(open, open + 1), "opened here")
            .help(format!(
                "close it with `{quote}`; inside brackets a quoted text cannot go over several lines"
            ));
        self.report(problem);
        Broken { start: open }
    }

    pub(super) fn unclosed_variable(&mut self, start: usize) -> Broken {
        let problem = Diagnostic::error(Code::BRACKET, "`${` is never closed")
            .at(self.span(start, start + 2), "opened here")
            .help("close it with `}` on the same line");
        self.report(problem);
        Broken { start }
    }

    pub(super) fn closes_nothing(&self, at: usize) -> Diagnostic {
        Diagnostic::error(Code::BRACKET, "`)` closes nothing")
            .at(self.span(at, at + 1), "")
            .help("remove it, or add the `(` that is missing")
    }

    pub(super) fn empty_output(&self, start: usize, end: usize) -> Diagnostic {
        Diagnostic::error(Code::UNEXPECTED, "expected a program in `$( )`, found nothing")
            .at(self.span(start, end), "")
            .help("write the program and its arguments, as in `$(git rev-parse HEAD)`")
    }

    pub(super) fn bad_escape(&self, at: usize, end: usize) -> Diagnostic {
        Diagnostic::error(
            Code::ESCAPE,
            format!("unknown escape `{}` in double quotes", &self.text[at..end]),
        )
        .at(self.span(at, end), "")
        .help("the escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\$`; single quotes take everything as it is")
    }

    pub(super) fn bad_home(&self, at: usize) -> Diagnostic {
        Diagnostic::error(Code::HOME, "`~` at the start of a word must stand alone or before `/`")
            .at(self.span(at, at + 1), "")
            .help("write the folder in full, or quote the word if `~` is just a character")
    }

    pub(super) fn bad_variable(&self, start: usize, end: usize) -> Diagnostic {
        let name = &self.text[start + 1..end];
        let place = self.span(start, end);
        if name.is_empty() {
            return Diagnostic::error(Code::VARIABLE, "`$` without a name")
                .at(place, "")
                .help("write `$name`, or `'$'` in single quotes for the character itself");
        }
        let problem = Diagnostic::error(Code::VARIABLE, format!("`${name}` is not a variable")).at(place, "");
        let lower = name.trim_end_matches(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
        let head = name
            .find(|c: char| c.is_ascii_uppercase())
            .map_or(lower, |upper| &name[..upper]);
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            problem.help(format!(
                "names are lower case; a variable of the environment is `${{env.{name}}}`"
            ))
        } else if name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_') {
            problem.help(format!(
                "names are lower case; write `${{{head}}}{}` if the name ends there",
                &name[head.len()..]
            ))
        } else {
            problem.help("a name begins with `a`–`z` or `_`; use single quotes if `$` is just a character")
        }
    }

    pub(super) fn bad_braced_variable(&self, start: usize, end: usize) -> Diagnostic {
        let inner = &self.text[start + 2..end - 1];
        let shown: String = inner.chars().take(40).collect();
        let problem = Diagnostic::error(Code::VARIABLE, format!("`${{{shown}}}` is not a variable"))
            .at(self.span(start, end), "");
        let upper = inner
            .bytes()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        if inner.is_empty() {
            problem.help("write a name between the braces")
        } else if upper {
            problem.help(format!("a variable of the environment is `${{env.{shown}}}`"))
        } else if inner.contains(":-") || inner.contains(":=") {
            problem.help("a default stands in the declaration: `param name = default`")
        } else if inner.contains('.') {
            problem.help("a dot stands only behind `env`: `${env.HOME}`")
        } else {
            problem.help("names are made of `a`–`z`, `0`–`9` and `_`")
        }
    }
}
