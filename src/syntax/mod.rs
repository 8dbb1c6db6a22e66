//! Recipe text to tree. Pure: no files, clock, environment or processes.
//!
//! text → `scan` (statements, blocks, faulty characters) → `build` (each statement through the grammar) → [`ast`]

pub mod ast;
mod build;
mod format;
mod grammar;
mod parse;
mod scan;
mod source;

pub use format::format;
pub use grammar::is_keyword;
pub use parse::parse;
pub use source::{Source, SourceId, Sources, Span};
