//! Formats counts, numbers, sizes and durations.

use jiff::SignedDuration;

/// Formats a count: `1 outlet`, `3 outlets`.
pub fn count_of(count: usize, singular: &str, plural: &str) -> String {
    if count == 1 { format!("1 {singular}") } else { format!("{} {plural}", grouped_digits(count as u64)) }
}

/// Formats a number with a narrow no-break space between groups of three digits.
pub fn grouped_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Formats a number of bytes: `512 KiB`, `1.5 GiB`.
pub fn byte_size(bytes: u64) -> String {
    const KIB: f64 = 1024.0;
    match bytes as f64 {
        bytes if bytes < KIB => format!("{bytes} B"),
        bytes if bytes < KIB * KIB => format!("{:.0} KiB", bytes / KIB),
        bytes if bytes < KIB * KIB * KIB => format!("{:.1} MiB", bytes / KIB / KIB),
        bytes => format!("{:.1} GiB", bytes / KIB / KIB / KIB),
    }
}

/// Formats a duration in its two largest units: `2 h 10 min`.
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0 => format!("{} ms", duration.as_millis().max(0)),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => two_units(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two_units(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

fn two_units(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_numbers_are_easy_to_read() {
        for (seconds, shown) in
            [(5, "5 s"), (90, "1 min"), (7800, "2 h 10 min"), (7200, "2 h"), (180_000, "2 d 2 h"), (-5, "0 ms")]
        {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), shown);
        }
        let sizes = [0, 2048, 5 << 20, 3 << 29].map(byte_size);
        assert_eq!(sizes, ["0 B", "2 KiB", "5.0 MiB", "1.5 GiB"]);
        assert_eq!(grouped_digits(1_234_567).replace('\u{202f}', " "), "1 234 567");
        assert_eq!((count_of(1, "outlet", "outlets"), count_of(0, "a", "as")), ("1 outlet".into(), "0 as".into()));
    }
}
