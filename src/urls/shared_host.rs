//! Hosts that many publishers share, and the channel of a URL on such a host.

use url::Url;

/// Services that give each publisher a subdomain.
#[rustfmt::skip]
const SUBDOMAIN_HOSTS: &[&str] = &[
    "bandcamp.com", "bearblog.dev", "beehiiv.com", "blogspot.com", "dreamwidth.org", "fandom.com", "ghost.io", "github.io",
    "gitlab.io", "hashnode.dev", "hatenablog.com", "libsyn.com", "livejournal.com", "medium.com", "micro.blog", "neocities.org",
    "netlify.app", "over-blog.com", "podbean.com", "posthaven.com", "squarespace.com", "substack.com", "tumblr.com",
    "typepad.com", "weebly.com", "wixsite.com", "wordpress.com", "write.as",
];
/// Services that give each publisher a path.
#[rustfmt::skip]
const PATH_HOSTS: &[&str] = &[
    "acast.com", "anchor.fm", "art19.com", "bsky.app", "buttondown.com", "buttondown.email", "buzzsprout.com",
    "dailymotion.com", "dev.to", "facebook.com", "github.com", "gitlab.com", "instagram.com", "medium.com", "megaphone.fm",
    "note.com", "odysee.com", "patreon.com", "qiita.com", "reddit.com", "rumble.com", "simplecast.com", "soundcloud.com",
    "spreaker.com", "substack.com", "t.me", "threads.net", "tiktok.com", "transistor.fm", "tumblr.com", "twitch.tv",
    "twitter.com", "vimeo.com", "x.com", "youtube.com", "zenn.dev",
];
/// Path segments before the channel that do not describe it.
const FEED_SEGMENTS: &[&str] = &["$", "feed", "feeds", "public", "rss"];
/// Path segments that name the kind of the channel in the next segment.
#[rustfmt::skip]
const CHANNEL_KINDS: &[&str] = &[
    "c", "channel", "channels", "groups", "people", "profile", "r", "s", "show", "shows", "tag", "u", "user", "users",
];
/// Query parameters of feeds on YouTube and PeerTube, and the kind of channel that each parameter names.
#[rustfmt::skip]
const CHANNEL_PARAMETERS: &[(&str, &str)] = &[
    ("channel_id", "channel"), ("playlist_id", "playlist"), ("user", "user"), ("videoChannelId", "channel"),
    ("videoChannelName", "c"), ("accountId", "account"), ("accountName", "a"),
];
const MAX_CHANNEL_CHARS: usize = 100;

/// Returns the channel of a URL as an outlet: `youtube.com/channel/UC…`, `name.substack.com`. Returns `None` if the
/// host is not shared or the URL names no channel. `domain` is the registrable domain of `host`.
pub(super) fn channel_of_url(url: &Url, host: &str, domain: &str) -> Option<String> {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let is_subdomain = host.len() > domain.len() && !matches!(host.split('.').next(), Some("feeds" | "rss" | "api"));
    // Blogger serves each blog on the domains of many countries.
    if let Some((blog, _)) = host.split_once(".blogspot.") {
        return Some(format!("{blog}.blogspot.com"));
    }
    if SUBDOMAIN_HOSTS.contains(&domain) && is_subdomain {
        return Some(host.to_owned());
    }
    let (base, channel) = if PATH_HOSTS.contains(&domain) {
        let of_parameters = (domain == "youtube.com").then(|| channel_of_parameters(url)).flatten();
        (domain, of_parameters.or_else(|| channel_of_path(url)))
    } else {
        (host, channel_on_any_server(url))
    };
    channel.filter(|channel| channel.chars().count() <= MAX_CHANNEL_CHARS).map(|channel| format!("{base}/{channel}"))
}

/// Returns whether an outlet is a shared host without a channel.
pub(super) fn is_shared_host(outlet: &str) -> bool {
    SUBDOMAIN_HOSTS.contains(&outlet) || PATH_HOSTS.contains(&outlet)
}

fn channel_of_parameters(url: &Url) -> Option<String> {
    let kind = |name: &str| CHANNEL_PARAMETERS.iter().find(|(parameter, _)| *parameter == name).map(|(_, kind)| kind);
    let mut named = url.query_pairs().filter_map(|(name, value)| Some((*kind(&name)?, value)));
    let (kind, value) = named.find(|(_, value)| !value.is_empty() && value.chars().all(is_channel_char))?;
    Some(format!("{kind}/{value}"))
}

fn channel_of_path(url: &Url) -> Option<String> {
    let mut segments = url.path_segments()?.filter(|segment| !segment.is_empty() && !FEED_SEGMENTS.contains(segment));
    let first = without_extension(segments.next()?)?;
    if !CHANNEL_KINDS.contains(&first.to_ascii_lowercase().as_str()) {
        return Some(first.to_lowercase());
    }
    let name = without_extension(segments.next()?)?;
    // YouTube's channel IDs are case-sensitive.
    let name = if first == "channel" { name.to_owned() } else { name.to_lowercase() };
    Some(format!("{}/{name}", first.to_ascii_lowercase()))
}

/// Returns the channel of a URL on any Mastodon, Misskey, Pixelfed, Lemmy or PeerTube server, recognized by the form of
/// its path.
fn channel_on_any_server(url: &Url) -> Option<String> {
    let path = url.path();
    let mut segments = url.path_segments()?;
    let (first, second, third) = (segments.next()?, segments.next(), segments.next());
    let is_feed = path.ends_with(".rss") || path.ends_with(".atom") || path.ends_with(".xml");
    if first.len() > 1 && first.starts_with('@') {
        return without_extension(first).map(str::to_lowercase);
    }
    match (first, second, third) {
        ("users", Some(name), None) if is_feed => {
            without_extension(name).map(|name| format!("@{}", name.to_lowercase()))
        }
        ("feeds", Some(kind @ ("c" | "u")), Some(name)) if is_feed => {
            without_extension(name).map(|name| format!("{kind}/{}", name.to_lowercase()))
        }
        ("feeds", Some(document), None) if document.starts_with("videos.") => channel_of_parameters(url),
        _ => None,
    }
}

/// Removes the extension of a feed from a segment; `None` if nothing remains.
fn without_extension(segment: &str) -> Option<&str> {
    let bare = [".rss", ".atom", ".xml", ".json"].iter().find_map(|extension| segment.strip_suffix(extension));
    Some(bare.unwrap_or(segment)).filter(|bare| !bare.is_empty())
}

fn is_channel_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@')
}
