//! The media type that the file extension in a URL implies.

/// Media types by file extension.
const TYPES_BY_EXTENSION: [(&str, &str); 20] = [
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("flac", "audio/flac"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("webm", "video/webm"),
    ("mov", "video/quicktime"),
    ("pdf", "application/pdf"),
    ("epub", "application/epub+zip"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
];

/// Returns the media type of a URL or path by its extension; `None` if the extension is unknown.
pub fn media_type_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit_once('.').map(|(_, extension)| extension)?;
    let known = TYPES_BY_EXTENSION.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
    known.map(|(_, media_type)| *media_type)
}

/// Returns whether a file is an image: `image/jpeg`, `image` by itself, or an image extension without a media type.
pub fn is_image(media_type: &str, path: &str) -> bool {
    match media_type {
        "" => has_image_extension(path),
        _ => media_type == "image" || media_type.starts_with("image/"),
    }
}

/// Returns whether a URL or path ends in the extension of an image.
pub fn has_image_extension(url: &str) -> bool {
    media_type_of(url).is_some_and(|media_type| media_type.starts_with("image/"))
}
