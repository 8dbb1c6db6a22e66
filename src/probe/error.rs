//! Why a probe cannot start.

use std::io;

use thiserror::Error;

#[derive(Debug, Error)]
pub enum ProbeError {
    #[error("`{url}` cannot be probed: {reason}")]
    Url { url: String, reason: &'static str },
    #[error("{0}")]
    Option(String),
    #[error("the version pattern is not a regular expression: {0}")]
    Pattern(String),
    #[error("no thread could be started: {0}")]
    Thread(#[source] io::Error),
}
