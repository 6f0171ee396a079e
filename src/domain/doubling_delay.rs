//! Exponential backoff: each consecutive failure doubles the delay before the next retry.

use jiff::SignedDuration;

/// Returns `base` after the first failure and doubles the delay after each additional failure, up to `max`.
/// `earlier_failures` counts the consecutive failures before the latest one.
pub fn doubling(base: SignedDuration, max: SignedDuration, earlier_failures: u32) -> SignedDuration {
    // 2^30 is the largest power of two that fits in an i32.
    base.checked_mul(1 << earlier_failures.min(30)).map_or(max, |delay| delay.min(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_delay_up_to_the_maximum() {
        let seconds =
            |failures| doubling(SignedDuration::from_secs(3), SignedDuration::from_secs(20), failures).as_secs();
        assert_eq!([seconds(0), seconds(1), seconds(2), seconds(3), seconds(u32::MAX)], [3, 6, 12, 20, 20]);
        let longest = SignedDuration::MAX;
        assert_eq!(doubling(SignedDuration::from_hours(1_000_000_000), longest, 60), longest, "it never overflows");
    }
}
