//! Recognizes lines of button labels: "Share on Facebook", "Print", "Facebook Twitter".
//!
//! A line is one if it consists of words on buttons. The module does not look at the lines around it.

use super::words::words_of;

/// Words on buttons that name an action.
#[rustfmt::skip]
const ACTIONS: &[&str] = &[
    "share", "tweet", "email", "e-mail", "print", "copy", "save", "comment", "comments", "follow", "subscribe", "sign",
    "log", "like", "click", "loading", "permalink", "opens", "advertisement", "ad", "advert",
    "teilen", "teile", "drucken", "kommentare", "anzeige", "werbung", "merken", "gefällt", "wird",
    "partager", "partagez", "envoyer", "imprimer", "commentaires", "publicité", "cliquez", "ouvre", "chargement",
    "compartir", "comparte", "compartilo", "enviar", "imprimir", "comentarios", "publicidad", "haz", "clic", "cargando",
    "compartilhar", "compartilhe", "partilhar", "comentários", "publicidade", "clique", "carregando",
    "condividi", "condividere", "stampa", "commenti", "pubblicità", "caricamento",
    "delen", "deel", "reacties", "advertentie", "klik", "udostępnij", "drukuj", "reklama",
    "поделиться", "поделитесь", "реклама", "комментарии", "поширити", "поділитися", "dela", "annons", "annonse", "jaa",
    "mainos", "sdílet", "paylaş", "bagikan", "megosztás", "distribuie",
];
/// The names of the platforms on buttons.
#[rustfmt::skip]
const PLATFORMS: &[&str] = &[
    "facebook", "twitter", "x", "whatsapp", "linkedin", "reddit", "telegram", "pinterest", "messenger", "bluesky",
    "mastodon", "threads", "instagram", "flipboard", "pocket", "google", "youtube", "tiktok", "rss", "mail", "tumblr",
    "viber", "vk", "вконтакте", "skype", "xing", "weibo", "wechat", "snapchat", "news",
];
/// Other words on buttons. They may be text if no action is named.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "link", "us", "on", "this", "article", "story", "post", "page", "via", "up", "in", "and", "with", "your", "friends",
    "friend", "or", "to", "a", "an", "by", "new", "window", "leave", "now", "it",
    "auf", "per", "bei", "über", "mit", "den", "diesen", "artikel", "beitrag", "sie", "mir", "neuem", "fenster",
    "geöffnet", "um", "zu", "freunden", "und", "in", "geladen", "klick", "senden",
    "sur", "par", "cet", "l'article", "l’article", "avec", "vos", "amis", "pour", "dans", "une", "nouvelle", "fenêtre",
    "un", "lien", "à", "et",
    "en", "por", "este", "artículo", "con", "tus", "amigos", "para", "se", "abre", "una", "ventana", "nueva", "y", "el",
    "correo", "esta", "noticia", "no", "na", "pelo", "artigo", "notícia", "com", "os", "seus", "em", "janela", "nova", "e",
    "su", "questo", "articolo", "con", "i", "tuoi", "amici", "fai", "si", "apre", "nuova", "finestra",
    "op", "dit", "artikel", "met", "je", "vrienden", "om", "te", "wordt", "een", "nieuw", "venster", "geopend", "en",
    "ten", "artykuł", "w", "в", "на", "у", "статью", "новостью", "с", "друзьями", "и",
    "på", "del", "den", "denne", "artikkelen", "artikeln", "och", "og", "med",
];
const MAX_BUTTON_WORDS: usize = 40;
/// The maximum number of words of a line that names no platform.
const MAX_UNNAMED_WORDS: usize = 12;

/// Returns whether a word in lowercase is the name of a platform.
pub fn is_platform(word: &str) -> bool {
    PLATFORMS.contains(&word)
}

/// What a line of button labels says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonLine {
    /// The line names an action but no platform: "Share this article".
    Action,
    /// The line names an action and a platform: "Share on Facebook".
    ActionOnPlatform,
    /// The line only names platforms, or consists of the signs between them: "Facebook Reddit", "|".
    Platforms,
}

/// Returns what a line of button labels says; `None` if the line contains other words, or a number without an action.
pub fn button_line(line: &str) -> Option<ButtonLine> {
    let is_separator = |c: char| c.is_whitespace() || ",:()·•|-/+".contains(c);
    let (mut count, mut actions, mut platforms, mut has_number) = (0, 0, 0, false);
    for word in words_of(line) {
        let word = word.to_lowercase();
        let is_number = word.len() == 1 && word.starts_with(|c: char| c.is_ascii_digit());
        let (is_action, is_platform) = (ACTIONS.contains(&word.as_str()), is_platform(&word));
        count += 1;
        if count > MAX_BUTTON_WORDS || !(is_number || is_action || is_platform || FILLERS.contains(&word.as_str())) {
            return None;
        }
        has_number |= is_number;
        actions += usize::from(is_action);
        platforms += usize::from(is_platform);
    }
    match (actions, platforms) {
        (0, 0) if count == 0 => line.chars().all(is_separator).then_some(ButtonLine::Platforms),
        (0, _) if has_number || platforms * 2 < count => None,
        (0, _) => Some(ButtonLine::Platforms),
        (_, 0) if count > MAX_UNNAMED_WORDS => None,
        (_, 0) => Some(ButtonLine::Action),
        _ => Some(ButtonLine::ActionOnPlatform),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_not_actions() {
        for line in [
            "Share on Reddit 2",
            "Click to share on Facebook (Opens in new window) Facebook",
            "Teilen Sie diesen Artikel auf Facebook",
            "Partager cet article sur X",
            "Compartir en Facebook | Compartir en WhatsApp",
        ] {
            assert_eq!(button_line(line), Some(ButtonLine::ActionOnPlatform), "{line}");
        }
        for line in ["Share this article", "Like this: Like Loading…", "Permalink | Leave a comment"] {
            assert_eq!(button_line(line), Some(ButtonLine::Action), "{line}");
        }
        assert_eq!(button_line("Reddit and Threads"), Some(ButtonLine::Platforms));
        for line in ["3 - 2", "Reddit 3", "Reddit was down", "New on YouTube", "This story", "***"] {
            assert_eq!(button_line(line), None, "{line}");
        }
    }
}
