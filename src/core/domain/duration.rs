//! Durations as people write them in settings: `15s`, `10m`, `24h`, `7d`, or plain seconds.

use std::time::Duration;

/// What is accepted, for error messages.
pub const ACCEPTED: &str = "a number with s, m, h or d, as 15s, 10m or 24h";

/// Parses a duration; nothing when the text is none.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "ms" => return digits.parse().ok().map(Duration::from_millis),
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(factor).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood_and_nonsense_is_not() {
        let secs = |text| parse(text).map(|d| d.as_secs());
        assert_eq!(secs("15s"), Some(15));
        assert_eq!(secs("10m"), Some(600));
        assert_eq!(secs(" 24h "), Some(86_400));
        assert_eq!(secs("30"), Some(30));
        assert_eq!(parse("1500ms"), Some(Duration::from_millis(1500)));
        for bad in [
            "",
            "s",
            "-1s",
            "1.5h",
            "5w",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
