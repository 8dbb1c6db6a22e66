//! What zdt knows of the programs it drives: the engine, compose, nginx. They turn intentions into command lines and
//! files and answers into facts, through [`crate::world`]; they decide nothing about order, undo or policy.

pub mod compose;
pub mod engine;
mod failure;
pub mod nginx;

pub use engine::said;
pub use failure::{Failure, FailureKind};
