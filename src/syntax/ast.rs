//! The tree of a recipe as written: nothing is looked up, nothing is expanded. Every node keeps its span.

use super::Span;

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// One parsed text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// `##` lines at the very top, before a blank line, if they do not belong to a declaration.
    pub doc: Option<String>,
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub statements: Vec<Statement>,
    /// From `{` to `}`.
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// From its first to its last word (for a block statement: to the `{`, so that an underline stays on one line).
    pub span: Span,
    pub kind: StatementKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// `include app.zdt`
    Include { path: Word },
    /// `param NAME [TYPE] [secret] [= default]`, with the `##` lines directly above it.
    Param {
        name: Name,
        kind: Option<Name>,
        secret: bool,
        default: Option<Value>,
        doc: Option<String>,
    },
    /// `let NAME = value`
    Let { name: Name, value: Value },
    /// `task NAME { … }`
    Task {
        name: Name,
        doc: Option<String>,
        body: Block,
    },
    /// `def verb(arg other) { … }`; arguments are separated by blanks or commas.
    Def {
        name: Name,
        parameters: Vec<Name>,
        doc: Option<String>,
        body: Block,
    },
    /// `for x in LIST [batch=…] { … }`
    For {
        variable: Name,
        list: Value,
        batch: Option<Word>,
        body: Block,
    },
    /// `if C { … } else if C { … } else { … }`
    If {
        branches: Vec<(Condition, Block)>,
        otherwise: Option<Block>,
    },
    /// `retry 3 every=1s { … }`
    Retry {
        times: Word,
        options: Vec<Argument>,
        body: Block,
    },
    /// `timeout 60s { … }`
    Timeout { limit: Word, body: Block },
    /// `on failure { … }`
    OnFailure { body: Block },
    /// `finally { … }`
    Finally { body: Block },
    /// Everything else: verbs, declarations (`compose`, `proxy`, `backend`, `policy`), calls of a `def` or a task.
    Command(Command),
}

/// `name argument…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub name: Name,
    pub arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    Word(Word),
    /// `[a b]` standing alone.
    List(List),
    /// `key=value`.
    Key {
        key: Name,
        value: Value,
        /// The same characters read as one plain word, for `run make V=1`.
        /// `None` where the value is a list.
        as_word: Option<Word>,
        span: Span,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub items: Vec<Word>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Word(Word),
    List(List),
}

/// One shell-like word: adjacent pieces without blanks between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub pieces: Vec<Piece>,
    /// True when any part of it stood in quotes (then a number or a key in it means nothing special).
    pub quoted: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text after unquoting.
    Text(String),
    /// `$name`, `${name}`, `${env.NAME}` (the name holds `env.NAME` then).
    Variable { name: String, span: Span },
    /// `$(prog args)`: its output, at run time.
    Output { words: Vec<Word>, span: Span },
    /// A leading unquoted `~` (before `/` or at the end of the word).
    Home { span: Span },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Equal(Value, Value),
    NotEqual(Value, Value),
    Exists { path: Word, span: Span },
    Succeeds { words: Vec<Word>, span: Span },
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

impl Word {
    /// The text, when nothing in it must be looked up.
    pub fn literal(&self) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Variable { .. } | Piece::Output { .. } | Piece::Home { .. } => return None,
            }
        }
        Some(text)
    }
}

impl Value {
    pub fn span(&self) -> Span {
        match self {
            Value::Word(word) => word.span,
            Value::List(list) => list.span,
        }
    }
}

impl Argument {
    pub fn span(&self) -> Span {
        match self {
            Argument::Word(word) => word.span,
            Argument::List(list) => list.span,
            Argument::Key { span, .. } => *span,
        }
    }
}
