//! Characters that must stand in quotes.

use super::Scanner;

impl Scanner<'_> {
    /// Whether the character at `at` may not stand outside quotes.
    pub(super) fn is_special(&self, at: usize) -> bool {
        match self.bytes[at] {
            b'|' | b'&' | b'<' | b'>' | b'*' | b'(' | b')' | b'[' | b']' | b'\\' | b'`' => true,
            byte if byte.is_ascii_control() => byte != b'\t' && byte != b'\n',
            byte if byte.is_ascii() => false,
            _ => self.char_at(at).is_some_and(looks_like_something_else),
        }
    }

    pub(super) fn char_at(&self, at: usize) -> Option<char> {
        // In the middle of a character there is none.
        self.text.get(at..)?.chars().next()
    }

    /// The length in bytes of the character at `at`, at least 1.
    pub(super) fn char_length(&self, at: usize) -> usize {
        self.char_at(at).map_or(1, char::len_utf8)
    }

    /// Reports a special character with its repetitions (`&&`), once a word, and goes on behind it.
    pub(super) fn special(&mut self, at: usize, reported: &mut bool, statement: usize) {
        let end = self.special_end(at);
        if !*reported {
            let problem = self.unquoted(at, end, statement);
            self.report(problem);
            *reported = true;
        }
        self.out.patches.push((at, end));
        self.pos = end;
    }

    /// The same inside `$( )`.
    pub(super) fn special_in_output(&mut self, at: usize, reported: &mut bool) {
        let end = self.special_end(at);
        if !*reported {
            let problem = self.unquoted_in_output(at, end);
            self.report(problem);
            *reported = true;
        }
        self.out.patches.push((at, end));
        self.pos = end;
    }

    fn special_end(&self, at: usize) -> usize {
        let first = self.bytes[at];
        if !matches!(first, b'|' | b'&' | b'<' | b'>' | b'*') {
            return at + self.char_length(at);
        }
        let repeated = self.bytes[at..].iter().take_while(|byte| **byte == first).count();
        at + repeated
    }
}

/// Blanks and quotes that a keyboard does not make, but a web page or a word processor does.
fn looks_like_something_else(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '\u{200b}' | '\u{feff}' | '\u{2028}' | '\u{2029}' | '“' | '”' | '„'
        )
}
