//! Why a step did not end well, as data. The executor decides what follows; the report words it.

use crate::world::ProcessError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Something was tried and did not work.
    Failed,
    /// Nothing was tried: it would have been unsafe or could not work.
    Refused,
    /// A person or the system asked zdt to stop.
    Interrupted,
}

/// A step that failed: one line, then details, then what to type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: FailureKind,
    /// One line, lower case, names in backticks.
    pub message: String,
    /// Log lines, differences, whatever explains it; shown beneath.
    pub notes: Vec<String>,
    pub help: Option<String>,
    /// For `zdt explain`, where there is more to say.
    pub code: Option<crate::diagnostic::Code>,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Failed,
            message: message.into(),
            notes: Vec::new(),
            help: None,
            code: None,
        }
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Refused,
            ..Self::new(message)
        }
    }

    pub fn interrupted() -> Self {
        Self {
            kind: FailureKind::Interrupted,
            ..Self::new("interrupted")
        }
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds every line of `text` that is not blank, the last `most` of them.
    pub fn lines(mut self, text: &str, most: usize) -> Self {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let from = lines.len().saturating_sub(most);
        self.notes
            .extend(lines[from..].iter().map(|line| line.trim_end().to_string()));
        self
    }

    pub fn code(mut self, code: crate::diagnostic::Code) -> Self {
        self.code = Some(code);
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        match &error {
            ProcessError::Interrupted { .. } => Self {
                kind: FailureKind::Interrupted,
                ..Self::new(error.to_string())
            },
            ProcessError::NotFound { .. }
            | ProcessError::TimedOut { .. }
            | ProcessError::Silent { .. }
            | ProcessError::Io { .. } => Self::new(error.to_string()),
            ProcessError::NoAnswer { said, .. } => Self::new(error.to_string()).lines(said, 12),
        }
    }
}
