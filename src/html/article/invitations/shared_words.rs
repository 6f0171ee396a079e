//! Words that several kinds of invitations contain.

use super::super::words::starts_of_words;

/// An invitation that continues after its first words contains at least one of these words. Long words may have
/// endings.
#[rustfmt::skip]
pub const OUTLET_WORDS: &[&str] = &[
    "facebook", "twitter", "x", "whatsapp", "linkedin", "reddit", "telegram", "bluesky", "mastodon", "threads",
    "donate", "donation", "donating", "spende", "spenden", "dona", "donación", "doação", "doe", "donazione", "doneer", "donatie",
    "journalism", "journalismus", "journalisme", "periodismo", "jornalismo", "giornalismo", "journalistiek", "dziennikarstwo",
    "журналистику", "журналістику", "journalistik", "journalistikk",
    "instagram", "flipboard", "youtube", "tiktok", "google", "patreon", "ko-fi", "paypal", "newsletter", "podcast",
    "channel", "app", "journalism", "newsroom", "reporting", "social media", "website", "kanal", "canal", "kanaal", "chaîne",
    "canale", "kanał", "канал", "телеграм", "дзен", "vk", "viber", "boletín", "nieuwsbrief", "nyhetsbrev", "nyhedsbrev",
    "infolettre", "aplicación", "aplicativo", "steady", "substack", "discord", "twitch", "signal", "pinterest", "snapchat",
    "فيسبوك", "تويتر", "واتساب", "يوتيوب", "تلغرام", "إنستغرام",
];
/// Words for the outlet in lines with an imperative, in lowercase.
#[rustfmt::skip]
pub const OWN_WORDS: &[&str] = &[
    "journalismus", "journalisme", "periodismo", "jornalismo", "giornalismo", "journalistiek", "dziennikarstwo", "журналистику", "журналістику", "journalistik", "journalistikk",
    "uns", "unser", "unseren", "unserem", "unsere", "notre", "nos", "nuestro", "nuestra", "nuestros", "nosso", "nossa",
    "nostro", "nostra", "ons", "onze", "nas", "nasz", "нас", "наш", "нашем", "oss", "vår", "vårt", "bizi", "kanalımıza",
    "sayfamızı", "kanalımızı",
];
/// Imperatives before the name of an outlet or a person, in lowercase.
#[rustfmt::skip]
pub const FOLLOW_VERBS: &[&str] = &[
    "follow", "find", "join", "like", "subscribe to", "support", "connect with", "folgen sie", "folge", "folgt", "suivez",
    "retrouvez", "sigue a", "siga a", "siga o", "sigue", "siga", "segui", "volg", "obserwuj", "śledź", "följ", "følg", "seuraa",
    "sledujte", "urmărește", "kövesd", "unterstützen sie", "unterstütze", "unterstützt", "soutenez", "apoya", "apoye", "apoie", "sostieni",
    "steun", "wesprzyj", "wspieraj", "поддержите", "підтримайте", "stöd", "støtt", "støt", "tue", "podpořte", "támogasd", "susține",
    "στηρίξτε", "ακολουθήστε", "подписывайтесь на", "читайте",
];
/// The words after an invitation to support the outlet, in lowercase: "Support our journalism: donate now".
#[rustfmt::skip]
pub const APPEAL_WORDS: &[&str] = &[
    "donate", "subscribe", "join", "give", "contribute", "become", "a", "an", "member", "supporter", "subscriber", "patron", "make", "donation",
    "contribution", "now", "today", "here", "please", "click", "or", "and", "to", "us", "by", "with", "your", "help", "free", "jetzt", "spenden", "spende", "abonnieren",
    "mitglied", "werden", "hier", "klicken", "faites", "faire", "un", "une", "don", "donnez", "abonnez-vous", "ici", "dona", "donar", "haz", "una", "donación", "hazte",
    "socio", "suscríbete", "aquí", "ahora", "doe", "doar", "faça", "uma", "doação", "assine", "aqui", "agora", "fai", "una", "donazione", "abbonati", "ora", "qui",
    "doneer", "nu", "word", "lid", "een", "donatie", "wpłać", "teraz", "пожертвовать", "сделать", "пожертвование", "подписаться", "bli", "medlem", "støtt", "här", "her",
];
/// Words for news, in lowercase.
#[rustfmt::skip]
pub const NEWS_WORDS: &[&str] = &[
    "news", "headlines", "updates", "stories", "alerts", "coverage", "nachrichten", "neuigkeiten", "meldungen", "actualité", "actualités", "actu", "infos", "informations", "l'actualité", "l’actualité", "l'info", "l’info",
    "noticias", "noticia", "actualidad", "notícias", "notizie", "aggiornamenti", "nieuws", "wiadomości", "informacje", "новости", "новостей", "новини", "новин", "nyheter", "nyheterna", "nyhetene", "nyheder", "uutiset", "uutisia", "zprávy",
    "híreket", "hírek", "știri", "știrile", "νέα", "haber", "haberleri", "gelişmeleri", "berita", "tin",
];
/// Words around the names of an outlet and of platforms, in lowercase.
#[rustfmt::skip]
pub const NAME_FILLERS: &[&str] = &[
    "the", "of", "by", "becoming", "a", "member", "supporter", "on", "at", "and", "or", "our", "us", "der", "die", "das", "dem", "den", "uns", "auf", "bei", "und", "sur", "et", "le", "la", "les", "de", "en", "y", "e",
    "el", "no", "na", "do", "da", "o", "a", "su", "il", "op", "het", "på", "och", "og", "i", "w", "ons", "oss", "os", "kami",
    "channel", "page", "group", "app", "account", "accounts", "profile", "kanal", "kanaal", "canal", "too", "here", "now",
];
/// The first words of a purpose, in lowercase: "for more news".
#[rustfmt::skip]
pub const PURPOSE_WORDS: &[&str] = &[
    "for", "to", "um", "damit", "für", "pour", "afin", "para", "per", "om", "voor", "för", "så", "чтобы", "щоб", "żeby", "aby", "hogy", "ca", "için", "agar", "untuk",
];
/// The minimum number of letters of a word that endings may follow: "Facebookon".
const MIN_STEM_BYTES: usize = 6;

pub fn is_outlet_word_in(lower: &str, word: &str) -> bool {
    let has_ending = word.len() >= MIN_STEM_BYTES;
    starts_of_words(lower, word).any(|rest| has_ending || !rest.starts_with(char::is_alphanumeric))
}
