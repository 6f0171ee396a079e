//! Writes a link in place of each player.

use super::super::player::player_addresses;
use super::super::tracking_hosts::is_counter;
use super::super::tracking_pixel::is_tracking_pixel;
use super::MediaRewriter;
use crate::markup::entities::escape_html;
use crate::markup::tag::StartTag;
use url::Url;

/// The maximum number of links to media in one document. Additional players are removed.
pub const MAX_MEDIA_LINKS: usize = 50;

impl MediaRewriter<'_> {
    pub fn push_player(&mut self, tag: &StartTag<'_>) {
        self.push_link(self.player_address(tag), &player_title(tag));
    }

    /// Returns the URL of a player, unless readers cannot see the player.
    pub fn player_address(&self, tag: &StartTag<'_>) -> Option<String> {
        let is_hidden = is_tracking_pixel(tag, false) || !self.shows(None);
        let addresses = player_addresses(tag);
        let mut shown = addresses.iter().filter(|address| !is_hidden && !is_counter(address));
        shown.find_map(|address| self.absolute_address(address))
    }

    pub fn absolute_address(&self, value: &str) -> Option<String> {
        let value = value.trim();
        let url = self.links.resolve(value)?;
        (!value.is_empty() && !value.starts_with('#') && matches!(url.scheme(), "http" | "https"))
            .then(|| url.to_string())
    }

    pub fn push_link(&mut self, address: Option<String>, title: &str) {
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

pub fn player_title(tag: &StartTag<'_>) -> String {
    let titles = ["title", "data-title", "playlabel"].into_iter().filter_map(|name| tag.attribute(name));
    titles.map(|title| title.trim().to_owned()).find(|title| !title.is_empty()).unwrap_or_default()
}
