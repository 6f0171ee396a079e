//! Writes each image once: a lazy image, its placeholder, and its copy for readers without scripts are often adjacent.

use super::super::lazy_image::{ImageSource, image_html, image_source};
use super::MediaRewriter;
use crate::markup::entities::escape_html;
use crate::markup::tag::StartTag;

/// An image that is shown to readers without scripts.
pub struct FallbackImage {
    pub address: String,
    pub html: String,
    /// Whether the image is certainly not a tracking pixel.
    pub is_photo: bool,
}

/// The image or `<noscript>` that precedes the current position, if only white space is in between.
#[derive(Default)]
pub enum AdjacentImage {
    #[default]
    None,
    Lazy,
    /// A placeholder that starts at this byte of the output.
    Placeholder(usize),
    /// Images that are shown if no lazy image follows.
    Fallback(Vec<FallbackImage>),
}

impl MediaRewriter<'_> {
    pub fn push_image(&mut self, tag: &StartTag<'_>, source: &str) {
        if !self.shows(Some(tag)) {
            self.picture_source = None;
            return;
        }
        let image = image_source(tag, self.picture_source.as_deref());
        let adjacent = std::mem::take(&mut self.adjacent);
        match (image, adjacent) {
            (ImageSource::Invisible, adjacent) => self.adjacent = adjacent,
            (ImageSource::Lazy(address), adjacent) => {
                if let AdjacentImage::Fallback(_) | AdjacentImage::None = adjacent
                    && address == self.last_image
                {
                    return;
                }
                self.out.push_str(&image_html(&address, tag));
                self.last_image = address;
                self.adjacent = AdjacentImage::Lazy;
            }
            (ImageSource::Placeholder, AdjacentImage::Fallback(images)) => self.write_fallback(images, |_| true),
            (ImageSource::Placeholder, _) => {
                self.adjacent = AdjacentImage::Placeholder(self.out.len());
                self.out.push_str(source);
            }
            (ImageSource::Declared, adjacent) => {
                self.adjacent = adjacent;
                self.end_adjacent();
                if tag.name.eq_ignore_ascii_case("img") {
                    self.out.push_str(source);
                } else {
                    self.last_image = tag.attribute("src").map(|address| address.trim().to_owned()).unwrap_or_default();
                    self.out.push_str(&image_html(&self.last_image, tag));
                }
            }
        }
        self.picture_source = None;
    }

    /// Writes the images of a `<noscript>`, unless they repeat the preceding image.
    pub fn push_fallback(&mut self, mut images: Vec<FallbackImage>) {
        images.retain(|image| image.address != self.last_image);
        if images.is_empty() {
            return;
        }
        match std::mem::take(&mut self.adjacent) {
            AdjacentImage::Lazy => {}
            AdjacentImage::Placeholder(start) => {
                self.out.truncate(start);
                self.write_fallback(images, |_| true);
            }
            AdjacentImage::Fallback(mut before) => {
                before.extend(images);
                self.adjacent = AdjacentImage::Fallback(before);
            }
            AdjacentImage::None => self.adjacent = AdjacentImage::Fallback(images),
        }
    }

    /// Records that the next image or `<noscript>` is not adjacent to the preceding one. A `<noscript>` without an
    /// adjacent image often contains a tracking pixel, so only its photos are kept.
    pub fn end_adjacent(&mut self) {
        if let AdjacentImage::Fallback(images) = std::mem::take(&mut self.adjacent) {
            self.write_fallback(images, |image| image.is_photo);
        }
    }

    /// Writes the image of a `<picture>` that contains no image.
    pub fn end_picture(&mut self) {
        if let Some(address) = self.picture_source.take().filter(|_| self.shows(None)) {
            self.end_adjacent();
            self.out.push_str(&format!("<img src=\"{}\">", escape_html(&address)));
            self.last_image = address;
        }
    }

    fn write_fallback(&mut self, images: Vec<FallbackImage>, is_shown: impl Fn(&FallbackImage) -> bool) {
        for image in images.into_iter().filter(is_shown) {
            self.out.push_str(&image.html);
            self.last_image = image.address;
        }
    }
}

/// Returns whether a URL without a file extension contains a word for photos.
pub fn names_photo(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    ["image", "photo", "picture", "upload"].iter().any(|word| address.contains(word))
}
