//! What [`UpdateRate`] learns, and what waits follow from it, on made-up sources. How good the waits are together is
//! measured in `tests/documents/policies.rs`.

use super::*;

const FLOOR: SignedDuration = SignedDuration::from_mins(10);
const CAP: SignedDuration = SignedDuration::from_hours(24);
/// Monday, 5 January 2026, 00:00 UTC.
const START: i64 = 1_767_571_200;
const DAY: i64 = 24 * HOUR;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn dated(seconds: impl IntoIterator<Item = i64>) -> Vec<Option<Timestamp>> {
    seconds.into_iter().map(|second| Some(at(second))).collect()
}

/// Polls every half hour from `from` for some days; `items` says how many come in the half hour that ends then.
fn watch(rate: &mut UpdateRate, from: i64, days: i64, items: impl Fn(i64) -> usize) {
    for now in (from..=from + days * DAY).step_by(1800) {
        let new = vec![None; items(now)];
        rate.observe(at(now), (!new.is_empty()).then_some(SeenDocument { items: 20, new: &new }));
    }
}

fn mean(rate: &UpdateRate, now: i64) -> f64 {
    rate.by_hour(at(now)).iter().sum::<f64>() / 24.0
}

fn wait(rate: &UpdateRate, now: i64, pace: f64) -> (SignedDuration, String) {
    rate.wait(at(now), BudgetMultiplier::new(pace), FLOOR, CAP)
}

#[test]
fn a_steady_source_is_known_after_a_week() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 2);
    for (hour, found) in rate.by_hour(at(START + 7 * DAY)).iter().enumerate() {
        assert!((3.9..4.1).contains(found), "{found} at {hour}");
    }
    let (span, reason) = wait(&rate, START + 7 * DAY, 0.5);
    assert!((59..=61).contains(&span.as_mins()), "{span}");
    assert_eq!(reason, "about 4.0 new items an hour at this time; polls follow the square root of that");
}

#[test]
fn after_a_silent_week_half_of_the_rate_is_left() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 70, |_| 2);
    watch(&mut rate, START + 70 * DAY, 7, |_| 0);
    let left = mean(&rate, START + 77 * DAY);
    assert!((1.95..2.05).contains(&left), "{left}");
}

#[test]
fn a_silent_source_is_polled_as_seldom_as_is_allowed() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 28, |_| 0);
    let (span, reason) = wait(&rate, START + 28 * DAY, 0.5);
    assert_eq!((span, reason.as_str()), (CAP, "about 0.1 new items a day; as seldom as is allowed"));
}

#[test]
fn a_source_that_sleeps_at_night_is_polled_by_day() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 14, |now| if (8..20).contains(&(now.rem_euclid(DAY) / HOUR)) { 1 } else { 0 });
    let midday = START + 14 * DAY + 12 * HOUR;
    let (by_day, _) = wait(&rate, midday, 0.7);
    let (by_night, _) = wait(&rate, midday + 10 * HOUR, 0.7);
    assert!(by_day < SignedDuration::from_mins(70), "{by_day}");
    assert!(by_night > SignedDuration::from_hours(4), "{by_night}");
    // It does not sleep into the day, though it fell asleep at night's pace.
    assert!(by_night < SignedDuration::from_hours(12), "{by_night}");
}

#[test]
fn a_day_of_rest_is_learnt_and_the_other_days_keep_their_pace() {
    let mut rate = UpdateRate::default();
    // START is a Monday: Fridays are silent.
    watch(&mut rate, START, 28, |now| if (now - START) / DAY % 7 == 4 { 0 } else { 2 });
    let (friday, saturday) = (START + 32 * DAY, START + 33 * DAY);
    let (at_rest, at_work) = (mean(&rate, friday), mean(&rate, saturday));
    assert!(at_rest < 0.8, "{at_rest}");
    assert!((3.7..4.2).contains(&at_work), "{at_work}");
}

#[test]
fn a_few_items_make_no_shape() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 5, |now| usize::from(now.rem_euclid(DAY) == 9 * HOUR + 1800));
    let now = START + 5 * DAY;
    let most = rate.by_hour(at(now)).into_iter().fold(0.0, f64::max);
    assert!(most < 2.5 * mean(&rate, now), "{most} against {}", mean(&rate, now));
}

#[test]
fn the_dates_of_the_first_document_tell_its_rate() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), Some(SeenDocument { items: 20, new: &dated((0..20).map(|n| START - n * 900)) }));
    let found = mean(&rate, START);
    assert!((2.5..4.5).contains(&found), "{found}");
}

#[test]
fn a_first_document_that_tells_nothing_counts_for_nothing() {
    let untold = mean(&UpdateRate::default(), START);
    let absurd = [START + 40 * DAY, START + 41 * DAY, 0, -5, START - 400 * DAY];
    for new in [vec![None; 30], dated([START; 30]), dated((0..30).map(|n| START - n)), dated(absurd), Vec::new()] {
        let mut rate = UpdateRate::default();
        rate.observe(at(START), Some(SeenDocument { items: new.len(), new: &new }));
        assert_eq!(mean(&rate, START), untold, "{new:?}");
    }
}

#[test]
fn an_old_item_that_stays_on_top_does_not_spoil_the_first_document() {
    let mut rate = UpdateRate::default();
    let items = (0..19).map(|n| START - n * 900).chain([START - 27 * DAY]);
    rate.observe(at(START), Some(SeenDocument { items: 20, new: &dated(items) }));
    assert!(mean(&rate, START) > 2.0);
}

#[test]
fn a_window_that_overflowed_halves_the_wait_and_lengthens_it_step_by_step() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 0);
    let mut now = START + 7 * DAY + 8 * HOUR;
    rate.observe(at(now), Some(SeenDocument { items: 20, new: &[None; 20] }));
    let (first, reason) = wait(&rate, now, 0.1);
    assert_eq!(first, SignedDuration::from_hours(4));
    assert_eq!(reason, "the last document shared nothing with the one before: its window of 20 items overflowed");
    now += first.as_secs();
    rate.observe(at(now), Some(SeenDocument { items: 20, new: &[None; 3] }));
    let (second, reason) = wait(&rate, now, 0.1);
    assert_eq!(second.as_mins(), 270);
    assert_eq!(reason, "its window of 20 items overflowed lately; the wait grows again step by step");
    for _ in 0..100 {
        now += second.as_secs();
        rate.observe(at(now), None);
    }
    assert_eq!(rate.longest, None);
}

#[test]
fn no_overflow_goes_below_the_floor() {
    let mut rate = UpdateRate::default();
    for poll in 0..5 {
        rate.observe(at(START + poll * 600), Some(SeenDocument { items: 20, new: &[None; 20] }));
    }
    let (span, reason) = wait(&rate, START + 4 * 600, 0.1);
    assert_eq!(span, FLOOR);
    assert!(reason.ends_with("its window of 20 items overflowed; as often as is allowed"), "{reason}");
}

#[test]
fn a_feed_that_was_empty_until_now_has_not_overflowed() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), Some(SeenDocument { items: 0, new: &[] }));
    rate.observe(at(START + 3600), Some(SeenDocument { items: 2, new: &[None; 2] }));
    assert_eq!((rate.overflowed, rate.longest), (false, None));
}

#[test]
fn a_document_that_goes_back_beyond_the_last_look_lost_nothing() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), None);
    // All names are new, as after a move to another system; the dates are not.
    let renamed = dated((0..20).map(|n| START + 3600 - n * 900));
    rate.observe(at(START + 3600), Some(SeenDocument { items: 20, new: &renamed }));
    assert_eq!((rate.overflowed, rate.longest), (false, None));
}

#[test]
fn the_time_that_an_overflow_hides_does_not_count() {
    let mut rate = UpdateRate::default();
    rate.observe(at(START), None);
    // Twenty items in the last five hours of twelve: four an hour, not less than two.
    let now = START + 12 * HOUR;
    rate.observe(at(now), Some(SeenDocument { items: 20, new: &dated((0..20).map(|n| now - n * 900)) }));
    assert!((2.8..4.5).contains(&mean(&rate, now)), "{}", mean(&rate, now));
}

#[test]
fn names_and_dates_made_anew_with_every_answer_count_over_the_whole_wait() {
    let mut rate = UpdateRate::default();
    for poll in 0..40 {
        let now = START + poll * HOUR;
        rate.observe(at(now), Some(SeenDocument { items: 20, new: &dated([now; 20]) }));
    }
    let found = mean(&rate, START + 40 * HOUR);
    assert!((18.0..22.0).contains(&found), "{found}");
}

#[test]
fn a_busy_source_is_polled_before_its_window_is_full() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 10);
    let (span, reason) = wait(&rate, START + 7 * DAY, 0.01);
    assert!((29..=31).contains(&span.as_mins()), "{span}");
    assert!(reason.ends_with("half of its window of 20 items is expected to be new by then"), "{reason}");
    let demand = rate.demand(at(START + 7 * DAY), FLOOR, CAP);
    assert!((1.9..2.1).contains(&demand.min_polls_per_hour) && demand.max_polls_per_hour == 6.0, "{demand:?}");
}

#[test]
fn what_was_kept_is_what_is_read_and_anything_else_starts_anew() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 30, |_| 3);
    let kept = rate.to_json();
    assert_eq!(UpdateRate::from_json(&kept), rate);
    assert!(kept.len() < 600, "{} bytes", kept.len());
    for odd in ["", "null", "{", "[1,2]", r#"{"day":{"new":[1]}}"#, r#"{"window":-1}"#, r#"{"seen":1e99}"#] {
        assert_eq!(UpdateRate::from_json(odd), UpdateRate::default(), "{odd}");
    }
}

#[test]
fn no_clock_and_no_kept_number_is_too_odd() {
    let most = u32::MAX;
    let bins = vec![most; 24];
    for (seen, week) in [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (0, 0), (START, START / (7 * DAY))] {
        let kept = serde_json::json!({
            "day": {"week": week, "new": bins, "watched": bins},
            "seen": seen, "window": most, "longest": most, "overflowed": true,
        });
        let mut rate: UpdateRate = serde_json::from_value(kept).unwrap();
        for now in [Timestamp::MAX, at(START), Timestamp::MIN, at(START + 1), at(START + 3600)] {
            rate.observe(
                now,
                Some(SeenDocument { items: usize::MAX, new: &[None, Some(Timestamp::MAX), Some(Timestamp::MIN)] }),
            );
            for pace in [0.0, 1.0, f64::MAX] {
                let (span, _) = rate.wait(now, BudgetMultiplier::new(pace), FLOOR, CAP);
                assert!((FLOOR..=CAP).contains(&span), "{span}");
            }
            assert!(rate.by_hour(now).iter().all(|rate| rate.is_finite() && *rate >= 0.0));
        }
    }
}

#[test]
fn a_clock_that_was_ahead_for_a_while_leaves_a_rate_that_still_learns() {
    let mut rate = UpdateRate::default();
    watch(&mut rate, START, 7, |_| 2);
    rate.observe(at(START + 4000 * DAY), None);
    watch(&mut rate, START + 8 * DAY, 28, |_| 2);
    let found = mean(&rate, START + 36 * DAY);
    assert!((3.7..4.1).contains(&found), "{found}");
}

#[test]
fn a_floor_above_the_cap_is_kept() {
    let (floor, cap) = (SignedDuration::from_hours(2), SignedDuration::from_hours(1));
    assert_eq!(UpdateRate::default().wait(at(START), BudgetMultiplier::new(1.0), floor, cap).0, floor);
}
