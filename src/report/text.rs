//! Text that fits: cleaned, measured, cut and wrapped.

use std::time::Duration;

/// Text that says what it says on any terminal, on one line: escape sequences of programs are taken out, and whatever
/// else could steer a terminal or turn text around is replaced.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.trim_end().chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.next_if_eq(&'[').is_some() => {
                // A control sequence ends with its first byte from `@` to `~` (ECMA-48, 5.4).
                while characters.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {}
            }
            '\t' => out.push_str("    "),
            '\r' if matches!(characters.peek(), None | Some('\n')) => {}
            '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => out.push('\u{fffd}'),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                out.push('\u{fffd}')
            }
            _ => out.push(character),
        }
    }
    out
}

/// Columns that a character takes, near enough: marks that combine take none, East Asian and emoji take two.
fn columns(character: char) -> usize {
    match u32::from(character) {
        0x300..=0x36f | 0x483..=0x489 | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Filled up with blanks to `room` columns.
pub(super) fn pad(text: &str, room: usize) -> String {
    format!("{text}{}", blanks(room.saturating_sub(width(text))))
}

pub(super) fn blanks(count: usize) -> String {
    " ".repeat(count)
}

/// At most `room` columns, with `…` where something is missing at the end.
pub(super) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_string();
    }
    let (head, _) = split(text, room.saturating_sub(1));
    format!("{}…", head.trim_end())
}

/// The same with the beginning left out: of an image the tag says more than the registry.
pub(super) fn cut_front(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_string();
    }
    let mut left = room.saturating_sub(1);
    let mut from = text.len();
    for (at, character) in text.char_indices().rev() {
        match left.checked_sub(columns(character)) {
            Some(rest) => left = rest,
            None => break,
        }
        from = at;
    }
    format!("…{}", &text[from..])
}

/// As much as fits into `room`, and the rest.
fn split(text: &str, room: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += columns(character);
        if used > room {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// Lines of whole words; a word that is wider than a line is broken.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        let joined = width(line) + usize::from(!line.is_empty()) + width(word);
        if joined <= room {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        let mut rest = word;
        while !rest.is_empty() {
            let (head, tail) = split(rest, room);
            // A character that is wider than the room stands alone.
            let (head, tail) = match head.is_empty() {
                true => rest.split_at(rest.chars().next().map_or(0, char::len_utf8)),
                false => (head, tail),
            };
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(head),
                _ => lines.push(head.to_string()),
            }
            rest = tail;
        }
    }
    lines
}

/// Lines broken where they must be and nowhere else: what a program printed keeps its blanks.
pub(super) fn fold(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while width(rest) > room {
        let (head, tail) = split(rest, room.max(2));
        lines.push(head.to_string());
        rest = tail;
    }
    lines.push(rest.to_string());
    lines
}

/// What stands between two facts of a line.
pub(super) const BETWEEN: &str = " · ";

/// Lines of whole facts where possible.
pub(super) fn wrap_facts(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fact in text.split(BETWEEN) {
        match lines.last_mut() {
            Some(line) if width(line) + width(BETWEEN) + width(fact) <= room => {
                line.push_str(BETWEEN);
                line.push_str(fact);
            }
            _ => lines.extend(wrap(fact, room)),
        }
    }
    lines
}

/// `0.2s`, `12.3s`, `1m01s`, `1h02m`.
pub(super) fn took(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    if tenths < 600 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    seconds((time + Duration::from_millis(500)).as_secs())
}

/// `12s`, `1m01s`, `1h02m`.
pub(super) fn seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(clean("\x1b[31mred\x1b[0m\ttab\r\n"), "red    tab");
        assert_eq!(
            clean("a\x1b]0;title\x07b\u{202e}"),
            "a\u{fffd}]0;title\u{fffd}b\u{fffd}"
        );
        assert_eq!(clean("10%\r20%\nend"), "10% 20% end");
    }

    #[test]
    fn what_is_cut_fits() {
        assert_eq!(cut("drain app_1", 11), "drain app_1");
        assert_eq!(cut("drain app_1", 8), "drain a…");
        assert_eq!(cut_front("registry/shop:0.0.2", 8), "…p:0.0.2");
        assert_eq!(cut("版本版本", 5), "版本…");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("版", 1), ["版"]);
        assert_eq!(wrap_facts("a b · c d · e", 9), ["a b · c d", "e"]);
    }

    #[test]
    fn durations_read_well() {
        let cases = [
            (0, "0.0s"),
            (249, "0.2s"),
            (59_940, "59.9s"),
            (59_960, "1m00s"),
            (61_000, "1m01s"),
            (3_725_000, "1h02m"),
        ];
        for (ms, text) in cases {
            assert_eq!(took(Duration::from_millis(ms)), text);
        }
    }
}
