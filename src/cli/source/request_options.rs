//! The options of `source add` and `source edit` that change the requests for a source, and their interval.

use crate::domain::display_text::one_line;
use crate::domain::{RequestSettings, Secret, duration};
use crate::http_client::{check_request_header, origin_of};
use anyhow::{Context as _, anyhow, bail};
use jiff::SignedDuration;
use url::Url;

/// The limits of an interval that the operator sets for one source.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
const MAX_INTERVAL: SignedDuration = SignedDuration::from_hours(30 * 24);
const MAX_HEADERS: usize = 20;
const MAX_VALUE_BYTES: usize = 8 * 1024;

#[derive(clap::Args)]
pub struct RequestOptions {
    /// Time between polls, such as 1h; the feed and its server can increase it. "" restores the default.
    #[arg(long, value_name = "DURATION")]
    interval: Option<String>,
    /// User-Agent header; "" restores the default.
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// Header field, sent only to the server of the source; repeatable. @FILE reads it from a file. "" removes all header
    /// fields.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// Cookie, such as session=abc, sent only to the server of the source. @FILE reads it from a file. "" removes it.
    #[arg(long, value_name = "COOKIE")]
    cookie: Option<String>,
    /// Proxy for this source, such as `http://proxy.example:3128`. "" removes it.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
}

impl RequestOptions {
    /// Returns the new interval: `None` if it does not change, `Some(None)` for the default.
    pub fn interval(&self) -> anyhow::Result<Option<Option<SignedDuration>>> {
        let Some(given) = &self.interval else { return Ok(None) };
        if given.is_empty() {
            return Ok(Some(None));
        }
        Ok(Some(Some(poll_interval("--interval", given)?)))
    }

    /// Applies the options to the settings of a source with this URL; `None` if the settings do not change.
    pub fn apply(&self, mut settings: RequestSettings, url: &Url) -> anyhow::Result<Option<RequestSettings>> {
        let RequestOptions { user_agent, header, cookie, proxy, .. } = self;
        if user_agent.is_none() && header.is_empty() && cookie.is_none() && proxy.is_none() {
            return Ok(None);
        }
        if let Some(text) = user_agent {
            check_request_header("user-agent", text).map_err(anyhow::Error::msg)?;
            settings.user_agent = Some(text.clone()).filter(|text| !text.is_empty());
        }
        let origin = origin_of(url);
        if settings.origin != origin && (!header.is_empty() || cookie.is_some()) {
            // Secrets that were set for another server are never sent to this one.
            (settings.headers, settings.cookie) = (Vec::new(), None);
            settings.origin = origin;
        }
        if !header.is_empty() {
            settings.headers = header
                .iter()
                .filter(|field| !field.is_empty())
                .map(|field| header_field(field))
                .collect::<Result<_, _>>()?;
        }
        if settings.headers.len() > MAX_HEADERS {
            bail!("a source can have at most {MAX_HEADERS} headers");
        }
        if let Some(cookie) = cookie {
            let value = given_value(cookie)?;
            check_request_header("x-cookie", &value).map_err(|_| anyhow::anyhow!("--cookie is not a valid cookie"))?;
            settings.cookie = Some(Secret::new(value)).filter(|cookie| !cookie.reveal().is_empty());
        }
        if let Some(proxy) = proxy {
            settings.proxy = if proxy.is_empty() { None } else { Some(proxy_url(proxy)?) };
        }
        Ok(Some(settings))
    }
}

/// Parses an interval for one source. `name` is the option or the attribute, for the message.
pub fn poll_interval(name: &str, text: &str) -> anyhow::Result<SignedDuration> {
    let interval = duration::parse(text).map_err(|error| anyhow!("{name}: {error}"))?;
    if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
        bail!("{name} must be between {MIN_INTERVAL:#} and 30d");
    }
    Ok(interval)
}

/// Returns a value given as text or as `@FILE`. With a file, a secret does not appear in the list of processes.
fn given_value(given: &str) -> anyhow::Result<String> {
    let Some(file) = given.strip_prefix('@') else { return Ok(given.trim().to_owned()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", one_line(file, 200)))?;
    let value = text.trim();
    if value.len() > MAX_VALUE_BYTES {
        bail!("{} is larger than {MAX_VALUE_BYTES} bytes", one_line(file, 200));
    }
    Ok(value.to_owned())
}

fn header_field(given: &str) -> anyhow::Result<(String, Secret)> {
    let field = given_value(given)?;
    let Some((name, value)) = field.split_once(':') else {
        // The text can be a secret, so the message does not contain it.
        bail!("--header needs a name and a value, such as \"X-Token: abc\"");
    };
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    check_request_header(&name, value).map_err(anyhow::Error::msg)?;
    Ok((name, Secret::new(value.to_owned())))
}

fn proxy_url(given: &str) -> anyhow::Result<Secret> {
    match Url::parse(given) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Secret::new(url.into())),
        _ => bail!("--proxy must be an http or https URL, such as http://proxy.example:3128"),
    }
}
