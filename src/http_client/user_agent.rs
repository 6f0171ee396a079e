//! The User-Agent header, by which outlets recognize newsfold and count its readers.

use super::Options;

impl Options {
    /// Returns the User-Agent (RFC 9110, section 10.1.5), in the format from which publishers count subscribers.
    pub fn user_agent(&self) -> String {
        if let Some(given) = &self.user_agent {
            return given.clone();
        }
        let people = if self.subscribers == 1 { "subscriber" } else { "subscribers" };
        let about = self.about_url.as_ref().map_or_else(String::new, |url| format!("+{url}; "));
        format!("{}/{} ({about}{} {people})", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), self.subscribers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    #[test]
    fn user_agent_names_the_operator_and_the_subscribers() {
        let version = env!("CARGO_PKG_VERSION");
        let mut options = Options::default();
        assert_eq!(options.user_agent(), format!("newsfold/{version} (1 subscriber)"));
        options.about_url = Some(Url::parse("https://news.example/about").unwrap());
        options.subscribers = 12;
        assert_eq!(options.user_agent(), format!("newsfold/{version} (+https://news.example/about; 12 subscribers)"));
        options.user_agent = Some("desk".into());
        assert_eq!(options.user_agent(), "desk");
    }
}
