//! Recognizes links to images by their media type or file extension.

/// Returns whether a file is an image: `image/jpeg`, `image` by itself, or an image extension without a media type.
pub fn is_image(media_type: &str, path: &str) -> bool {
    match media_type {
        "" => has_image_extension(path),
        _ => media_type == "image" || media_type.starts_with("image/"),
    }
}

pub fn has_image_extension(path: &str) -> bool {
    const IMAGE_EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "avif"];
    let extension = path.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    IMAGE_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}
