//! Everything zdt prints. Events and plain data come in, text goes out, and nothing here decides what happens.
//!
//! ```text
//! exec → Masked → Fan → Terminal, JsonLog, HtmlReport
//! ```
//!
//! [`Screen`] holds what is known of a stream and is read once, at the top; [`Style`] is the one place with colours.
//! Pages that are asked for (`explain`, `--help` of a recipe) are plain functions from data to text.

mod blocks;
mod ending;
mod explain;
mod html;
mod json;
mod line;
mod lines;
mod live;
mod masked;
mod plan_view;
mod project;
mod recipe_help;
mod screen;
mod style;
mod terminal;
mod text;
mod time;

use std::sync::Arc;
use std::time::SystemTime;

pub use explain::{explain, topics, verbs_table};
pub use html::HtmlReport;
pub use json::JsonLog;
pub use masked::Masked;
pub use project::{Backend as BackendLine, RunLine, StatusPage, Traffic, history_page, status_page};
pub use recipe_help::{RecipeHelp, recipe_help};
pub use screen::{Screen, Sheet, Width};
pub use style::Style;
pub use terminal::Terminal;

use crate::exec::{Event, Sink};

/// Where a report takes the time of day from.
pub type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// Hands each event to several, in order.
pub struct Fan<'a>(pub Vec<Box<dyn Sink + 'a>>);

impl Sink for Fan<'_> {
    fn event(&self, event: &Event) {
        for sink in &self.0 {
            sink.event(event);
        }
    }
}

/// A report that is looked at afterwards is lent to the run.
impl<S: Sink + ?Sized> Sink for &S {
    fn event(&self, event: &Event) {
        (**self).event(event);
    }
}

impl<S: Sink + Send + ?Sized> Sink for Arc<S> {
    fn event(&self, event: &Event) {
        (**self).event(event);
    }
}
