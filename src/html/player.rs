//! Finds the URL of a player: in the attributes of consent managers and lazy loaders, or from the ID of a video.

use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;

/// Attributes that take precedence over others.
const SOURCES: [&str; 3] = ["data-src", "data-lazy-src", "data-litespeed-src"];
/// Names of attributes with the ID of a video.
#[rustfmt::skip]
const ID_NAMES: [&str; 10] = [
    "videoid", "video-id", "data-videoid", "data-video-id", "data-video_id", "data-youtube-id", "data-yt-id", "data-ytid",
    "data-vimeo-id", "data-id",
];
/// The URL of a video's page without its ID, by provider.
const PROVIDERS: [(&str, &str); 5] = [
    ("youtube", YOUTUBE_PAGE),
    ("data-yt", YOUTUBE_PAGE),
    ("vimeo", "https://vimeo.com/"),
    ("dailymotion", "https://www.dailymotion.com/video/"),
    ("tiktok", "https://www.tiktok.com/embed/"),
];
const YOUTUBE_PAGE: &str = "https://www.youtube.com/watch?v=";
const YOUTUBE_ID_BYTES: usize = 11;
const MAX_ID_BYTES: usize = 64;

/// Returns whether a custom element such as `<youtube-video src>` is a player.
pub(super) fn is_player_element(name: &str) -> bool {
    name.contains('-') && ["video", "audio", "player"].iter().any(|word| name.contains(word))
}

/// Returns the possible URLs of a player, the best first. A consent manager moves the URL to an attribute such as
/// `data-src-cmplz` or `uc-src`, and sets `src` to a page of its own.
pub(super) fn player_addresses(tag: &StartTag<'_>) -> Vec<String> {
    let rank = |name: &str| {
        let is_other_file = ["srcset", "srcdoc", "poster", "thumb"].iter().any(|other| name.contains(other));
        match name {
            "src" => Some(SOURCES.len() + 1),
            "data" | "data-url" | "data-href" | "data-original" => Some(SOURCES.len() + 2),
            _ if is_other_file || !name.contains("src") => None,
            _ => Some(SOURCES.iter().position(|source| *source == name).unwrap_or(SOURCES.len())),
        }
    };
    let ranked = tag.attributes().filter_map(|(name, value)| Some((rank(&name.to_ascii_lowercase())?, value)));
    let mut ranked: Vec<(usize, &str)> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, value)| decode_entities(value).into_owned()).collect()
}

/// Returns the page of the video that an element such as `<lite-youtube videoid>` plays. The name of the provider is in
/// the name or the attributes of the element.
pub(super) fn video_page(name: &str, tag: &StartTag<'_>) -> Option<String> {
    let id_attribute = |(name, value): (&str, _)| {
        let known = ID_NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
        Some((known, decode_entities(value)))
    };
    let (id_name, id) = tag.attributes().find_map(id_attribute)?;
    let description = format!("{name} {}", tag.attribute_text.to_ascii_lowercase());
    let (_, page) = PROVIDERS.into_iter().find(|(provider, _)| description.contains(provider))?;
    let is_id_length = match id_name {
        // Many elements have an ID of another kind.
        "data-id" => page == YOUTUBE_PAGE && id.len() == YOUTUBE_ID_BYTES,
        _ => (1..=MAX_ID_BYTES).contains(&id.len()),
    };
    let is_id = is_id_length && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    is_id.then(|| format!("{page}{id}"))
}
