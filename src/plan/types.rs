//! The types a place can demand. Values keep their source text until here.

use std::time::Duration;

/// `500ms`, `10s`, `2m`, `1h`; a bare number is refused because its unit would be a guess.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration; write `500ms`, `10s`, `2m` or `1h`");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = match &text[digits..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())
}

/// How a duration is shown: `500ms`, `10s`, `1.5s`, `2m`.
pub fn show_duration(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0..1000 => format!("{millis}ms"),
        _ if millis >= 60_000 && millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        _ => format!("{:.1}s", time.as_secs_f64()),
    }
}

/// `512k`, `64m`, `2g` or plain bytes.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size; write `512k`, `64m` or `2g`");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let shift = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

pub fn int(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

pub fn bool(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

/// A number of things out of `total`: `2`, or `25%` (rounded down, at least 1).
pub fn share(text: &str, total: usize) -> Result<usize, String> {
    let wrong = || format!("`{text}` is neither a number from 1 nor a percentage such as `25%`");
    match text.strip_suffix('%') {
        Some(number) => {
            let percent: usize = number.parse().map_err(|_| wrong())?;
            if percent == 0 || percent > 100 {
                return Err(wrong());
            }
            Ok((total * percent / 100).max(1))
        }
        None => match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(wrong()),
        },
    }
}

/// What a `param` may be declared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    String,
    Path,
    Duration,
    Size,
    Percent,
    Int,
    Bool,
    List,
}

impl ParamType {
    pub const NAMES: &[(&str, ParamType)] = &[
        ("string", ParamType::String),
        ("path", ParamType::Path),
        ("duration", ParamType::Duration),
        ("size", ParamType::Size),
        ("percent", ParamType::Percent),
        ("int", ParamType::Int),
        ("bool", ParamType::Bool),
        ("list", ParamType::List),
    ];

    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, kind)| *kind == self);
        found.map_or("string", |(name, _)| name)
    }

    /// Checks one text; the text itself stays as it was written.
    pub fn check(self, text: &str) -> Result<(), String> {
        match self {
            ParamType::String | ParamType::Path | ParamType::List => Ok(()),
            ParamType::Duration => duration(text).map(drop),
            ParamType::Size => size(text).map(drop),
            ParamType::Percent => match text.strip_suffix('%').map(str::parse::<u8>) {
                Some(Ok(0..=100)) => Ok(()),
                _ => Err(format!("`{text}` is not a percentage such as `25%`")),
            },
            ParamType::Int => int(text).map(drop),
            ParamType::Bool => bool(text).map(drop),
        }
    }
}
