//! Makes images and players usable for readers: lazy images get their real address, links replace players, and
//! invisible images are removed.
//!
//! The module sends no requests, takes linear time, and never recurses. The sanitizer checks the output of this module.

use super::elements::contains_raw_text;
use super::lazy_image::{ImageSource, declares_photo, image_html, image_source, source_address};
use super::link_rules::LinkRules;
use super::open_elements::OpenElements;
use super::player::{is_player_element, player_addresses, video_page};
use super::tracking_hosts::is_counter;
use super::tracking_pixel::{ContentVisibility, is_photo_address, is_tracking_pixel};
use crate::markup::entities::escape_html;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use url::Url;

/// The maximum number of links to media in one document. Additional players are removed.
const MAX_MEDIA_LINKS: usize = 50;
/// Elements that are replaced together with their content.
const CONTAINERS: [&str; 5] = ["noscript", "object", "video", "audio", "iframe"];
/// Elements that may occur between a lazy image and its `<noscript>`.
const ELEMENTS_AROUND_IMAGES: [&str; 4] = ["picture", "source", "a", "span"];

/// Rewrites `html` so that it contains only images that readers can see, and a link in place of each player. Resolves
/// the addresses of players.
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

/// An image that is shown to readers without scripts.
struct FallbackImage {
    address: String,
    html: String,
    /// Whether the image is certainly not a tracking pixel.
    is_photo: bool,
}

/// The image or `<noscript>` that precedes the current position, if only white space is in between.
#[derive(Default)]
enum AdjacentImage {
    #[default]
    None,
    Lazy,
    /// A placeholder that starts at this byte of the output.
    Placeholder(usize),
    /// Images that are shown if no lazy image follows.
    Fallback(Vec<FallbackImage>),
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
    /// The address for an open `<picture>` that has no image yet.
    picture_source: Option<String>,
    adjacent: AdjacentImage,
    /// The address of the last image that was written with a new tag.
    last_image: String,
    last_link: String,
    /// The id of the last video. A fallback for readers without scripts often repeats the video.
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

    /// Writes the images of a `<noscript>`, unless they repeat the preceding image.
    fn push_fallback(&mut self, mut images: Vec<FallbackImage>) {
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

    fn write_fallback(&mut self, images: Vec<FallbackImage>, is_shown: impl Fn(&FallbackImage) -> bool) {
        for image in images.into_iter().filter(is_shown) {
            self.out.push_str(&image.html);
            self.last_image = image.address;
        }
    }

    /// Records that the next image or `<noscript>` is not adjacent to the preceding one. A `<noscript>` without an
    /// adjacent image often contains a tracking pixel, so only its photos are kept.
    fn end_adjacent(&mut self) {
        if let AdjacentImage::Fallback(images) = std::mem::take(&mut self.adjacent) {
            self.write_fallback(images, |image| image.is_photo);
        }
    }

    fn push_image(&mut self, tag: &StartTag<'_>, source: &str) {
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

    /// Writes the image of a `<picture>` that contains no image.
    fn end_picture(&mut self) {
        if let Some(address) = self.picture_source.take().filter(|_| self.shows(None)) {
            self.end_adjacent();
            self.out.push_str(&format!("<img src=\"{}\">", escape_html(&address)));
            self.last_image = address;
        }
    }

    fn push_player(&mut self, tag: &StartTag<'_>) {
        self.push_link(self.player_address(tag), &player_title(tag));
    }

    /// Returns the address of a player, unless readers cannot see the player.
    fn player_address(&self, tag: &StartTag<'_>) -> Option<String> {
        let is_hidden = is_tracking_pixel(tag, false) || !self.shows(None);
        let addresses = player_addresses(tag);
        let mut shown = addresses.iter().filter(|address| !is_hidden && !is_counter(address));
        shown.find_map(|address| self.absolute_address(address))
    }

    fn absolute_address(&self, value: &str) -> Option<String> {
        let value = value.trim();
        let url = self.links.resolve(value)?;
        (!value.is_empty() && !value.starts_with('#') && matches!(url.scheme(), "http" | "https"))
            .then(|| url.to_string())
    }

    fn push_link(&mut self, address: Option<String>, title: &str) {
        let Some(address) = address.filter(|address| self.link_count < MAX_MEDIA_LINKS && *address != self.last_link)
        else {
            return;
        };
        let Ok(url) = Url::parse(&address) else { return };
        self.end_adjacent();
        self.link_count += 1;
        let text = if title.trim().is_empty() { url.host_str().unwrap_or_default() } else { title.trim() };
        let link = format!("<a href=\"{}\">{}</a> ", escape_html(&address), escape_html(text));
        self.out.push_str(&link);
        self.last_link = address;
    }
}

/// Returns whether an address without a file extension contains a word for photos.
fn names_photo(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    ["image", "photo", "picture", "upload"].iter().any(|word| address.contains(word))
}

fn player_title(tag: &StartTag<'_>) -> String {
    let titles = ["title", "data-title", "playlabel"].into_iter().filter_map(|name| tag.attribute(name));
    titles.map(|title| title.trim().to_owned()).find(|title| !title.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::html::sanitize::sanitize_html;

    fn check(html: &str, expected: &str) {
        let clean = sanitize_html(html, Some(&url::Url::parse("https://a.example/n/").unwrap()));
        let text = clean.replace(" rel=\"noopener noreferrer nofollow\"", "").replace("https://a.example", "");
        assert_eq!(text.trim(), expected, "from {html}");
        assert_eq!(sanitize_html(&clean, None), clean, "sanitized twice, from {html}");
    }

    #[test]
    fn lazy_image_is_shown_once() {
        let image = "<img src=\"/b.jpg\">";
        for html in [
            "<img src='data:image/gif;base64,AA' data-src=/b.jpg><noscript><img src=/b.jpg></noscript>",
            "<noscript><img src=/b.jpg></noscript><img src='data:image/gif;base64,AA' data-src=/b.jpg>",
            "<noscript><img src=/b.jpg></noscript>\n<img src='data:image/gif;base64,AA'>",
            "<img src=/spacer.gif> <noscript><img src=/b.jpg></noscript>",
            "<noscript>Turn scripts on<img src=/b.jpg></noscript>",
            "<div><img data-src=/b.jpg></div><div><noscript><img src=/b.jpg></noscript></div>",
            "<span><img data-src=/b.jpg></span><noscript><img src=/big.jpg></noscript>",
            "<picture><source srcset='/b.jpg 300w'><img></picture>",
            "<picture><source srcset=/b.jpg></picture>",
            "<picture><source data-srcset=/b.jpg><source srcset=/c.jpg><img src=data:,></picture>",
            "<picture><source srcset=/c.webp><img src=/b.jpg></picture>",
            "<amp-img src=/b.jpg><noscript><img src=/b.jpg></noscript></amp-img>",
            "<img src=/dot.gif width=1 height=1 data-lazy-src=/b.jpg>",
        ] {
            check(html, image);
        }
        check("<img data-src=/b.jpg>1<img data-src=/c.jpg>", "<img src=\"/b.jpg\">1<img src=\"/c.jpg\">");
        check(
            "<img data-src=/b.jpg alt='a &lt;\"' width=600 onerror=x()>",
            "<img alt=\"a &lt;&quot;\" width=\"600\" src=\"/b.jpg\">",
        );
    }

    #[test]
    fn photo_for_readers_without_scripts_needs_no_extension() {
        for image in [
            "<noscript><img src=/p?id=7 alt='The old pier'></noscript>",
            "<noscript><img src=/p?id=7 width=600 height=400></noscript>",
            "<noscript><img src=/p?id=7 srcset='/p?id=8 2x'></noscript>",
            "<noscript><img src=/image/7></noscript>",
            "<figure><noscript><img src=/p?id=7></noscript></figure>",
        ] {
            let clean = sanitize_html(&format!("1{}", image.replace("=/", "=https://a.example/")), None);
            assert!(clean.contains("<img"), "{image}: {clean}");
        }
    }

    #[test]
    fn tracking_pixel_for_readers_without_scripts_is_removed() {
        check("<noscript><img src='https://t.example/p?c1=2'></noscript>1", "1");
        check("<noscript><img height=1 width=1 src=/b.jpg></noscript>1", "1");
        check("<img src=/b.jpg><noscript><img src='https://t.example/p?c1=2'></noscript>", "<img src=\"/b.jpg\">");
        check("<noscript><iframe src=//t.example/ns.html height=0 width=0></iframe></noscript>1", "1");
        check("<svg><script/></svg><img src=/p.gif width=1 height=1>", "");
    }

    #[test]
    fn image_in_an_element_that_hides_its_content_is_removed() {
        for start in [
            "<div style='display:none'>",
            "<p hidden>",
            "<span style='visibility: hidden'>",
            "<div style='position:absolute;left:-9999px'>",
            "<div style='width:1px;height:1px'>",
            "<div style='height:0;overflow:hidden'>",
            "<div style='max-height:1px; OVERFLOW-Y : HIDDEN'>",
            "<div hidden><a href=/x><span>",
            "<section style='opacity:0'><ul><li>1<li>",
            "<div style='display:none'><div></div>",
            "<div hidden></span></p>",
        ] {
            let clean = sanitize_html(&format!("{start}<img src=https://t.example/p.jpg>"), None);
            assert!(!clean.contains("<img"), "{start}: {clean}");
            let clean = sanitize_html(&format!("<noscript>{start}<img src=https://t.example/p.jpg></noscript>"), None);
            assert!(!clean.contains("<img"), "{start}: {clean}");
            for element in ["<iframe src=https://t.example/></iframe>", "<video src=https://t.example/v.mp4></video>"] {
                let clean = sanitize_html(&format!("{start}{element}"), None);
                assert!(!clean.contains("t.example"), "{start}: {clean}");
            }
        }
        check("<picture hidden><source srcset=/p.jpg><img src=/p.jpg></picture>1", "1");
    }

    #[test]
    fn image_outside_of_hidden_elements_stays() {
        for start in [
            "<div style='display:none'>x</div>",
            "<p hidden>x<p>",
            "<p hidden>x<div>",
            "<div><span hidden></div>",
            "<ul><li hidden><ul><li>1</ul><li>",
            "<br hidden>",
            "<img hidden src=/p.gif>",
            "<div style='height:1px'>",
            "<div style='width:100%;overflow:hidden'>",
            "<div style='max-width:0.5em'>",
            "<table width=1><tr><td>",
            "<iframe style='display:none' src=https://v.example/1>",
            "<div style='opacity:0'><img width=600 src=https://a.example/b.jpg>",
        ] {
            let clean = sanitize_html(&format!("{start}<img src=https://a.example/b.jpg>"), None);
            assert!(clean.contains("<img"), "{start}: {clean}");
        }
        let deep = "<div>".repeat(super::super::MAX_HTML_DEPTH);
        assert!(!sanitize_html(&format!("{deep}<div hidden><img src=https://t.example/p.jpg>"), None).contains("<img"));
    }

    #[test]
    fn player_becomes_a_link() {
        check("<iframe src='//v.example/1' title='The film'></iframe>", "<a href=\"https://v.example/1\">The film</a>");
        check("<video>Old browser<source src=/1.mp4></video>", "<a href=\"/1.mp4\">a.example</a>");
        check("<VIDEO src=/1.mp4 poster=/b.jpg></VIDEO>", "<a href=\"/1.mp4\">a.example</a>");
        check("<audio controls src=/1.mp3 />1", "<a href=\"/1.mp3\">a.example</a> 1");
        check("<embed src=/1.swf>1", "<a href=\"/1.swf\">a.example</a> 1");
        check(
            "<iframe src=about:blank data-src=//v.example/1></iframe>",
            "<a href=\"https://v.example/1\">v.example</a>",
        );
        for player in [
            "<amp-iframe src=//v.example/1></amp-iframe>",
            "<iframe data-src-cmplz=//v.example/1 src=about:blank></iframe>",
            "<iframe data-cookieblock-src=//v.example/1></iframe>",
            "<iframe src=/consent.html uc-src=//v.example/1></iframe>",
            "<iframe suppressedsrc=//v.example/1 data-thumb-src=/b></iframe>",
            "<video data-poster-src=/b src=//v.example/1></video>",
            "<youtube-video src=//v.example/1></youtube-video>",
        ] {
            check(player, "<a href=\"https://v.example/1\">v.example</a>");
        }
        check(
            "<noscript><iframe src=//v.example/1></iframe></noscript><iframe data-src=//v.example/1></iframe>",
            "<a href=\"https://v.example/1\">v.example</a>",
        );
    }

    #[test]
    fn player_element_becomes_a_link_to_its_video() {
        let link = "<a href=\"https://www.youtube.com/watch?v=aB3-_9\">www.youtube.com</a> 1";
        for player in [
            "<lite-youtube videoid=aB3-_9></lite-youtube>",
            "<amp-youtube data-videoid=aB3-_9 layout=responsive></amp-youtube>",
            "<div class=youtube_player videoID=aB3-_9></div>",
            "<div class='video lazy' data-youtube-id=aB3-_9></div>",
            "<embetty-video type=youtube video-id=aB3-_9></embetty-video>",
            "<amp-youtube data-videoid=aB3-_9><noscript><iframe src=//v.example/aB3-_9></iframe></noscript></amp-youtube>",
            "<iframe data-url='https://www.youtube.com/watch?v=aB3-_9'></iframe>",
        ] {
            check(&format!("{player}1"), link);
        }
        check("<lite-vimeo videoid=7 title='The film'></lite-vimeo>", "<a href=\"https://vimeo.com/7\">The film</a>");
        check("<lite-youtube videoid='\"><b>x'>1</lite-youtube><div data-videoid=7>2</div>", "12");
        check("<amp-youtube data-videoid=a hidden></amp-youtube>1", "1");
    }

    #[test]
    fn object_becomes_a_link_to_its_innermost_address() {
        let link = "<a href=\"/1.swf\">a.example</a> 1";
        for html in [
            "<object data=/1.swf>Old</object>1",
            "<object><param name=movie value=/1.swf>Old</object>1",
            "<object><embed src=/1.swf></object>1",
            "<object><object data=/1.swf>Old</object>Older</object>1",
            "<object data=/1.swf><object data=/2.swf>Old</object>1",
        ] {
            check(html, link);
        }
    }

    #[test]
    fn player_without_an_address_or_end_tag_costs_no_text() {
        check("<audio src='javascript:x'>Old</audio>1", "1");
        check("<iframe srcdoc='<b>x</b>'></iframe>1", "1");
        check("<video>The rest", "The rest");
        check("<iframe src=//v.example/1>The rest", "<a href=\"https://v.example/1\">v.example</a> The rest");
        check("<noscript>The rest", "The rest");
        let many = "<iframe src=//v.example/1></iframe><iframe src=//v.example/2></iframe>".repeat(100);
        assert_eq!(sanitize_html(&many, None).matches("<a ").count(), 0, "relative without a base");
        let many = many.replace("//", "https://");
        assert_eq!(sanitize_html(&many, None).matches("<a ").count(), super::MAX_MEDIA_LINKS);
    }

    #[test]
    fn formula_keeps_its_text() {
        let formula = "<math><semantics><mi>x</mi><mo>=</mo><annotation/><annotation>y</annotation></semantics></math>";
        check(&format!("<p>a {formula} b</p>"), "<p>a x= b</p>");
    }
}
