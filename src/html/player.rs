//! Finds the address of a player: in the attributes of consent managers and lazy loaders, or from the id of a video.

use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;

/// Attributes that take precedence over others.
const SOURCES: [&str; 3] = ["data-src", "data-lazy-src", "data-litespeed-src"];
/// Names of attributes with the id of a video.
const ID_NAMES: [&str; 7] =
    ["videoid", "video-id", "data-videoid", "data-video-id", "data-youtube-id", "data-yt-id", "data-vimeo-id"];
/// The address of a video's page without its id, by provider.
const PROVIDERS: [(&str, &str); 5] = [
    ("youtube", "https://www.youtube.com/watch?v="),
    ("data-yt", "https://www.youtube.com/watch?v="),
    ("vimeo", "https://vimeo.com/"),
    ("dailymotion", "https://www.dailymotion.com/video/"),
    ("tiktok", "https://www.tiktok.com/embed/"),
];
const MAX_ID_BYTES: usize = 64;

/// Returns whether a custom element such as `<youtube-video src>` is a player.
pub(super) fn is_player_element(name: &str) -> bool {
    name.contains('-') && ["video", "audio", "player"].iter().any(|word| name.contains(word))
}

/// Returns the possible addresses of a player, the best first. A consent manager moves the address to an attribute such
/// as `data-src-cmplz` or `uc-src`, and `src` leads to its own page.
pub(super) fn player_addresses(tag: &StartTag<'_>) -> Vec<String> {
    let rank = |name: &str| {
        let is_other_file = ["srcset", "srcdoc", "poster", "thumb"].iter().any(|other| name.contains(other));
        match name {
            "src" => Some(SOURCES.len() + 1),
            "data" => Some(SOURCES.len() + 2),
            _ if is_other_file || !name.contains("src") => None,
            _ => Some(SOURCES.iter().position(|source| *source == name).unwrap_or(SOURCES.len())),
        }
    };
    let ranked = tag.attributes().filter_map(|(name, value)| Some((rank(&name.to_ascii_lowercase())?, value)));
    let mut ranked: Vec<(usize, &str)> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, value)| decode_entities(value).into_owned()).collect()
}

/// Returns the page of the video that an element such as `<lite-youtube videoid>` plays. Provider and id are in the
/// name, class or attributes of the element.
pub(super) fn video_page(name: &str, tag: &StartTag<'_>) -> Option<String> {
    let id_attribute = |(name, value): (&str, _)| {
        let known = ID_NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
        Some((known, decode_entities(value)))
    };
    let (id_name, id) = tag.attributes().find_map(id_attribute)?;
    let description = format!("{name} {id_name} {}", tag.attribute("class").unwrap_or_default().to_ascii_lowercase());
    let (_, page) = PROVIDERS.into_iter().find(|(provider, _)| description.contains(provider))?;
    let is_id = !id.is_empty() && id.len() <= MAX_ID_BYTES;
    let is_id = is_id && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    is_id.then(|| format!("{page}{id}"))
}
