//! The message to a webhook: one new entry of a feed, as JSON or in the format of the operator's template.

use super::Options;
use crate::domain::{Edition, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use url::Url;

/// The `[[notify]]` section of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookOptions {
    /// The URL that receives a POST request for each new entry.
    pub url: Option<Url>,
    /// The file that contains the URL. A relative path is relative to systemd's `$CREDENTIALS_DIRECTORY`.
    pub url_file: Option<PathBuf>,
    /// The name of the feed.
    pub feed: String,
    /// The body of the request, with placeholders. Default: a JSON object with all values.
    pub template: Option<String>,
}

/// The body of a request to a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookMessage {
    pub content_type: &'static str,
    pub body: String,
}

impl WebhookOptions {
    /// Returns the key of the first invalid setting and a message for the operator; `None` if all settings are valid.
    pub fn invalid_setting(&self) -> Option<(&'static str, String)> {
        let invalid = |key, problem: &str| Some((key, problem.to_owned()));
        let is_web_url = |url: &Url| matches!(url.scheme(), "http" | "https");
        let is_valid_json = |template: &str| serde_json::from_str::<IgnoredAny>(template).is_ok();
        match (&self.url, &self.url_file, &self.template) {
            (None, None, _) => invalid("feed", "needs url or url_file"),
            (Some(_), Some(_), _) => invalid("url_file", "cannot be combined with url"),
            (_, Some(file), _) if file.as_os_str().is_empty() => invalid("url_file", "is empty"),
            (Some(url), ..) if !is_web_url(url) => invalid("url", "must be an http or https URL"),
            (.., Some(template)) if template.trim().is_empty() => invalid("template", "is empty"),
            (.., Some(template)) if is_json(template) && !is_valid_json(template) => {
                invalid("template", "looks like JSON but is not valid JSON; put placeholders in double quotes")
            }
            (.., Some(template)) => {
                let unknown = unknown_placeholder(template)?;
                let problem =
                    format!("has the unknown placeholder {unknown}; the placeholders are {}", PLACEHOLDERS.join(", "));
                Some(("template", problem))
            }
            _ => None,
        }
    }
}

/// The placeholders of a template.
const PLACEHOLDERS: [&str; 8] =
    ["{feed}", "{id}", "{title}", "{url}", "{page}", "{summary}", "{outlets}", "{published_at}"];

/// Returns the first name in braces that is not a placeholder.
fn unknown_placeholder(template: &str) -> Option<&str> {
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    template.match_indices('{').find_map(|(start, _)| {
        let end = start + template[start..].find('}')?;
        let placeholder = &template[start..=end];
        (is_name(&template[start + 1..end]) && !PLACEHOLDERS.contains(&placeholder)).then_some(placeholder)
    })
}

/// Returns the message that announces an entry.
pub fn webhook_message(
    hook: &WebhookOptions,
    edition: &Edition,
    published_at: Timestamp,
    options: &Options,
) -> WebhookMessage {
    let text = &edition.text;
    let page = options.url(&format!("stories/{}", edition.story));
    let mut outlets: Vec<&str> = Vec::new();
    for report in &text.reports {
        let outlet = report.outlet_name.as_deref().unwrap_or(&report.outlet);
        if !outlets.contains(&outlet) {
            outlets.push(outlet);
        }
    }
    let url = text.link.clone().unwrap_or_else(|| page.clone());
    let id = edition.story.to_string();
    let Some(template) = &hook.template else {
        let message = serde_json::json!({
            "feed": hook.feed, "id": id, "title": text.title, "url": url, "page": page, "summary": text.summary,
            "outlets": outlets, "published_at": published_at,
        });
        return WebhookMessage { content_type: "application/json", body: message.to_string() };
    };
    let (title, summary, outlets) = (text.title.clone(), text.summary.clone(), outlets.join(", "));
    let values = [hook.feed.clone(), id, title, url, page, summary, outlets, published_at.to_string()];
    let content_type = if is_json(template) { "application/json" } else { "text/plain; charset=utf-8" };
    WebhookMessage { content_type, body: fill(template, &values) }
}

/// Returns whether a template is JSON, in which values are escaped. A template is JSON if it starts with `[`, or with
/// `{` followed by `"` or `}`. A placeholder also starts with `{`, but a letter follows.
fn is_json(template: &str) -> bool {
    let start = template.trim_start();
    let is_object = |rest: &str| rest.trim_start().starts_with(['"', '}']);
    start.starts_with('[') || start.strip_prefix('{').is_some_and(is_object)
}

/// Replaces the placeholders in one pass, so that placeholders in values are not replaced.
fn fill(template: &str, values: &[String; PLACEHOLDERS.len()]) -> String {
    let is_json = is_json(template);
    let mut filled = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        filled += &rest[..start];
        rest = &rest[start..];
        match PLACEHOLDERS.iter().zip(values).find(|(placeholder, _)| rest.starts_with(**placeholder)) {
            Some((placeholder, value)) => {
                match is_json {
                    true => {
                        let quoted = serde_json::Value::from(value.as_str()).to_string();
                        filled += &quoted[1..quoted.len() - 1];
                    }
                    false => filled += value,
                }
                rest = &rest[placeholder.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_in_json_and_never_filled_again() {
        let mut values: [String; PLACEHOLDERS.len()] = Default::default();
        (values[2], values[3]) = ("a \"{url}\"\n".into(), "https://a.example/".into());
        assert_eq!(fill("{title}: {url} {other}", &values), "a \"{url}\"\n: https://a.example/ {other}");
        let json = fill("{\"text\": \"{title} {url}\"}", &values);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["text"], "a \"{url}\"\n https://a.example/");
    }
}
