//! nginx's configuration language: text to a tree of directives, with nginx's own words for what is wrong.

use std::sync::Arc;

/// `name args…;` or `name args… { … }`
#[derive(Debug, Clone)]
pub(crate) struct Directive {
    pub name: String,
    pub args: Vec<String>,
    pub block: Option<Vec<Directive>>,
    pub file: Arc<str>,
    pub line: usize,
}

/// An `[emerg]` message, without that word.
pub(crate) type Emerg = String;

impl Directive {
    pub fn error(&self, text: &str) -> Emerg {
        format!("{text} in {}:{}", self.file, self.line)
    }
}

/// What is inside quotes cannot be punctuation.
#[derive(Debug)]
enum Token {
    Word(String),
    Semicolon,
    Open,
    Close,
}

/// Parses one file. Includes are still directives.
pub(crate) fn parse(text: &str, file: &Arc<str>) -> Result<Vec<Directive>, Emerg> {
    let (tokens, last) = tokens(text, file)?;
    let mut parser = Parser {
        tokens: tokens.into_iter(),
        file,
        last,
    };
    parser.block(0)
}

struct Parser<'a> {
    tokens: std::vec::IntoIter<(Token, usize)>,
    file: &'a Arc<str>,
    last: usize,
}

impl Parser<'_> {
    fn block(&mut self, depth: usize) -> Result<Vec<Directive>, Emerg> {
        let mut found = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut start = 1;
        while let Some((token, line)) = self.tokens.next() {
            match token {
                Token::Word(word) => {
                    if words.is_empty() {
                        start = line;
                    }
                    words.push(word);
                }
                Token::Semicolon if words.is_empty() => {
                    return Err(self.error("unexpected \";\"", line));
                }
                Token::Semicolon => found.push(self.directive(&mut words, None, start)),
                Token::Open if words.is_empty() => return Err(self.error("unexpected \"{\"", line)),
                Token::Open => {
                    let mut head = std::mem::take(&mut words);
                    if depth > 100 {
                        return Err(self.error("blocks are nested too deeply", line));
                    }
                    let block = self.block(depth + 1)?;
                    found.push(self.directive(&mut head, Some(block), start));
                }
                Token::Close if depth > 0 && words.is_empty() => return Ok(found),
                Token::Close => return Err(self.error("unexpected \"}\"", line)),
            }
        }
        match (depth > 0, words.is_empty()) {
            (false, true) => Ok(found),
            (true, true) => Err(self.error("unexpected end of file, expecting \"}\"", self.last)),
            (_, false) => Err(self.error("unexpected end of file, expecting \";\" or \"}\"", self.last)),
        }
    }

    fn directive(&self, words: &mut Vec<String>, block: Option<Vec<Directive>>, line: usize) -> Directive {
        let mut words = std::mem::take(words).into_iter();
        Directive {
            name: words.next().unwrap_or_default(),
            args: words.collect(),
            block,
            file: Arc::clone(self.file),
            line,
        }
    }

    fn error(&self, text: &str, line: usize) -> Emerg {
        format!("{text} in {}:{line}", self.file)
    }
}

/// Words and punctuation with their lines, and the line after the last character.
fn tokens(text: &str, file: &Arc<str>) -> Result<(Vec<(Token, usize)>, usize), Emerg> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            ';' => found.push((Token::Semicolon, line)),
            '{' => found.push((Token::Open, line)),
            '}' => found.push((Token::Close, line)),
            quote @ ('"' | '\'') => {
                let start = line;
                let mut word = String::new();
                loop {
                    match chars.next() {
                        None => {
                            return Err(format!(
                                "unexpected end of file, expecting \";\" or \"}}\" in {file}:{line}"
                            ));
                        }
                        Some(c) if c == quote => break,
                        Some('\\') => match chars.next() {
                            Some(c) if c == quote || c == '\\' => word.push(c),
                            Some('n') => word.push('\n'),
                            Some('t') => word.push('\t'),
                            Some('r') => word.push('\r'),
                            Some(c) => word.extend(['\\', c]),
                            None => {}
                        },
                        Some(c) => {
                            line += usize::from(c == '\n');
                            word.push(c);
                        }
                    }
                }
                found.push((Token::Word(word), start));
            }
            first => {
                let mut word = String::from(first);
                loop {
                    // `${name}` is part of a word.
                    if word.ends_with('$') && chars.peek() == Some(&'{') {
                        word.extend(chars.by_ref().take_while(|c| *c != '}'));
                        word.push('}');
                        continue;
                    }
                    match chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '{' | '}')) {
                        Some('\\') => word.extend(['\\'].into_iter().chain(chars.next())),
                        Some(c) => word.push(c),
                        None => break,
                    }
                }
                found.push((Token::Word(word), line));
            }
        }
    }
    Ok((found, line))
}
