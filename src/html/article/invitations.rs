//! Recognizes invitations to follow, support or subscribe to an outlet.
//!
//! An invitation starts with an imperative that concerns the outlet ("Follow us", "Subscribe to our newsletter") or a
//! name on a platform ("Follow Harbour Ledger on Mastodon"). A short clause may precede it: "For more news, follow us".
//! A line that reports a statement is not an invitation.

use super::buttons::{ButtonLine, button_line, is_platform};
use super::words::{
    consists_of, consists_of_words, contains_words, has_attribution, starts_of_words, starts_with_words, trim_signs,
    word_indices, words_of,
};

/// The beginnings of words in invitations to subscribe, in lowercase.
#[rustfmt::skip]
const SUBSCRIPTION_NOUNS: &[&str] = &[
    "newsletter", "inbox", "infolettre", "boletín", "boletim", "nieuwsbrief", "nyhetsbrev", "nyhedsbrev", "uutiskirje",
    "рассылк", "розсилк", "posteingang", "mailing list", "bülten", "zpravodaj",
];
/// The first words of such invitations, in lowercase.
#[rustfmt::skip]
const SUBSCRIPTION_STARTS: &[&str] = &[
    "sign up", "signup", "subscribe", "get", "receive", "join", "enter your", "abonnieren sie", "abonniere",
    "jetzt abonnieren", "melden sie sich", "melde dich", "jetzt anmelden", "bestellen sie", "bestelle", "abonnez-vous",
    "inscrivez-vous", "recevez", "suscríbete", "suscríbase", "recibe", "reciba", "inscreva-se", "assine", "receba",
    "iscriviti", "ricevi", "schrijf je", "schrijf u", "meld je", "meld u", "ontvang", "abonneer", "zapisz się",
    "otrzymuj", "подпишитесь", "подписывайтесь", "подпишись", "підпишіться", "підписуйтесь", "prenumerera", "anmäl dig",
    "meld deg", "tilmeld dig", "abonner på", "tilaa", "přihlaste se", "odebírejte", "kaydol", "abone ol", "langganan",
    "berlangganan",
];
/// Phrases inside such invitations, and phrases that address the readers or name the outlet, in lowercase.
#[rustfmt::skip]
const SUBSCRIPTION_PHRASES: &[&str] = &[
    "sign up", "signup", "subscribe", "delivered", "straight to", "join our", "get our", "receive our", "abonnieren",
    "anmelden", "bestellen", "inscrivez-vous", "abonnez-vous", "suscríbete", "inscreva-se", "iscriviti",
];
#[rustfmt::skip]
const ADDRESSING_PHRASES: &[&str] = &[
    "our", "your inbox", "your email", "your e-mail", "unser", "unsere", "unseren", "notre", "nos", "nuestro", "nuestra",
    "nosso", "nossa", "nostra", "nostro",
];
/// The last words of headings such as "Newsletter sign up", in lowercase.
const SUBSCRIPTION_ENDS: &[&str] = &["sign up", "signup", "subscribe", "abonnieren", "anmelden", "bestellen"];
const MAX_SUBSCRIPTION_HEADING_WORDS: usize = 3;
const MAX_SUBSCRIPTION_WORDS: usize = 35;

/// Imperatives that are invitations if "us" or "our" follows, in lowercase.
#[rustfmt::skip]
const IMPERATIVES: &[&str] = &[
    "help", "follow", "like", "join", "find", "subscribe to", "sign up for", "sign up to", "support", "download", "get",
    "listen to", "watch", "connect with", "visit", "donate to", "contact", "add", "see", "check out", "read", "supporting",
    "following", "joining", "subscribing to", "stay connected with", "keep up with",
];
/// Other invitations, some of which continue with another word, in lowercase.
#[rustfmt::skip]
const INVITATIONS: &[&str] = &[
    "follow us", "subscribe now", "support us", "support independent journalism",
    "support local journalism", "support our journalism", "support our work", "support our newsroom",
    "support our reporting", "support quality journalism", "support this site", "support this work", "become a member", "become a supporter", "become a patron", "download our app",
    "buy us a coffee", "join the conversation on", "join the discussion on", "join our whatsapp", "join our telegram", "join our channel", "folgen sie uns", "folge uns",
    "folgt uns", "besuchen sie uns", "abonnieren sie unser", "abonniere unser", "jetzt abonnieren", "laden sie unsere app",
    "unterstützen sie uns", "suivez-nous", "suivez nous", "abonnez-vous", "rejoignez-nous", "retrouvez-nous", "soutenez-nous",
    "rejoignez notre", "téléchargez notre", "suivez notre", "síguenos", "síganos", "sigue nuestro", "sigue nuestra", "suscríbete", "suscríbase", "únete a nuestro", "únete a nuestra",
    "únase a nuestro", "descarga nuestra", "apóyanos", "encuéntranos", "siga-nos", "siga nos", "nos siga", "inscreva-se",
    "baixe nosso", "entre no nosso", "participe do nosso", "apoie-nos", "seguici", "segui il nostro", "segui la nostra", "iscriviti", "unisciti al nostro",
    "scarica la nostra", "sostienici", "volg ons", "abonneer je", "steun ons", "download onze", "obserwuj nas", "śledź nas",
    "polub nas", "dołącz do nas", "wspieraj nas", "подписывайтесь на", "подпишитесь на", "присоединяйтесь к", "читайте нас",
    "підписуйтесь на", "підписуйтеся на", "читайте нас", "följ oss", "gilla oss", "stöd oss", "følg oss", "støtt oss", "følg os",
    "støt os", "seuraa meitä", "sledujte nás", "kövess minket", "kövessen minket", "kövess bennünket", "urmăriți-ne",
    "urmărește-ne", "ακολουθήστε μας", "bizi takip edin", "ikuti kami", "theo dõi chúng tôi", "تابعونا",
];
/// If an invitation continues after its first words, it contains one of these words. Endings may follow long words.
#[rustfmt::skip]
const OUTLET_WORDS: &[&str] = &[
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
/// The minimum number of letters of a word that endings may follow: "Facebookon".
const MIN_STEM_BYTES: usize = 6;
/// The maximum number of words in the title of a newsletter before an invitation.
const MAX_TITLE_WORDS: usize = 4;
const MAX_INVITATION_WORDS: usize = 30;
const MAX_LINE_BYTES: usize = 1_000;
/// The maximum number of words between an imperative and the word "us" or "our".
const MAX_OBJECT_WORDS: usize = 3;

/// Imperatives at the end of a line, in lowercase.
const LAST_WORDS: &[&str] = &["takip edin", "takip et", "abone olun", "beğenin", "abonnieren", "folgen"];
/// Words for the outlet in lines with an imperative, in lowercase.
#[rustfmt::skip]
const OWN_WORDS: &[&str] = &[
    "journalismus", "journalisme", "periodismo", "jornalismo", "giornalismo", "journalistiek", "dziennikarstwo", "журналистику", "журналістику", "journalistik", "journalistikk",
    "uns", "unser", "unseren", "unserem", "unsere", "notre", "nos", "nuestro", "nuestra", "nuestros", "nosso", "nossa",
    "nostro", "nostra", "ons", "onze", "nas", "nasz", "нас", "наш", "нашем", "oss", "vår", "vårt", "bizi", "kanalımıza",
    "sayfamızı", "kanalımızı",
];
const MAX_UNSPACED_BYTES: usize = 100;
/// Words of invitations in languages that are written without spaces, in lowercase.
#[rustfmt::skip]
const UNSPACED_WORDS: &[&str] = &[
    "关注", "關注", "欢迎", "请", "我们", "我們", "的", "微信", "公众号", "微博", "订阅", "訂閱", "频道", "頻道", "官方", "扫码", "加入", "群", "フォロー", "して",
    "ください", "しよう", "公式", "を", "の", "アカウント", "チャンネル", "登録", "お願いします", "友だち追加", "メルマガ", "팔로우", "하세요", "구독", "채널", "에서", "을",
    "를", "페이스북", "유튜브", "facebook", "twitter", "x", "line", "telegram", "youtube", "instagram",
];

/// The first words of clauses before an invitation, in lowercase: "Like what you read?".
#[rustfmt::skip]
const LEAD_IN_WORDS: &[&str] = &[
    "for", "want", "like", "liked", "love", "loved", "enjoy", "enjoyed", "enjoying", "if", "to", "stay", "keep", "never", "don't",
    "don’t", "did", "do", "got", "have", "you", "more", "für", "mehr", "nichts", "gefällt", "ihnen", "hat", "immer", "wollen",
    "pour", "plus", "vous", "envie", "si", "para", "te", "más", "quieres", "per", "ti", "vuoi", "gostou", "quer", "voor",
    "meer", "wil", "vind", "chcesz", "podoba", "więcej", "хотите", "больше", "чтобы", "понравилась", "понравился", "för",
    "wenn", "falls", "se", "als", "jeśli", "jeżeli", "если", "якщо", "om", "hvis", "jos", "pokud", "líbil", "dacă", "eğer", "jika", "nếu", "αν", "was", "found",
    "is", "this", "cet", "cela",
    "vill", "gillade", "vil", "likte", "daha", "haberleri", "untuk", "pentru", "další", "ha", "για",
];
const MAX_LEAD_IN_WORDS: usize = 12;
/// Phrases before the imperative, in lowercase.
#[rustfmt::skip]
const BEFORE_IMPERATIVE: &[&str] = &[
    "click here to", "click to", "tap here to", "tap to", "please", "please consider", "consider", "don't forget to", "don’t forget to", "be sure to",
    "make sure to", "remember to", "you can", "you can also", "also", "and", "why not", "hier klicken und",
];

/// Imperatives before the name of an outlet or a person, in lowercase.
#[rustfmt::skip]
const FOLLOW_VERBS: &[&str] = &[
    "follow", "find", "join", "like", "subscribe to", "support", "connect with", "folgen sie", "folge", "folgt", "suivez",
    "retrouvez", "sigue a", "siga a", "siga o", "sigue", "siga", "segui", "volg", "obserwuj", "śledź", "följ", "følg", "seuraa",
    "sledujte", "urmărește", "kövesd", "unterstützen sie", "unterstütze", "unterstützt", "soutenez", "apoya", "apoye", "apoie", "sostieni",
    "steun", "wesprzyj", "wspieraj", "поддержите", "підтримайте", "stöd", "støtt", "støt", "tue", "podpořte", "támogasd", "susține",
    "στηρίξτε", "ακολουθήστε", "подписывайтесь на", "читайте",
];
/// The words after such an invitation: "Support our journalism: donate now". In lowercase.
#[rustfmt::skip]
const APPEAL_WORDS: &[&str] = &[
    "donate", "subscribe", "join", "give", "contribute", "become", "a", "an", "member", "supporter", "subscriber", "patron", "make", "donation",
    "contribution", "now", "today", "here", "please", "click", "or", "and", "to", "us", "by", "with", "your", "help", "free", "jetzt", "spenden", "spende", "abonnieren",
    "mitglied", "werden", "hier", "klicken", "faites", "faire", "un", "une", "don", "donnez", "abonnez-vous", "ici", "dona", "donar", "haz", "una", "donación", "hazte",
    "socio", "suscríbete", "aquí", "ahora", "doe", "doar", "faça", "uma", "doação", "assine", "aqui", "agora", "fai", "una", "donazione", "abbonati", "ora", "qui",
    "doneer", "nu", "word", "lid", "een", "donatie", "wpłać", "teraz", "пожертвовать", "сделать", "пожертвование", "подписаться", "bli", "medlem", "støtt", "här", "her",
];
/// Imperatives before "news on Telegram", in lowercase.
#[rustfmt::skip]
const NEWS_VERBS: &[&str] = &[
    "get", "receive", "read", "follow", "find", "join", "watch", "catch", "stay", "keep", "more", "all", "latest", "for", "check", "see", "subscribe", "don't", "don’t", "never",
    "erhalten", "erhalte", "lesen", "lies", "folgen", "folge", "alle", "mehr", "bleiben", "recevez", "suivez", "retrouvez", "lisez", "toute", "toutes", "recibe", "reciba", "sigue", "siga",
    "lee", "lea", "toda", "todas", "receba", "leia", "acompanhe", "ricevi", "segui", "leggi", "tutte", "ontvang", "volg", "lees", "otrzymuj", "czytaj", "śledź", "читайте", "получайте", "следите", "все",
    "få", "läs", "följ", "les", "følg", "læs", "seuraa", "lue", "sledujte", "čtěte", "kövesd", "urmărește", "citește", "ikuti", "baca", "dapatkan", "theo", "đọc", "haberleri", "son",
];
/// Imperatives before "our app", and words for apps and their stores, in lowercase.
#[rustfmt::skip]
const APP_VERBS: &[&str] = &[
    "get", "download", "install", "try", "laden", "lade", "hol", "holen", "installieren", "téléchargez", "télécharger", "installez", "descarga", "descargue", "descárgate",
    "baixe", "instale", "scarica", "installa", "installeer", "pobierz", "zainstaluj", "скачайте", "скачать", "установите", "завантажте", "ladda", "last", "hent", "lataa",
    "stáhněte", "töltse", "descarcă", "indirin", "indir", "unduh",
];
#[rustfmt::skip]
const APP_WORDS: &[&str] = &[
    "app", "apps", "application", "appli", "aplicación", "aplicativo", "aplicação", "applicazione", "aplikację", "приложение", "додаток", "appen", "sovellus",
    "aplikaci", "alkalmazást", "aplicația", "aplikasi", "uygulamasını",
];
#[rustfmt::skip]
const APP_STORES: &[&str] = &["google", "store", "android", "ios", "iphone", "play", "appstore", "apple", "runter", "herunter"];
/// Words for news, in lowercase.
#[rustfmt::skip]
const NEWS_WORDS: &[&str] = &[
    "news", "headlines", "updates", "stories", "alerts", "coverage", "nachrichten", "neuigkeiten", "meldungen", "actualité", "actualités", "actu", "infos", "informations", "l'actualité", "l’actualité", "l'info", "l’info",
    "noticias", "noticia", "actualidad", "notícias", "notizie", "aggiornamenti", "nieuws", "wiadomości", "informacje", "новости", "новостей", "новини", "новин", "nyheter", "nyheterna", "nyhetene", "nyheder", "uutiset", "uutisia", "zprávy",
    "híreket", "hírek", "știri", "știrile", "νέα", "haber", "haberleri", "gelişmeleri", "berita", "tin",
];
/// Prepositions before the name of a platform, in lowercase.
#[rustfmt::skip]
const PLATFORM_PREPOSITIONS: &[&str] = &[
    "on", "via", "in", "at", "to", "auf", "bei", "über", "per", "sur", "en", "por", "no", "na", "pelo", "su", "op", "w", "в", "у", "на", "på", "i", "pe", "στο", "di", "trên", "facebookissa",
];
/// Words around the names of an outlet and of platforms, in lowercase.
#[rustfmt::skip]
const NAME_FILLERS: &[&str] = &[
    "the", "of", "by", "becoming", "a", "member", "supporter", "on", "at", "and", "or", "our", "us", "der", "die", "das", "dem", "den", "uns", "auf", "bei", "und", "sur", "et", "le", "la", "les", "de", "en", "y", "e",
    "el", "no", "na", "do", "da", "o", "a", "su", "il", "op", "het", "på", "och", "og", "i", "w", "ons", "oss", "os", "kami",
    "channel", "page", "group", "app", "account", "accounts", "profile", "kanal", "kanaal", "canal", "too", "here", "now",
];
/// The first words of a purpose, in lowercase: "for more news".
#[rustfmt::skip]
const PURPOSE_WORDS: &[&str] = &[
    "for", "to", "um", "damit", "für", "pour", "afin", "para", "per", "om", "voor", "för", "så", "чтобы", "щоб", "żeby", "aby", "hogy", "ca", "için", "agar", "untuk",
];
/// The maximum number of words after the name of a platform: "for more news".
const MAX_PURPOSE_WORDS: usize = 8;

/// Returns whether a line is a short invitation that may also be the heading of a section: "Become a member".
pub fn is_short_invitation(line: &str) -> bool {
    INVITATIONS.contains(&trim_signs(&line.to_lowercase()))
}

/// Returns whether a line invites readers to follow, support or subscribe to an outlet.
pub fn is_invitation(line: &str) -> bool {
    let words = line.split_whitespace().count();
    // A headline may ask whether to follow a person.
    if line.len() > MAX_LINE_BYTES
        || line.ends_with('?')
        || words > MAX_SUBSCRIPTION_WORDS
        || line.contains(['"', '“', '„', '«'])
        || has_attribution(&line.to_lowercase())
    {
        return false;
    }
    is_last_imperative(line)
        || is_news_on_platform(&line.to_lowercase())
        || is_app_line(&line.to_lowercase())
        || imperatives(line).any(|part| {
            let lower = part.to_lowercase();
            // "If you enjoyed this article, please share it" is an appeal. "Share it" may be a heading.
            let is_share_appeal = || part.len() < line.len() && is_share_line(part);
            is_subscription(&lower)
                || is_share_appeal()
                || (words <= MAX_INVITATION_WORDS && (is_follow_line(part) || concerns_outlet(&lower)))
        })
}

/// Returns the parts of a line that may start with an imperative: the line, and the text after each clause that leads
/// to an invitation.
fn imperatives(line: &str) -> impl Iterator<Item = &str> {
    let ends_clause = |at: usize| {
        let before = line[..at].trim_end();
        let ends_in_sign = before.ends_with([',', '?', '!', ':', '–', '—', '，', '？', '！']);
        (ends_in_sign || line[at..].starts_with("please ")) && is_lead_in(before)
    };
    let starts = line.char_indices().map(|(at, _)| at).filter(move |at| *at == 0 || ends_clause(*at));
    starts.map(|at| {
        let part = line[at..].trim_start_matches(|c: char| !c.is_alphanumeric() && c != '@');
        let lower = part.to_lowercase();
        let prefix = BEFORE_IMPERATIVE.iter().filter(|prefix| starts_with_words(&lower, prefix));
        prefix
            .max_by_key(|prefix| prefix.len())
            .and_then(|prefix| part.get(prefix.len()..))
            .unwrap_or(part)
            .trim_start()
    })
}

/// Returns whether a clause only leads to an invitation.
fn is_lead_in(clause: &str) -> bool {
    let mut words = words_of(clause);
    words.next().is_some_and(|word| LEAD_IN_WORDS.contains(&word.to_lowercase().as_str()))
        && words.nth(MAX_LEAD_IN_WORDS).is_none()
        && !clause.contains(". ")
}

/// Returns whether the text invites readers to subscribe. A report on a newsletter neither starts with an imperative
/// nor addresses the readers.
fn is_subscription(lower: &str) -> bool {
    let starts = |text: &str| SUBSCRIPTION_STARTS.iter().any(|phrase| starts_with_words(text, phrase));
    let contains = |text: &str, phrases: &[&str]| phrases.iter().any(|phrase| contains_words(text, phrase));
    let has_noun = |text: &str| SUBSCRIPTION_NOUNS.iter().any(|noun| starts_of_words(text, noun).next().is_some());
    let is_heading = || {
        let heading = lower.split_once(':').map_or(lower, |(heading, _)| heading);
        heading.split_whitespace().count() <= MAX_SUBSCRIPTION_HEADING_WORDS
            && has_noun(heading)
            && SUBSCRIPTION_ENDS.iter().any(|end| trim_signs(heading).ends_with(end))
    };
    // Other sentences may precede an invitation in its paragraph.
    let first = lower.split_once(". ").map_or(lower, |(first, _)| first);
    let is_in_first = || starts(first) || (has_noun(first) && contains(first, ADDRESSING_PHRASES));
    let addresses_readers = || contains(lower, SUBSCRIPTION_PHRASES) && contains(lower, ADDRESSING_PHRASES);
    // "The mail ended with the words: Subscribe to our newsletter."
    let is_quoted = || {
        let quoted = lower.split_once(": ").filter(|(before, _)| before.split_whitespace().count() > MAX_TITLE_WORDS);
        quoted.is_some_and(|(_, quoted)| starts(quoted))
    };
    has_noun(lower) && (starts(lower) || is_heading() || (addresses_readers() && is_in_first() && !is_quoted()))
}

/// Returns whether a line ends with an imperative that concerns the outlet, or consists of the words of an invitation
/// without spaces.
fn is_last_imperative(line: &str) -> bool {
    let lower = line.to_lowercase();
    let ends = || LAST_WORDS.iter().any(|words| trim_signs(&lower).ends_with(words));
    let is_own = || words_of(&lower).any(|word| OWN_WORDS.contains(&word));
    (line.len() <= MAX_UNSPACED_BYTES && !lower.is_ascii() && consists_of(&lower, UNSPACED_WORDS))
        || (ends()
            && is_own()
            && !lower.contains(". ")
            && OUTLET_WORDS.iter().any(|word| is_outlet_word_in(&lower, word)))
}

/// Returns whether the text starts with an imperative that concerns the outlet and continues as an invitation.
fn concerns_outlet(lower: &str) -> bool {
    let starts = |text: &str| {
        let follows = |verb: &&str| {
            let object = text.strip_prefix(*verb).filter(|rest| rest.starts_with(' '));
            object.is_some_and(|rest| words_of(rest).take(MAX_OBJECT_WORDS).any(|word| matches!(word, "us" | "our")))
        };
        let follows_own = || {
            FOLLOW_VERBS.iter().any(|verb| starts_with_words(text, verb))
                && words_of(text).any(|word| OWN_WORDS.contains(&word))
        };
        follows_own()
            || INVITATIONS.iter().any(|start| starts_with_words(text, start))
            || IMPERATIVES.iter().any(follows)
    };
    let has_outlet = || OUTLET_WORDS.iter().any(|word| is_outlet_word_in(lower, word));
    // "Support us: donate"
    let is_appeal = || {
        let mut parts = lower.rsplit([':', '.', '!', '–', '—']).filter(|part| !part.trim().is_empty());
        parts.next().is_some_and(|last| last.len() < lower.len() && consists_of_words(last, APPEAL_WORDS))
    };
    // After a comma, a name or another invitation follows: "Follow us on Facebook, X and Mastodon".
    let continues = |part: &str| {
        let part = part.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = words_of(part).next().unwrap_or_default();
        let is_address = || part.split_whitespace().next().is_some_and(|word| word.contains('.') && word.contains('/'));
        part.is_empty()
            || consists_of_words(part, APPEAL_WORDS)
            || OUTLET_WORDS.contains(&first)
            || PURPOSE_WORDS.contains(&first)
            || starts(part)
            || is_address()
    };
    let is_break = |c: char| c.is_whitespace() || "–—".contains(c);
    let ends_clause = |c: char| ",:;.!?–—-".contains(c);
    let continues_as_invitation = || {
        let ends = lower.match_indices(is_break).filter(|(at, _)| lower[..*at].trim_end().ends_with(ends_clause));
        ends.map(|(at, _)| &lower[at..]).all(continues)
    };
    starts(lower)
        && (INVITATIONS.contains(&trim_signs(lower)) || ((has_outlet() || is_appeal()) && continues_as_invitation()))
}

/// Returns whether a line offers news on a platform: "Get all the latest news on Telegram".
fn is_news_on_platform(lower: &str) -> bool {
    const MAX_WORDS: usize = 16;
    let words: Vec<&str> = words_of(lower).collect();
    let is_name = |word: &&str| *word != "news" && is_platform(word) || OUTLET_WORDS.contains(word);
    let Some(platform) = words.iter().position(is_name).filter(|_| words.len() <= MAX_WORDS) else { return false };
    let is_filler = |word: &&str| NAME_FILLERS.contains(word) || APPEAL_WORDS.contains(word) || is_name(word);
    let before = words[..platform].iter().rev().find(|word| !is_filler(word) || PLATFORM_PREPOSITIONS.contains(word));
    words.first().is_some_and(|first| NEWS_VERBS.contains(first))
        && words[..platform].iter().any(|word| NEWS_WORDS.contains(word))
        && before.is_some_and(|word| PLATFORM_PREPOSITIONS.contains(word))
        && words[platform..].iter().all(is_filler)
}

/// Returns whether a line offers an app of the outlet: "Download the Bay Ledger app from Google Play".
fn is_app_line(lower: &str) -> bool {
    const MAX_WORDS: usize = 16;
    let words: Vec<&str> = words_of(lower).collect();
    let Some(app) = words.iter().position(|word| APP_WORDS.contains(word)) else { return false };
    let after = &words[app + 1..];
    let is_purpose = || after.iter().any(|word| NEWS_WORDS.contains(word) || APP_STORES.contains(word));
    words.len() <= MAX_WORDS
        && words.first().is_some_and(|first| APP_VERBS.contains(first))
        && (after.is_empty() || consists_of_words(&after.join(" "), APPEAL_WORDS) || is_purpose())
}

/// Returns whether the text asks readers to share it: "share it with your friends".
fn is_share_line(text: &str) -> bool {
    matches!(button_line(text.trim_end_matches(['.', '!'])), Some(ButtonLine::Action | ButtonLine::ActionOnPlatform))
}

fn is_outlet_word_in(lower: &str, word: &str) -> bool {
    let has_ending = word.len() >= MIN_STEM_BYTES;
    starts_of_words(lower, word).any(|rest| has_ending || !rest.starts_with(char::is_alphanumeric))
}

/// Returns whether the text names a person or an outlet, and platforms: "Follow Harbour Ledger on Facebook and
/// Mastodon".
fn is_follow_line(text: &str) -> bool {
    let lower = text.to_lowercase();
    let names = |verb: &&str| {
        starts_with_words(&lower, verb) && text.get(verb.len()..).is_some_and(consists_of_name_and_platforms)
    };
    FOLLOW_VERBS.iter().any(names)
}

fn consists_of_name_and_platforms(text: &str) -> bool {
    let (mut has_name, mut has_platform) = (false, false);
    for (start, word) in word_indices(text) {
        let lower = word.to_lowercase();
        let is_handle = text[..start].ends_with('@');
        if has_platform && PURPOSE_WORDS.contains(&lower.as_str()) {
            return words_of(&text[start..]).count() <= MAX_PURPOSE_WORDS;
        } else if has_name && !is_handle && (is_platform(&lower) || OUTLET_WORDS.contains(&lower.as_str())) {
            has_platform = true;
        } else if is_handle || (!has_platform && !word.starts_with(char::is_lowercase)) {
            has_name = true;
        } else if !NAME_FILLERS.contains(&lower.as_str()) {
            return false;
        }
    }
    has_platform
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_on_a_newsletter_is_not_an_invitation_to_subscribe() {
        for line in [
            "Subscribe to the harbour newsletter.",
            "All the news of the harbour, delivered to your inbox every morning",
            "Every Friday: our newsletter on boats. Sign up here.",
            "Newsletter abonnieren",
            "The Tide Table: sign up for our weekly newsletter",
            "Suscríbete al boletín del puerto",
            "Enjoyed this? Get our newsletter.",
        ] {
            assert!(is_invitation(line), "{line}");
        }
        for line in [
            "An inbox of the council was the budget of a spy, as the court found on Monday.",
            "The joint newsletter of two chapels ended in May after a quarrel over stamps.",
            "The newsletter that sailors receive at sea was forged on Thursday",
            "Abonnenten des Newsletters klagen gegen den Verlag.",
            "Subscribers receive the newsletter again from Sunday on.",
            "Sign up for the newsletter, the coach told her team",
            "The ferry sails again. Subscribe to our newsletter.",
            "Our advice ended with the words: Sign up for our newsletter",
        ] {
            assert!(!is_invitation(line), "{line}");
        }
    }

    #[test]
    fn sentence_that_starts_like_an_invitation_is_text() {
        for line in [
            "Follow us on Facebook, X and Mastodon.",
            "Support our journalism. Become a member!",
            "Download our app – follow us on X",
            "For more boats, follow us on Mastodon",
            "Want more boats? Click here to join our WhatsApp channel",
            "Follow @bayledger on X",
            "Follow Bay Ledger on Facebook, Mastodon and @bay on Threads",
            "Suivez Le Quai sur Facebook et Instagram",
            "Kövess minket a Facebookon",
            "Bizi Instagram’da takip edin",
            "Unseren WhatsApp-Kanal abonnieren",
            "关注我们的微信公众号",
            "Join us on Telegram: t.me/bay",
            "Sigue las noticias en nuestro canal de WhatsApp",
            "Folgen Sie uns auf Facebook, um nichts zu verpassen",
            "Support Bay Ledger by becoming a member on Patreon",
            "Support our journalism: donate",
            "Unterstützen Sie unseren Journalismus: jetzt spenden",
            "Soutenez notre journalisme : faites un don",
            "Get all the latest news on Telegram",
            "Suivez toute l’actualité du port sur WhatsApp",
            "Читайте новости в Telegram",
            "Download the Bay Ledger app from Google Play",
            "Newsletter bestellen: jeden Morgen das Wichtigste vom Hafen",
            "If you enjoyed this article, please share it",
            "If you found this useful please share it with your friends!",
            "Wenn Ihnen der Artikel gefallen hat, teilen Sie ihn",
        ] {
            assert!(is_invitation(line), "{line}");
        }
        for line in [
            "Follow us on our tour of the old mill, the miller calls",
            "Become a member of the rescue team: the village looks for four climbers",
            "Support our work, the striking drivers asked the town",
            "Share this with your children, the teacher wrote: the ice is thin",
            "Listen to our podcast? No, thought the judge",
            "Subscribe now, a paper urged in 1911, and hundreds did",
            "Follow us on Facebook, the town hall asks",
            "Join us on X: how a film crew left its app behind",
            "Follow the river on foot",
            "Follow the money on Facebook as far as it goes",
            "Follow us on Facebook?",
            "Viele wollen den Kanal bei WhatsApp abonnieren",
            "Like Holm, many users left Facebook and X",
            "Read the latest news on Facebook fines",
            "Follow the news on the ferry",
            "Get the app that counts the seals of the bay",
            "Support our journalism: a bay in three chapters",
            "If you enjoyed the walk, share the map that we drew",
        ] {
            assert!(!is_invitation(line), "{line}");
        }
    }
}
