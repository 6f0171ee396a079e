//! Decides when the website of a feed determines the outlet of its source.

use crate::domain::{OutletProvenance, Source};
use crate::urls::outlet::outlet_of_site;
use url::Url;

/// Returns the outlet of the feed's website, if it replaces a guess. A feed is often on another organization's host, so
/// the website identifies the publisher better than the feed's URL does. The operator's choice and the outlet of an
/// earlier website are kept, so that the outlet does not change with every poll.
pub(super) fn outlet_from_site(source: &Source, site: Option<&str>) -> Option<String> {
    if source.outlet_provenance != OutletProvenance::Guess {
        return None;
    }
    let site = Url::parse(site.or(source.site_url.as_deref())?).ok()?;
    outlet_of_site(&site)
}
