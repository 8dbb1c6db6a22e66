//! The environment, read once. `main.rs` has the table of what each variable means.

use std::env;
use std::time::Duration;

pub struct Settings {
    pub name: String,
    pub version: String,
    pub port: u16,
    pub db: String,
    pub boot_delay: Duration,
    pub slow: Duration,
    pub order_delay: Duration,
    pub graceful: bool,
    pub dies: bool,
    pub never_healthy: bool,
    pub hangs: bool,
    pub sick_after: Option<Duration>,
}

impl Settings {
    pub fn from_env() -> Result<Self, String> {
        let port = text("APP_PORT", "3000");
        Ok(Self {
            name: text("APP_NAME", "sample-app"),
            version: text("APP_VERSION", "0.0.0"),
            port: port
                .parse()
                .map_err(|_| format!("APP_PORT: `{port}` is not a port"))?,
            db: text("APP_DB", "db:6379"),
            boot_delay: delay("APP_BOOT_DELAY")?.unwrap_or_default(),
            slow: delay("APP_SLOW")?.unwrap_or_default(),
            order_delay: delay("APP_ORDER_DELAY")?.unwrap_or_default(),
            graceful: flag("APP_GRACEFUL"),
            dies: flag("APP_DIES"),
            never_healthy: flag("APP_NEVER_HEALTHY"),
            hangs: flag("APP_HANGS"),
            sick_after: delay("APP_SICK_AFTER")?,
        })
    }

    pub fn who(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// An empty variable is an unset one: compose files write `APP_SLOW=${SLOW:-}`.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn text(name: &str, default: &str) -> String {
    set(name).unwrap_or_else(|| default.to_string())
}

fn flag(name: &str) -> bool {
    set(name).is_some_and(|value| value != "0" && value != "false")
}

fn delay(name: &str) -> Result<Option<Duration>, String> {
    let Some(value) = set(name) else {
        return Ok(None);
    };
    match duration(&value) {
        Some(delay) => Ok(Some(delay)),
        None => Err(format!(
            "{name}: `{value}` is not a duration like `2s` or `500ms`"
        )),
    }
}

/// `500ms`, `2s`, `1.5s`, `1m`, or plain seconds.
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}
