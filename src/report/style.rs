//! The one place that knows colours. Styles are named by what they mean, so that a change of taste is a change here.

use std::sync::Once;

use colored::{ColoredString, Colorize};

/// How meaning is shown on one stream: with colours, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    color: bool,
}

impl Style {
    pub fn new(color: bool) -> Self {
        Self { color }
    }

    /// Text as it is.
    pub fn plain() -> Self {
        Self::new(false)
    }

    /// Something went wrong.
    pub fn failed(self, text: &str) -> String {
        self.paint(text, |text| text.red().bold())
    }

    /// Something went well.
    pub fn done(self, text: &str) -> String {
        self.paint(text, Colorize::green)
    }

    /// Worth a look, and not in the way.
    pub fn warning(self, text: &str) -> String {
        self.paint(text, Colorize::yellow)
    }

    /// What several lines below belong to.
    pub fn heading(self, text: &str) -> String {
        self.paint(text, Colorize::bold)
    }

    /// There for whoever looks for it.
    pub fn dim(self, text: &str) -> String {
        self.paint(text, Colorize::dimmed)
    }

    /// A line that could be typed.
    pub fn command(self, text: &str) -> String {
        self.paint(text, Colorize::cyan)
    }

    /// The place in a recipe that something is about.
    pub fn place(self, text: &str) -> String {
        self.paint(text, Colorize::underline)
    }

    /// A line that a file gets.
    pub fn added(self, text: &str) -> String {
        self.paint(text, Colorize::green)
    }

    /// A line that a file loses.
    pub fn removed(self, text: &str) -> String {
        self.paint(text, Colorize::red)
    }

    fn paint<'a>(self, text: &'a str, paint: fn(&'a str) -> ColoredString) -> String {
        if !self.color || text.is_empty() {
            return text.to_string();
        }
        // `colored` has one switch for the whole process, taken from stdout. It is set to "always" once, because the
        // decision is made above, a stream at a time.
        static ALWAYS: Once = Once::new();
        ALWAYS.call_once(|| colored::control::set_override(true));
        paint(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_streams_differ_in_one_process() {
        let (plain, coloured) = (Style::plain(), Style::new(true));
        assert_eq!(plain.done("✓"), "✓");
        assert_eq!(coloured.done("✓"), "\x1b[32m✓\x1b[0m");
        assert_eq!(plain.failed("✗"), "✗");
        assert_eq!(coloured.dim(""), "");
    }
}
