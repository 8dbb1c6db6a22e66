//! Quotes and `$`: where they end, and what is wrong inside them.

use super::{MAX_DEPTH, Scanner};

/// Something has no end; it was reported. `start` is where it was opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broken {
    pub start: usize,
}

impl Scanner<'_> {
    /// Reads from an opening quote to behind the closing one. Inside brackets it must end on its line:
    /// else one quote too many could make the scanner read the same lines again and again.
    pub(super) fn quoted(&mut self, quote: u8, in_brackets: bool) -> Result<(), Broken> {
        let open = self.pos;
        let before = (self.out.diagnostics.len(), self.out.patches.len());
        let spans_lines = !in_brackets
            && match quote {
                b'"' => self.double_spans_lines,
                _ => self.single_spans_lines,
            };
        self.pos += 1;
        let mut lines = false;
        let mut broken = false;
        loop {
            let at = self.pos;
            match self.peek() {
                None => return Err(self.unclosed_quote(open, quote, before)),
                Some(b'\n') if in_brackets => {
                    self.forget_since(before);
                    return Err(self.unclosed_in_brackets(open, quote));
                }
                Some(b'\n') if !spans_lines => return Err(self.unclosed_quote(open, quote, before)),
                Some(b'\n') => {
                    lines = true;
                    self.pos += 1;
                }
                Some(byte) if byte == quote => {
                    self.pos += 1;
                    if lines && self.suspect.is_none() && self.glued_to_a_word() {
                        self.suspect = Some((open, quote));
                    }
                    return Ok(());
                }
                Some(b'\\') if quote == b'"' => self.escape(at),
                Some(b'$') if quote == b'"' && !broken => {
                    if let Err(inner) = self.dollar(true) {
                        if in_brackets {
                            return Err(inner);
                        }
                        // The quote may well be closed: only its `$` are not looked at any more.
                        broken = true;
                        self.drop_patches_from(at);
                        self.out.patches.push((at, at + 1));
                        self.pos = at + 1;
                    }
                }
                Some(_) => self.pos += 1,
            }
        }
    }

    /// What was found since the quote is no finding: it was read as what it may not be.
    fn forget_since(&mut self, before: (usize, usize)) {
        self.out.diagnostics.truncate(before.0);
        self.out.patches.truncate(before.1);
    }

    fn unclosed_quote(&mut self, open: usize, quote: u8, before: (usize, usize)) -> Broken {
        self.forget_since(before);
        match quote {
            b'"' => self.double_spans_lines = false,
            _ => self.single_spans_lines = false,
        }
        self.unclosed_at(open, quote)
    }

    /// After a closing quote: whether a letter or digit follows without a blank.
    fn glued_to_a_word(&self) -> bool {
        self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    fn escape(&mut self, at: usize) {
        match self.byte(at + 1) {
            Some(b'n' | b't' | b'"' | b'\\' | b'$') => self.pos += 2,
            _ if self.continuation().is_some() => self.pos += self.continuation().unwrap_or(1),
            None => self.pos += 1,
            Some(_) => {
                let length = self.char_length(at + 1);
                let problem = self.bad_escape(at, at + 1 + length);
                self.report(problem);
                self.out.patches.push((at, at + 1));
                self.pos += 1;
            }
        }
    }

    /// Reads `$name`, `${name}` or `$(…)`.
    pub(super) fn dollar(&mut self, in_double: bool) -> Result<(), Broken> {
        let start = self.pos;
        match self.byte(start + 1) {
            Some(b'(') => return self.output(in_double),
            Some(b'{') => return self.braced_variable(),
            Some(b'a'..=b'z' | b'_') => {
                let end = self.name_end(start + 1);
                self.pos = end;
                if !self.byte(end).is_some_and(|byte| byte.is_ascii_uppercase()) {
                    return Ok(());
                }
            }
            _ => {}
        }
        let mut end = start + 1;
        while self
            .byte(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            end += 1;
        }
        if end == start + 1 && matches!(self.byte(end), Some(b'?' | b'@' | b'#' | b'!' | b'$' | b'*' | b'-')) {
            end += 1;
        }
        let problem = self.bad_variable(start, end);
        self.report(problem);
        self.out.patches.push((start, end));
        self.pos = end;
        Ok(())
    }

    fn name_end(&self, from: usize) -> usize {
        let mut end = from;
        while matches!(self.byte(end), Some(b'a'..=b'z' | b'0'..=b'9' | b'_')) {
            end += 1;
        }
        end
    }

    fn braced_variable(&mut self) -> Result<(), Broken> {
        let start = self.pos;
        let mut end = start + 2;
        loop {
            match self.byte(end) {
                None | Some(b'\n' | b'"' | b'\'' | b'{' | b';') => {
                    let broken = self.unclosed_variable(start);
                    return Err(broken);
                }
                Some(b'}') => break,
                Some(_) => end += 1,
            }
        }
        let inner = &self.text[start + 2..end];
        if !is_name(inner) && !inner.strip_prefix("env.").is_some_and(is_environment_name) {
            let problem = self.bad_braced_variable(start, end + 1);
            self.report(problem);
            self.out.patches.push((start, end + 1));
        }
        self.pos = end + 1;
        Ok(())
    }

    /// `$(prog args)`, on one line.
    fn output(&mut self, in_double: bool) -> Result<(), Broken> {
        let start = self.pos;
        if self.outputs == MAX_DEPTH {
            let problem = self.too_deep(start, "`$( )`");
            self.report(problem);
            return Err(Broken { start });
        }
        self.outputs += 1;
        let result = self.output_words(start, in_double);
        self.outputs -= 1;
        result
    }

    fn output_words(&mut self, start: usize, in_double: bool) -> Result<(), Broken> {
        self.pos += 2;
        let mut word = self.pos;
        let mut reported = false;
        let mut parentheses = 0;
        let mut empty = true;
        loop {
            let at = self.pos;
            match self.peek() {
                None | Some(b'\n') => return Err(self.unclosed_at(start, b'$')),
                Some(b')') if parentheses == 0 => {
                    self.pos += 1;
                    if empty {
                        let problem = self.empty_output(start, at + 1);
                        self.report(problem);
                        self.out.patches.push((start, at + 1));
                    }
                    return Ok(());
                }
                Some(b' ' | b'\t' | b'\r') => {
                    self.pos += 1;
                    word = self.pos;
                    reported = false;
                    continue;
                }
                Some(b'\\') if self.continuation().is_some() => {
                    self.pos += self.continuation().unwrap_or(1);
                    word = self.pos;
                    reported = false;
                    continue;
                }
                Some(quote @ (b'"' | b'\'')) => {
                    let reports = self.out.diagnostics.len();
                    if let Err(broken) = self.quoted(quote, true) {
                        if in_double && reports + 1 == self.out.diagnostics.len() {
                            // In `"$(date"` the parenthesis is missing, not a quote.
                            self.out.diagnostics.truncate(reports);
                            return Err(self.unclosed_at(start, b'$'));
                        }
                        return Err(broken);
                    }
                }
                Some(b'$') => self.dollar(in_double)?,
                Some(b'~') if at == word => self.home(),
                Some(b'(') => {
                    parentheses += 1;
                    self.special_in_output(at, &mut reported);
                }
                Some(b')') => {
                    parentheses -= 1;
                    self.special_in_output(at, &mut reported);
                }
                Some(b';' | b'{' | b'}' | b'[' | b']') => self.special_in_output(at, &mut reported),
                Some(b'#') if at == word => self.special_in_output(at, &mut reported),
                Some(_) if self.is_special(at) => self.special_in_output(at, &mut reported),
                Some(_) => self.pos += 1,
            }
            empty = false;
        }
    }

    /// A `~` at the start of a word: alone or before `/` it is the home folder, else an error.
    pub(super) fn home(&mut self) {
        let at = self.pos;
        self.pos += 1;
        match self.peek() {
            None | Some(b'/' | b' ' | b'\t' | b'\n' | b'\r' | b';' | b'{' | b'}' | b')' | b']') => {}
            Some(b'\\') if self.continuation().is_some() => {}
            Some(_) => {
                let problem = self.bad_home(at);
                self.report(problem);
                self.out.patches.push((at, at + 1));
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_environment_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
