//! Extended headers: records of `length key=value` lines.

use super::MOST_EXTENDED;

/// Appends one record.
pub(super) fn append(records: &mut Vec<u8>, key: &[&[u8]], value: &[u8]) {
    let key_len: usize = key.iter().map(|part| part.len()).sum();
    // Space, `=` and the newline.
    let rest = key_len + value.len() + 3;
    let mut length = rest + digits(rest);
    if digits(length) != digits(rest) {
        length = rest + digits(length);
    }
    append_number(records, length as u64);
    records.push(b' ');
    for part in key {
        records.extend_from_slice(part);
    }
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// Appends a number in decimal.
pub(super) fn append_number(text: &mut Vec<u8>, mut number: u64) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&buffer[at..]);
}

/// A time as decimal seconds.
pub(super) fn time(seconds: i64, nanos: u32) -> Vec<u8> {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let (sign, total) = (if total < 0 { "-" } else { "" }, total.unsigned_abs());
    let (whole, part) = (total / 1_000_000_000, total % 1_000_000_000);
    if part == 0 {
        return format!("{sign}{whole}").into_bytes();
    }
    format!("{sign}{whole}.{part:09}").into_bytes()
}

/// Reads a time as decimal seconds; digits behind the ninth are cut.
pub(super) fn parse_time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !part.bytes().all(|byte| byte.is_ascii_digit()) || whole.starts_with('+') {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let nanos: i64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    if !is_negative {
        return Some((whole, u32::try_from(nanos).ok()?));
    }
    if nanos == 0 {
        return Some((whole.checked_neg()?, 0));
    }
    let seconds = whole.checked_neg()?.checked_sub(1)?;
    Some((seconds, u32::try_from(1_000_000_000 - nanos).ok()?))
}

/// Reads a decimal number.
pub(super) fn parse_number(text: &[u8]) -> Option<u64> {
    let is_plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| is_plain)?
        .parse()
        .ok()
}

/// Calls `each` with every key and value of a block of records. Nothing when the block is no such thing.
pub(super) fn parse<'a>(
    mut records: &'a [u8],
    mut each: impl FnMut(&'a [u8], &'a [u8]) -> Option<()>,
) -> Option<()> {
    while !records.is_empty() {
        let space = records.iter().take(20).position(|byte| *byte == b' ')?;
        let length = usize::try_from(parse_number(&records[..space])?).ok()?;
        if length > MOST_EXTENDED || length > records.len() || length < space + 3 {
            return None;
        }
        let record = records[space + 1..length].strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        each(&record[..equals], &record[equals + 1..])?;
        records = &records[length..];
    }
    Some(())
}

/// The name of an extended attribute as it stands in a key: `%` and `=` encoded, as GNU tar does.
pub(super) fn encode_name(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'%' => text.extend_from_slice(b"%25"),
            b'=' => text.extend_from_slice(b"%3D"),
            _ => text.push(*byte),
        }
    }
    text
}

/// The way back from [`encode_name`].
pub(super) fn decode_name(mut text: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(text.len());
    loop {
        if let Some(rest) = text.strip_prefix(b"%25") {
            name.push(b'%');
            text = rest;
        } else if let Some(rest) = text.strip_prefix(b"%3D") {
            name.push(b'=');
            text = rest;
        } else if let Some((byte, rest)) = text.split_first() {
            name.push(*byte);
            text = rest;
        } else {
            return name;
        }
    }
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_themselves() {
        for length in 0..1200 {
            let value = vec![b'v'; length];
            let mut records = Vec::new();
            append(&mut records, &[b"k", b"ey"], &value);
            let mut seen = Vec::new();
            parse(&records, |key, value| {
                seen.push((key.to_vec(), value.to_vec()));
                Some(())
            })
            .expect("a good record");
            assert_eq!(seen, [(b"key".to_vec(), value)]);
        }
    }

    #[test]
    fn times_before_1970_come_back() {
        for at in [
            (0, 0),
            (1, 5),
            (-1, 500_000_000),
            (-2, 999_999_999),
            (-7, 0),
            (1 << 40, 1),
        ] {
            assert_eq!(parse_time(&time(at.0, at.1)), Some(at));
        }
        assert_eq!(time(-2, 500_000_000), b"-1.500000000");
        assert_eq!(parse_time(b"1.25"), Some((1, 250_000_000)));
        assert_eq!(parse_time(b"1.2x"), None);
    }

    #[test]
    fn attribute_names_may_hold_any_byte() {
        let name = b"user.a=b%3D%\xff";
        assert_eq!(decode_name(&encode_name(name)), name);
    }
}
