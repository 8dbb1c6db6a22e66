//! Finds the end of one statement.

use super::quoted::Broken;
use super::{Item, ItemKind, MAX_DEPTH, Scanner};

/// What is known about the word being read.
struct Place {
    /// Where the word began; equal to the position where one could begin.
    word: usize,
    /// Braces opened inside the word (`a{b`).
    braces: usize,
    /// Something in this word was reported already: one report a word is enough.
    reported: bool,
}

impl Scanner<'_> {
    /// Reads from the first character of a statement to its end, and appends it.
    pub(super) fn statement(&mut self) {
        let start = self.pos;
        let problems = self.out.diagnostics.len();
        let parentheses_mean_something = self.first_word_takes_parentheses();
        let mut parentheses: Vec<usize> = Vec::new();
        let mut place = Place {
            word: start,
            braces: 0,
            reported: false,
        };
        while let Some(byte) = self.peek() {
            let at = self.pos;
            match byte {
                b' ' | b'\t' => {
                    self.pos += 1;
                    place = self.next_word();
                }
                b'\\' if self.continuation().is_some() => {
                    self.pos += self.continuation().unwrap_or(1);
                    place = self.next_word();
                }
                b'\n' | b';' => break,
                b'\r' if self.at_line_end(at) => break,
                b'#' if at == place.word => break,
                b'"' | b'\'' => {
                    if let Err(broken) = self.quoted(byte, false) {
                        self.give_up_line(broken);
                        break;
                    }
                }
                b'$' => {
                    if let Err(broken) = self.dollar(false) {
                        self.give_up_line(broken);
                        break;
                    }
                }
                b'~' if at == place.word || self.is_key(place.word, at) => {
                    self.home();
                }
                b'{' if self.opens_block(place.word, at) => break,
                b'{' => {
                    place.braces += 1;
                    self.special(at, &mut place.reported, start);
                }
                b'}' if place.braces == 0 => break,
                b'}' => {
                    place.braces -= 1;
                    self.special(at, &mut place.reported, start);
                }
                b'[' if at == place.word || self.is_key(place.word, at) => {
                    if let Err(broken) = self.list(start) {
                        self.give_up_line(broken);
                        break;
                    }
                    if !self.word_ends_here(parentheses_mean_something) {
                        self.list_in_word(at, &mut place.reported);
                    }
                }
                b'(' if parentheses_mean_something => {
                    parentheses.push(at);
                    self.pos += 1;
                    place = self.next_word();
                    if parentheses.len() > MAX_DEPTH {
                        let problem = self.too_deep(at, "conditions");
                        self.report(problem);
                        self.give_up_line(Broken { start: at });
                        parentheses.clear();
                        break;
                    }
                }
                b')' if parentheses_mean_something => {
                    if parentheses.pop().is_none() {
                        let problem = self.closes_nothing(at);
                        self.report(problem);
                        self.out.patches.push((at, at + 1));
                    }
                    self.pos += 1;
                    place = self.next_word();
                }
                _ if self.is_special(at) => self.special(at, &mut place.reported, start),
                _ => self.pos += 1,
            }
        }
        if let Some(open) = parentheses.first() {
            let problem = self.unclosed(*open, b'(');
            self.report(problem);
        }
        let end = self.trim_end(start, self.pos);
        self.out.items.push(Item {
            kind: ItemKind::Statement {
                sound: self.out.diagnostics.len() == problems,
            },
            start,
            end,
        });
    }

    fn next_word(&self) -> Place {
        Place {
            word: self.pos,
            braces: 0,
            reported: false,
        }
    }

    /// A `[` at the start of a word: up to its `]`, over several lines if need be.
    fn list(&mut self, statement: usize) -> Result<(), Broken> {
        let open = self.pos;
        self.pos += 1;
        let mut place = self.next_word();
        loop {
            let at = self.pos;
            match self.peek() {
                None | Some(b'{' | b'}' | b';') => return Err(self.unclosed_at(open, b'[')),
                Some(b']') => {
                    self.pos += 1;
                    return Ok(());
                }
                Some(b'[') => {
                    let rest = &self.text[at..self.line_end(at)];
                    match rest.find(']') {
                        // On a later line this is more likely the next list than one in this list.
                        Some(length) if !self.text[open..at].contains('\n') => {
                            self.list_in_list(at, &mut place.reported);
                            self.pos = at + length + 1;
                            self.out.patches.push((at, self.pos));
                        }
                        _ => return Err(self.unclosed_at(open, b'[')),
                    }
                }
                Some(b' ' | b'\t' | b'\n') => {
                    self.pos += 1;
                    place = self.next_word();
                }
                Some(b'\r') if self.at_line_end(at) => self.pos += 1,
                Some(b'\\') if self.continuation().is_some() => {
                    self.pos += self.continuation().unwrap_or(1);
                    place = self.next_word();
                }
                Some(b'#') if at == place.word => self.pos = self.line_end(at),
                Some(quote @ (b'"' | b'\'')) => self.quoted(quote, true)?,
                Some(b'$') => self.dollar(false)?,
                Some(b'~') if at == place.word => self.home(),
                Some(_) if self.is_special(at) => {
                    self.special(at, &mut place.reported, statement);
                }
                Some(_) => self.pos += 1,
            }
        }
    }

    /// Gives up the rest of the line where something was opened and never closed. A block that begins at the line's
    /// end is kept, so that its `}` still finds it.
    fn give_up_line(&mut self, broken: Broken) {
        let from = broken.start;
        let end = self.line_end(from);
        let mut keep = self.trim_end(from, end);
        if self.text[from..keep].ends_with(" {") {
            keep -= 1;
        }
        self.drop_patches_from(from);
        self.out.patches.push((from, self.trim_end(from, keep)));
        self.pos = keep;
    }

    pub(super) fn drop_patches_from(&mut self, at: usize) {
        while self.out.patches.last().is_some_and(|patch| patch.0 >= at) {
            self.out.patches.pop();
        }
    }

    /// `if` and `else if` group with parentheses, `def` lists arguments in them.
    fn first_word_takes_parentheses(&self) -> bool {
        let rest = &self.bytes[self.pos..];
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_lowercase())
            .unwrap_or(rest.len());
        matches!(&rest[..length], b"if" | b"else" | b"def")
    }

    /// Whether `key=` stands between the start of the word and `at` (also just `=`, as in `let x =[a]`).
    fn is_key(&self, word: usize, at: usize) -> bool {
        match self.bytes[word..at].split_last() {
            Some((b'=', key)) => {
                !key.first().is_some_and(u8::is_ascii_digit)
                    && key.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            }
            _ => false,
        }
    }

    /// Whether a `{` opens a block: as a word of its own, before a blank, or behind a word that wants one.
    fn opens_block(&self, word: usize, at: usize) -> bool {
        at == word || self.blank_follows(at + 1) || matches!(&self.bytes[word..at], b"else" | b"finally" | b"failure")
    }

    pub(super) fn blank_follows(&self, at: usize) -> bool {
        self.at_line_end(at) || matches!(self.byte(at), Some(b' ' | b'\t' | b';'))
    }

    fn word_ends_here(&self, parentheses_mean_something: bool) -> bool {
        match self.peek() {
            Some(b'{' | b'}') => true,
            Some(b')') => parentheses_mean_something,
            Some(b'\\') => self.continuation().is_some(),
            _ => self.blank_follows(self.pos),
        }
    }

    /// `end` without the blanks and continued line ends before it.
    fn trim_end(&self, start: usize, end: usize) -> usize {
        let mut rest = &self.text[start..end];
        loop {
            let trimmed = rest.trim_end_matches([' ', '\t', '\r', '\n']);
            let continued = rest[trimmed.len()..].starts_with(['\r', '\n']);
            match trimmed.strip_suffix('\\') {
                Some(before) if continued => rest = before,
                _ => return start + trimmed.len(),
            }
        }
    }
}
