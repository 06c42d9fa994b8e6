//! Durations as people write them: `15s`, `2m`, `1h`, `500ms`, or plain seconds.

use std::time::Duration;

/// Parses a duration; the error says what is accepted.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("{text:?} is not a duration; write 15s, 2m, 1h, 500ms or a number of seconds");
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis_per_unit = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(millis_per_unit)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::parse_duration;
    use std::time::Duration;

    #[test]
    fn durations_are_read_with_and_without_a_unit() {
        for (text, millis) in [
            ("15s", 15_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("500ms", 500),
            ("30", 30_000),
            ("0s", 0),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_says_what_is_accepted() {
        for text in [
            "",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "5 minutes",
            "99999999999999999999",
            "18446744073709551615h",
        ] {
            let why = parse_duration(text).expect_err("must be refused");
            assert!(why.contains("15s, 2m"), "{text}: {why}");
        }
    }
}
