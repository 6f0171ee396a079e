//! The quota of an outlet in the items in the window. Items above it are excluded from everything but their own
//! assignment to a story.

/// The minimum quota of active items of an outlet. An outlet may exceed this quota while its share of all active items
/// is less than one in [`OUTLET_QUOTA_DIVISOR`].
const OUTLET_QUOTA_ITEMS: u32 = 60;
/// The divisor of the quota. If there are fewer than ten outlets, the quota is twice an equal share instead.
const OUTLET_QUOTA_DIVISOR: u64 = 5;

/// Returns whether an outlet with `active` of `all_active` items may have another one. `outlets` is the number of outlets
/// in the window.
pub(super) fn quota_admits(active: u32, outlets: usize, all_active: u32) -> bool {
    let divisor = OUTLET_QUOTA_DIVISOR.min(outlets as u64 / 2).max(1);
    active < OUTLET_QUOTA_ITEMS || u64::from(active) * divisor <= u64::from(all_active)
}
