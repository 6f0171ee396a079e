//! Recognizes lines of button labels: "Share on Facebook", "Print", "Facebook Twitter".
//!
//! A line is recognized if it consists of words that occur on buttons. The module does not consider the lines around
//! that line.

use super::words::{consists_of, trim_signs, words_of};

/// Words on buttons that name an action.
#[rustfmt::skip]
const ACTIONS: &[&str] = &[
    "share", "tweet", "email", "e-mail", "print", "copy", "save", "comment", "comments", "follow", "subscribe", "sign",
    "log", "like", "click", "loading", "permalink", "opens", "pin", "blogthis", "advertisement", "ad", "advert",
    "teilen", "teile", "teilt", "compártelo", "compártela", "compártalo", "partagez-le", "condividilo", "condividila", "compartilhe-o", "drucken", "kommentare", "anzeige", "werbung", "merken", "gefällt", "wird",
    "partager", "partagez", "envoyer", "imprimer", "commentaires", "publicité", "cliquez", "ouvre", "chargement", "j'aime",
    "j’aime",
    "compartir", "comparte", "gusta", "enviar", "imprimir", "comentarios", "publicidad", "haz", "clic", "cargando",
    "compartilhar", "compartilhe", "partilhar", "comentários", "publicidade", "clique", "curtir", "carregando",
    "condividi", "condividere", "stampa", "commenti", "pubblicità", "clic", "piace", "caricamento",
    "delen", "deel", "reacties", "advertentie", "klik", "leuk", "vind-ik-leuk", "udostępnij", "drukuj", "reklama",
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
    "please", "them", "others", "everyone", "family", "someone", "who", "might", "that", "too", "so", "can", "ihn", "ihm", "doch", "gerne", "anderen", "ze", "lo",
    "link", "us", "on", "this", "article", "story", "post", "page", "via", "up", "in", "and", "with", "your", "friends",
    "friend", "or", "to", "a", "an", "by", "new", "window", "leave", "now", "it",
    "auf", "per", "bei", "über", "mit", "den", "diesen", "artikel", "beitrag", "sie", "mir", "neuem", "fenster",
    "geöffnet", "um", "zu", "freunden", "und", "oder", "in", "geladen", "klick", "klicken", "senden",
    "sur", "par", "cet", "l'article", "l’article", "avec", "vos", "amis", "pour", "dans", "une", "nouvelle", "fenêtre",
    "un", "lien", "à", "et", "ou", "ça",
    "en", "por", "este", "artículo", "con", "tus", "amigos", "para", "se", "abre", "una", "ventana", "nueva", "y", "o", "el",
    "correo", "me", "esto", "esta", "noticia", "no", "na", "pelo", "artigo", "notícia", "com", "os", "seus", "em", "isso", "janela", "nova", "e",
    "su", "mi", "questo", "articolo", "con", "i", "tuoi", "amici", "fai", "si", "apre", "nuova", "finestra",
    "op", "vind", "ik", "aan", "het", "laden", "dit", "artikel", "met", "je", "vrienden", "om", "te", "wordt", "een", "nieuw", "venster", "geopend", "en",
    "ten", "artykuł", "w", "в", "на", "у", "статью", "новостью", "с", "друзьями", "и",
    "på", "del", "den", "denne", "artikkelen", "artikeln", "och", "og", "med",
];
/// Other lines with the function of a button, in lowercase.
const LINES: &[&str] = &["spread the word", "sharing is caring", "tell your friends"];
/// Words on buttons in languages that are written without spaces, in lowercase.
#[rustfmt::skip]
const UNSPACED_WORDS: &[&str] = &[
    "この", "記事", "を", "ページ", "投稿", "友達", "友だち", "这篇", "文章", "本文", "给", "好友", "이", "기사", "글",
    "分享", "到", "至", "转发", "轉發", "微信", "微博", "朋友圈", "脸书", "打印", "列印", "シェア", "ツイート", "ポスト", "ブックマーク", "印刷", "する", "で",
    "に", "送る", "保存", "공유", "하기", "인쇄", "복사", "페이스북", "트위터", "카카오톡", "에", "로", "facebook", "twitter", "x", "line", "telegram",
    "whatsapp", "linkedin",
];
const MAX_BUTTON_WORDS: usize = 40;
const MAX_UNSPACED_BYTES: usize = 100;
/// The maximum number of words of a line that names no platform.
const MAX_UNNAMED_WORDS: usize = 12;

/// The minimum length of a name that an ending may follow, and the maximum length of the ending: "Facebooku".
const MIN_STEM_BYTES: usize = 6;
const MAX_ENDING_BYTES: usize = 4;

/// Returns whether a word in lowercase is the name of a platform, with or without an ending.
pub fn is_platform(word: &str) -> bool {
    let has_ending = |name: &&str| {
        name.len() >= MIN_STEM_BYTES && word.strip_prefix(*name).is_some_and(|ending| ending.len() <= MAX_ENDING_BYTES)
    };
    PLATFORMS.contains(&word) || PLATFORMS.iter().any(has_ending)
}

/// The content of a line of button labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonLine {
    /// The line names an action but no platform: "Share this article".
    Action,
    /// The line names an action and a platform: "Share on Facebook".
    ActionOnPlatform,
    /// The line contains only names of platforms, or only separators: "Facebook Reddit", "|".
    Platforms,
}

/// Returns the content of a line of button labels; `None` if the line contains other words, or a number without an
/// action.
pub fn button_line(line: &str) -> Option<ButtonLine> {
    if is_line_of_button(line) {
        return Some(ButtonLine::Action);
    }
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
        (0, _) if has_number || line.ends_with('.') || platforms * 2 < count => None,
        (0, _) => Some(ButtonLine::Platforms),
        (_, 0) if count > MAX_UNNAMED_WORDS => None,
        (_, 0) => Some(ButtonLine::Action),
        _ => Some(ButtonLine::ActionOnPlatform),
    }
}

fn is_line_of_button(line: &str) -> bool {
    let is_short = line.len() <= MAX_UNSPACED_BYTES;
    is_short && {
        let lower = line.to_lowercase();
        LINES.contains(&trim_signs(&lower)) || consists_of(&lower, UNSPACED_WORDS) && !lower.is_ascii()
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
            "Udostępnij na Facebooku",
        ] {
            assert_eq!(button_line(line), Some(ButtonLine::ActionOnPlatform), "{line}");
        }
        for line in [
            "Share this article",
            "Like this: Like Loading…",
            "Permalink | Leave a comment",
            "Facebookでシェアする",
            "分享到微信",
        ] {
            assert_eq!(button_line(line), Some(ButtonLine::Action), "{line}");
        }
        assert_eq!(button_line("Reddit and Threads"), Some(ButtonLine::Platforms));
        for line in ["3 - 2", "Reddit 3", "Reddit was down", "Reddit and X.", "New on YouTube", "This story", "***"] {
            assert_eq!(button_line(line), None, "{line}");
        }
    }
}
