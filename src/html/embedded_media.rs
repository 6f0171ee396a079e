//! Makes images and players usable for readers: lazy images get their real URL, links replace players, and invisible
//! images are removed.
//!
//! The module sends no requests, takes linear time, and never recurses. The sanitizer checks the output of this module.

mod adjacent_images;
mod player_links;

use self::adjacent_images::{AdjacentImage, FallbackImage, names_photo};
use self::player_links::player_title;
use super::lazy_image::{ImageSource, declares_photo, image_html, image_source, source_address};
use super::link_resolution::LinkRules;
use super::nesting_rules::contains_raw_text;
use super::open_elements::OpenElements;
use super::player::{is_player_element, video_page};
use super::tracking_pixel::{ContentVisibility, is_photo_address};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// Elements that are replaced together with their content.
const CONTAINERS: [&str; 5] = ["noscript", "object", "video", "audio", "iframe"];
/// Elements that may occur between a lazy image and its `<noscript>`.
const ELEMENTS_AROUND_IMAGES: [&str; 4] = ["picture", "source", "a", "span"];

/// Rewrites `html` so that it contains only images that readers can see, and a link in place of each player. Resolves
/// the URLs of players.
pub(super) fn expose_media(html: &str, links: &LinkRules) -> String {
    let mut rewriter = MediaRewriter::new(html, links);
    let mut tokens = Tokenizer::html(html);
    let mut start = 0;
    while let Some(token) = tokens.next() {
        match token {
            MarkupToken::Start(tag) => {
                let name = element_name(tag.name);
                let is_closed = name != "iframe" || rewriter.remaining_end_tags("iframe") > 0;
                if contains_raw_text(&name) && is_closed && !(rewriter.foreign_depth > 0 && tag.self_closing) {
                    tokens.skip_raw_text(&name);
                }
                rewriter.start_tag(&name, &tag, tokens.slice(start, tokens.offset()));
            }
            MarkupToken::End(name) => rewriter.end_tag(&element_name(name), tokens.slice(start, tokens.offset())),
            MarkupToken::Text(text) | MarkupToken::CData(text) => rewriter.text(text),
            MarkupToken::Other => {}
        }
        start = tokens.offset();
    }
    rewriter.finish()
}

/// Returns the name in lowercase. AMP elements have the same attributes as the corresponding HTML elements.
fn element_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("amp-") {
        Some(name @ ("img" | "iframe" | "video" | "audio")) => name.to_owned(),
        Some("anim") => "img".to_owned(),
        Some("video-iframe") => "iframe".to_owned(),
        _ => name,
    }
}

fn count_end_tags(html: &str, name: &str) -> usize {
    let is_end = |at: usize| {
        html.as_bytes().get(at + 2..at + 2 + name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
    };
    html.match_indices("</").filter(|(at, _)| is_end(*at)).count()
}

/// An element whose content is replaced.
#[derive(Default)]
struct Container {
    name: String,
    /// The number of open elements with this name.
    depth: usize,
    address: Option<String>,
    title: String,
    /// The images of a `<noscript>`.
    images: Vec<FallbackImage>,
}

struct MediaRewriter<'a> {
    out: String,
    links: &'a LinkRules,
    open: OpenElements,
    container: Option<Container>,
    /// For each name in [`CONTAINERS`], the number of end tags after the current position.
    end_tags: [usize; CONTAINERS.len()],
    /// The number of open `<svg>` elements.
    foreign_depth: usize,
    /// The URL for an open `<picture>` that has no image yet.
    picture_source: Option<String>,
    adjacent: AdjacentImage,
    /// The URL of the last image that was written with a new tag.
    last_image: String,
    last_link: String,
    /// The ID of the last video. A fallback for readers without scripts often repeats the video.
    last_video: String,
    link_count: usize,
}

impl<'a> MediaRewriter<'a> {
    fn new(html: &str, links: &'a LinkRules) -> Self {
        MediaRewriter {
            out: String::with_capacity(html.len()),
            links,
            open: OpenElements::default(),
            container: None,
            end_tags: CONTAINERS.map(|name| count_end_tags(html, name)),
            foreign_depth: 0,
            picture_source: None,
            adjacent: AdjacentImage::None,
            last_image: String::new(),
            last_link: String::new(),
            last_video: String::new(),
            link_count: 0,
        }
    }

    fn remaining_end_tags(&self, name: &str) -> usize {
        CONTAINERS.iter().position(|container| *container == name).map_or(0, |at| self.end_tags[at])
    }

    /// Returns whether readers see an image or player at the current position. Readers see photos in a transparent
    /// element, because a script fades them in.
    fn shows(&self, image: Option<&StartTag<'_>>) -> bool {
        match self.open.visibility() {
            ContentVisibility::Visible => true,
            ContentVisibility::Transparent => image.is_some_and(declares_photo),
            ContentVisibility::Hidden => false,
        }
    }

    fn text(&mut self, text: &str) {
        if self.container.is_none() {
            if !text.trim().is_empty() {
                self.end_adjacent();
            }
            self.out.push_str(text);
        }
    }

    fn start_tag(&mut self, name: &str, tag: &StartTag<'_>, source: &str) {
        if !CONTAINERS.contains(&name) {
            self.open.start(name, tag);
        }
        if self.container.is_some() {
            return self.start_in_container(name, tag);
        }
        let is_image_part = matches!(name, "img" | "noscript") || ELEMENTS_AROUND_IMAGES.contains(&name);
        if !is_image_part {
            self.end_adjacent();
        }
        match name {
            "embed" => self.push_player(tag),
            // Without an end tag, the element would contain everything after its start tag.
            "iframe" | "object" | "video" | "audio" if self.remaining_end_tags(name) == 0 => self.push_player(tag),
            "noscript" if self.remaining_end_tags(name) == 0 => {}
            _ if CONTAINERS.contains(&name) => {
                let address = self.player_address(tag);
                let title = player_title(tag);
                self.container = Some(Container { name: name.into(), depth: 1, address, title, images: Vec::new() });
            }
            "img" => self.push_image(tag, source),
            "source" => self.picture_source = self.picture_source.take().or_else(|| source_address(tag)),
            "picture" => self.end_picture(),
            _ => {
                self.foreign_depth += usize::from(name == "svg" && !tag.self_closing);
                if is_player_element(name) {
                    self.push_player(tag);
                }
                if let Some(page) = video_page(name, tag).filter(|_| self.shows(None)) {
                    self.last_video = page.rsplit(['/', '=']).next().unwrap_or_default().to_owned();
                    self.push_link(Some(page), &player_title(tag));
                }
                self.out.push_str(source);
            }
        }
    }

    fn start_in_container(&mut self, name: &str, tag: &StartTag<'_>) {
        let address = match name {
            "source" | "embed" | "iframe" | "video" | "audio" | "object" => self.player_address(tag),
            "param" => {
                let is_movie = tag.attribute("name").is_some_and(|name| matches!(&*name, "movie" | "src" | "url"));
                tag.attribute("value").filter(|_| is_movie).and_then(|value| self.absolute_address(&value))
            }
            _ => None,
        };
        let (remaining, is_shown) = (self.remaining_end_tags(name), self.shows(Some(tag)));
        let Some(container) = &mut self.container else { return };
        container.address = container.address.take().or(address);
        container.depth += usize::from(container.name == name && remaining > container.depth);
        if name == "img" && container.name == "noscript" && is_shown {
            let address = match image_source(tag, None) {
                ImageSource::Lazy(address) => Some(address),
                ImageSource::Declared => tag.attribute("src").map(|source| source.trim().to_owned()),
                ImageSource::Invisible | ImageSource::Placeholder => None,
            };
            let is_described = tag.attribute("alt").is_some_and(|text| text.split_whitespace().nth(1).is_some());
            let is_photo = is_described || declares_photo(tag) || self.open.contains("figure");
            let image = address.map(|address| FallbackImage {
                html: image_html(&address, tag),
                is_photo: is_photo || is_photo_address(&address) || names_photo(&address),
                address,
            });
            container.images.extend(image);
        }
    }

    fn end_tag(&mut self, name: &str, source: &str) {
        self.open.end(name);
        if let Some(at) = CONTAINERS.iter().position(|container| *container == name) {
            self.end_tags[at] = self.end_tags[at].saturating_sub(1);
        }
        let Some(container) = &mut self.container else {
            if !ELEMENTS_AROUND_IMAGES.contains(&name) {
                self.end_adjacent();
            }
            if name == "picture" {
                self.end_picture();
            }
            self.foreign_depth = self.foreign_depth.saturating_sub(usize::from(name == "svg"));
            return self.out.push_str(source);
        };
        container.depth -= usize::from(container.name == name);
        if container.depth == 0 {
            self.end_container();
        }
    }

    fn end_container(&mut self) {
        let Some(container) = self.container.take() else { return };
        if container.name == "noscript" {
            self.push_fallback(container.images);
        }
        let is_repeated = |address: &String| !self.last_video.is_empty() && address.contains(&self.last_video);
        self.push_link(container.address.filter(|address| !is_repeated(address)), &container.title);
    }

    fn finish(mut self) -> String {
        self.end_container();
        self.end_adjacent();
        self.end_picture();
        self.out
    }
}

#[cfg(test)]
mod tests;
