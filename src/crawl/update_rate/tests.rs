//! Tests the estimates of [`UpdateRate`] and the resulting delays on generated sources. `tests/documents/policies.rs`
//! measures the quality of the delays over all sources.

use super::super::poll_budget::BudgetMultiplier;
use super::super::poll_delay::PollDelay;
use super::*;
use crate::domain::{DelayCause, RateLimit};
use jiff::SignedDuration;

const FLOOR: SignedDuration = SignedDuration::from_mins(10);
const CAP: SignedDuration = SignedDuration::from_hours(24);
/// Monday, 5 January 2026, 00:00 UTC.
const START: i64 = 1_767_571_200;
const DAY: i64 = 24 * HOUR_SECONDS;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn dated(seconds: impl IntoIterator<Item = i64>) -> Vec<Option<Timestamp>> {
    seconds.into_iter().map(|second| Some(at(second))).collect()
}

/// Simulates a poll every half hour. `items` returns the number of new items in the half hour before a time.
fn watch(rate: &mut UpdateRate, from: i64, days: i64, items: impl Fn(i64) -> usize) {
    for now in (from..=from + days * DAY).step_by(1800) {
        let new = vec![None; items(now)];
        rate.observe(at(now), (!new.is_empty()).then_some(SeenDocument { items: 20, new_item_dates: &new }));
    }
}

fn mean(rate: &UpdateRate, now: i64) -> f64 {
    rate.by_hour(at(now)).iter().sum::<f64>() / 24.0
}

fn delay(rate: &UpdateRate, now: i64, multiplier: f64) -> PollDelay {
    rate.delay(at(now), BudgetMultiplier::new(multiplier), FLOOR, CAP)
}

/// Returns the limit that determined a delay, and whether the minimum interval increased it.
fn limit(delay: &PollDelay) -> (RateLimit, bool) {
    match delay.cause {
        DelayCause::UpdateRate { limit, at_minimum, .. } => (limit, at_minimum),
        ref cause => panic!("{cause:?}"),
    }
}

#[test]
fn steady_rate_is_known_after_a_week() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 2);
    for (hour, found) in rate.by_hour(at(START + 7 * DAY)).iter().enumerate() {
        assert!((3.9..4.1).contains(found), "{found} at {hour}");
    }
    let found = delay(&rate, START + 7 * DAY, 0.5);
    assert!((59..=61).contains(&found.span.as_mins()), "{found:?}");
    assert_eq!(limit(&found), (RateLimit::PollBudget, false));
}

#[test]
fn week_without_items_halves_the_rate() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 70, |_| 2);
    watch(&mut rate, START + 70 * DAY, 7, |_| 0);
    let left = mean(&rate, START + 77 * DAY);
    assert!((1.95..2.05).contains(&left), "{left}");
}

#[test]
fn source_without_items_is_polled_at_the_maximum_interval() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 28, |_| 0);
    let found = delay(&rate, START + 28 * DAY, 0.5);
    assert_eq!((found.span, limit(&found)), (CAP, (RateLimit::MaxInterval, false)));
}

#[test]
fn source_without_items_at_night_is_polled_by_day() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 14, |now| if (8..20).contains(&(now.rem_euclid(DAY) / HOUR_SECONDS)) { 1 } else { 0 });
    let midday = START + 14 * DAY + 12 * HOUR_SECONDS;
    let by_day = delay(&rate, midday, 0.7).span;
    let by_night = delay(&rate, midday + 10 * HOUR_SECONDS, 0.7).span;
    assert!(by_day < SignedDuration::from_mins(70), "{by_day}");
    assert!(by_night > SignedDuration::from_hours(4), "{by_night}");
    // The delay ends in the morning, even though it started at the nightly rate.
    assert!(by_night < SignedDuration::from_hours(12), "{by_night}");
}

#[test]
fn weekday_without_items_is_learned_and_the_other_days_keep_their_rate() {
    let mut rate = UpdateRate::default();
    // START is a Monday, so no items appear on Fridays.
    watch(&mut rate, START, 28, |now| if (now - START) / DAY % 7 == 4 { 0 } else { 2 });
    let (friday, saturday) = (START + 32 * DAY, START + 33 * DAY);
    let (at_rest, at_work) = (mean(&rate, friday), mean(&rate, saturday));
    assert!(at_rest < 0.8, "{at_rest}");
    assert!((3.7..4.2).contains(&at_work), "{at_work}");
}

#[test]
fn few_items_make_no_daily_cycle() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 5, |now| usize::from(now.rem_euclid(DAY) == 9 * HOUR_SECONDS + 1800));
    let now = START + 5 * DAY;
    let most = rate.by_hour(at(now)).into_iter().fold(0.0, f64::max);
    assert!(most < 2.5 * mean(&rate, now), "{most} against {}", mean(&rate, now));
}

#[test]
fn dates_of_the_first_document_give_its_rate() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), Some(SeenDocument { items: 20, new_item_dates: &dated((0..20).map(|n| START - n * 900)) }));
    let found = mean(&rate, START);
    assert!((2.5..4.5).contains(&found), "{found}");
}

#[test]
fn first_document_without_usable_dates_changes_nothing() {
    let prior = mean(&UpdateRate::default(), START);
    let absurd = [START + 40 * DAY, START + 41 * DAY, 0, -5, START - 400 * DAY];
    for new in [vec![None; 30], dated([START; 30]), dated((0..30).map(|n| START - n)), dated(absurd), Vec::new()] {
        let mut rate = UpdateRate::default();
        rate.observe(at(START), Some(SeenDocument { items: new.len(), new_item_dates: &new }));
        assert_eq!(mean(&rate, START), prior, "{new:?}");
    }
}

#[test]
fn pinned_old_item_does_not_distort_the_first_document() {
    let mut rate = UpdateRate::default();
    let items = (0..19).map(|n| START - n * 900).chain([START - 27 * DAY]);
    rate.observe(at(START), Some(SeenDocument { items: 20, new_item_dates: &dated(items) }));
    assert!(mean(&rate, START) > 2.0);
}

#[test]
fn overflow_halves_the_delay_which_then_grows_step_by_step() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 0);
    let mut now = START + 7 * DAY + 8 * HOUR_SECONDS;
    rate.observe(at(now), Some(SeenDocument { items: 20, new_item_dates: &[None; 20] }));
    let first = delay(&rate, now, 0.1);
    assert_eq!(first.span, SignedDuration::from_hours(4));
    assert_eq!(limit(&first), (RateLimit::Overflow { items: 20 }, false));
    now += first.span.as_secs();
    rate.observe(at(now), Some(SeenDocument { items: 20, new_item_dates: &[None; 3] }));
    let second = delay(&rate, now, 0.1);
    assert_eq!(second.span.as_mins(), 270);
    assert_eq!(limit(&second), (RateLimit::OverflowRecovery { items: 20 }, false));
    for _ in 0..100 {
        now += second.span.as_secs();
        rate.observe(at(now), None);
    }
    assert_eq!(rate.overflow_delay, None);
}

#[test]
fn overflow_respects_the_minimum_delay() {
    let mut rate = UpdateRate::default();
    for poll in 0..5 {
        rate.observe(at(START + poll * 600), Some(SeenDocument { items: 20, new_item_dates: &[None; 20] }));
    }
    let found = delay(&rate, START + 4 * 600, 0.1);
    assert_eq!((found.span, limit(&found)), (FLOOR, (RateLimit::Overflow { items: 20 }, true)));
}

#[test]
fn feed_that_was_empty_before_has_not_overflowed() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), Some(SeenDocument { items: 0, new_item_dates: &[] }));
    rate.observe(at(START + 3600), Some(SeenDocument { items: 2, new_item_dates: &[None; 2] }));
    assert_eq!((rate.overflowed, rate.overflow_delay), (false, None));
}

#[test]
fn document_that_reaches_back_beyond_the_last_poll_has_not_overflowed() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), None);
    // All guids are new, as after a migration to another system, but the dates are unchanged.
    let renamed = dated((0..20).map(|n| START + 3600 - n * 900));
    rate.observe(at(START + 3600), Some(SeenDocument { items: 20, new_item_dates: &renamed }));
    assert_eq!((rate.overflowed, rate.overflow_delay), (false, None));
}

#[test]
fn time_before_an_overflowed_window_does_not_count() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), None);
    // Twenty items in the last five of twelve hours mean four items per hour, not fewer than two.
    let now = START + 12 * HOUR_SECONDS;
    rate.observe(at(now), Some(SeenDocument { items: 20, new_item_dates: &dated((0..20).map(|n| now - n * 900)) }));
    assert!((2.8..4.5).contains(&mean(&rate, now)), "{}", mean(&rate, now));
}

#[test]
fn guids_and_dates_generated_with_every_response_count_over_the_whole_delay() {
    let mut rate = UpdateRate::default();
    for poll in 0..40 {
        let now = START + poll * HOUR_SECONDS;
        rate.observe(at(now), Some(SeenDocument { items: 20, new_item_dates: &dated([now; 20]) }));
    }
    let found = mean(&rate, START + 40 * HOUR_SECONDS);
    assert!((18.0..22.0).contains(&found), "{found}");
}

#[test]
fn busy_source_is_polled_before_its_window_is_full() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 10);
    let found = delay(&rate, START + 7 * DAY, 0.01);
    assert!((29..=31).contains(&found.span.as_mins()), "{found:?}");
    assert_eq!(limit(&found), (RateLimit::Window { items: 20 }, false));
    let demand = rate.demand(at(START + 7 * DAY), FLOOR, CAP);
    assert!((1.9..2.1).contains(&demand.min_polls_per_hour) && demand.max_polls_per_hour == 6.0, "{demand:?}");
}

#[test]
fn stored_estimate_is_restored_and_invalid_text_gives_a_new_one() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 30, |_| 3);
    let kept = rate.to_json();
    assert_eq!(UpdateRate::from_json(&kept), rate);
    assert!(kept.len() < 600, "{} bytes", kept.len());
    for odd in
        ["", "null", "{", "[1,2]", r#"{"profile":{"items":[1]}}"#, r#"{"window":-1}"#, r#"{"last_success":1e99}"#]
    {
        assert_eq!(UpdateRate::from_json(odd), UpdateRate::default(), "{odd}");
    }
}

#[test]
fn extreme_clocks_and_stored_numbers_are_handled() {
    let most = u32::MAX;
    let bins = vec![most; 24];
    for (seen, week) in [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (0, 0), (START, START / (7 * DAY))] {
        let kept = serde_json::json!({
            "profile": {"week": week, "items": bins, "seconds": bins},
            "last_success": seen, "window": most, "overflow_delay": most, "overflowed": true,
        });
        let mut rate: UpdateRate = serde_json::from_value(kept).unwrap();
        for now in [Timestamp::MAX, at(START), Timestamp::MIN, at(START + 1), at(START + 3600)] {
            rate.observe(
                now,
                Some(SeenDocument {
                    items: usize::MAX,
                    new_item_dates: &[None, Some(Timestamp::MAX), Some(Timestamp::MIN)],
                }),
            );
            for multiplier in [0.0, 1.0, f64::MAX] {
                let span = rate.delay(now, BudgetMultiplier::new(multiplier), FLOOR, CAP).span;
                assert!((FLOOR..=CAP).contains(&span), "{span}");
            }
            assert!(rate.by_hour(now).iter().all(|rate| rate.is_finite() && *rate >= 0.0));
        }
    }
}

#[test]
fn estimate_recovers_from_a_clock_that_was_ahead() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 2);
    rate.observe(at(START + 4000 * DAY), None);
    watch(&mut rate, START + 8 * DAY, 28, |_| 2);
    let found = mean(&rate, START + 36 * DAY);
    assert!((3.7..4.1).contains(&found), "{found}");
}

#[test]
fn minimum_delay_takes_precedence_over_the_maximum() {
    let (floor, cap) = (SignedDuration::from_hours(2), SignedDuration::from_hours(1));
    assert_eq!(UpdateRate::default().delay(at(START), BudgetMultiplier::new(1.0), floor, cap).span, floor);
}
