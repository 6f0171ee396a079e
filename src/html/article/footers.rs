//! Recognizes lines that publishing systems add before or after the text: categories and tags, copyright, markers of
//! advertisements, notices about scripts, and notes of newsletter services.
//!
//! A line is recognized if it consists of such words, or starts with them and is short. A line that reports a statement
//! is text.

use super::words::{
    consists_of_words, contains_words, has_attribution, search_for_any, starts_with_words, trim_signs, words_of,
};
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// Labels of lists of categories, in lowercase.
#[rustfmt::skip]
const CATEGORY_LABELS: &[&str] = &[
    "filed under", "filed in", "posted in", "posted under", "published in", "categorized as", "category", "categories",
    "topic", "topics", "kategorie", "kategorien", "rubrik", "ressort", "abgelegt unter",
    "veröffentlicht in", "veröffentlicht unter", "thema", "themen", "catégorie", "catégories", "rubrique", "classé dans",
    "classé sous", "publié dans", "sujets", "thèmes", "categoría", "categorías", "archivado en", "publicado en", "temas",
    "categoria", "categorias", "arquivado em", "publicado em", "assuntos", "categorie", "archiviato in", "pubblicato in",
    "argomenti", "categorieën", "geplaatst in", "onderwerpen", "kategoria", "opublikowano w", "рубрика", "рубрики",
    "категория", "категории", "темы", "категорія", "kategori", "kategorier", "publicerat i", "ämnen", "emner", "kategoriat",
    "aiheet", "rubrika", "rubriky", "zařazeno v", "témata", "kategória", "kategóriák", "categorii", "κατηγορία",
    "κατηγορίες", "kategoriler", "カテゴリー", "カテゴリ", "分类", "分類", "카테고리", "التصنيف", "التصنيفات",
];
/// Labels of lists of tags, in lowercase.
#[rustfmt::skip]
const TAG_LABELS: &[&str] = &[
    "tags", "tag", "tagged", "tagged with", "tagged as", "hashtags", "hashtag", "keywords", "schlagwörter", "schlagworte", "schlagwort",
    "stichwörter", "stichworte", "verschlagwortet mit", "mots-clés", "mots clés", "étiquettes", "étiqueté", "marqué", "etiquetas", "etiquetado",
    "palabras clave", "palavras-chave", "marcado", "etichette", "parole chiave", "trefwoorden", "getagd", "tagi", "słowa kluczowe", "otagowano", "теги",
    "метки", "ключевые слова", "мітки", "taggar", "etiketter", "nyckelord", "nøkkelord", "avainsanat", "asiasanat", "štítky",
    "tagy", "klíčová slova", "címkék", "etichete", "ετικέτες", "etiketler", "タグ", "标签", "標籤", "태그", "từ khóa", "الوسوم", "وسوم", "תגיות",
];
/// Words between the links of lists of categories and tags, in lowercase.
#[rustfmt::skip]
const LIST_WORDS: &[&str] = &[
    "posted", "filed", "published", "tagged", "tags", "in", "under", "with", "as", "and", "und", "et", "y", "e", "en", "i", "и",
    "och", "og", "ja", "a",
];
/// The maximum number of words of a name in a list, and of the whole list.
const MAX_NAME_WORDS: usize = 4;
const MAX_LIST_WORDS: usize = 40;

/// Finds any phrase that reserves rights.
static ANY_RIGHTS: LazyLock<AhoCorasick> = LazyLock::new(|| search_for_any(RIGHTS));
/// Phrases that reserve rights, in lowercase.
#[rustfmt::skip]
const RIGHTS: &[&str] = &[
    "all rights reserved", "some rights reserved", "alle rechte vorbehalten", "tous droits réservés",
    "todos los derechos reservados", "todos os direitos reservados", "tutti i diritti riservati", "riproduzione riservata",
    "alle rechten voorbehouden", "wszelkie prawa zastrzeżone", "все права защищены", "усі права захищені",
    "med ensamrätt", "alla rättigheter förbehållna", "alle rettigheter reservert", "alle rettigheder forbeholdes",
    "kaikki oikeudet pidätetään", "všechna práva vyhrazena", "minden jog fenntartva", "toate drepturile rezervate",
    "tüm hakları saklıdır", "hak cipta dilindungi", "版权所有", "版權所有", "無断転載", "무단 전재", "未经许可", "جميع الحقوق محفوظة",
    "not be published, broadcast, rewritten", "reproduction interdite", "prohibida su reproducción",
    "prohibida la reproducción", "proibida a reprodução", "vervielfältigung nur mit",
];
/// The starts of a line of copyright, in lowercase.
const COPYRIGHT_STARTS: &[&str] = &["©", "(c)", "copyright", "copyrights", "℗", "ⓒ", "저작권자"];
const MAX_COPYRIGHT_WORDS: usize = 30;
const MAX_PLAIN_COPYRIGHT_WORDS: usize = 12;

/// Words for advertisements, in lowercase.
#[rustfmt::skip]
const AD_WORDS: &[&str] = &[
    "advertisement", "advertisements", "advertising", "ad", "ads", "advert", "sponsor", "sponsored", "anzeige", "werbung", "annonces",
    "publicité", "pub", "publicidad", "anuncio", "anuncios", "publicidade", "anúncio", "pubblicità", "annuncio", "advertentie",
    "reclame", "reklama", "reklamy", "reklamą", "reklamie", "reklamou", "reklamě", "реклама", "рекламы", "реклами", "annons", "annonsen", "annonce",
    "annoncen", "annonse", "mainos", "mainoksen", "reklám", "reklame", "reklamen", "publicitate", "publicității", "διαφήμιση", "reklam", "reklamın", "reklamdan", "iklan", "إعلان",
];
/// Words that state where the text continues, in lowercase.
#[rustfmt::skip]
const CONTINUATION_WORDS: &[&str] = &[
    "continue", "continues", "continued", "scroll", "below", "reading", "fortgesetzt", "weiter", "weiterlesen", "weitere", "suite",
    "continue", "continuer", "continúa", "continua", "sigue", "prosegue", "verder", "dalej", "ciąg", "dalszy", "продолжение", "продолжается",
    "продовження", "fortsätter", "fortsetter", "fortsætter", "jatkuu", "pokračování", "pokračuje", "folytatódik", "continuă",
    "συνεχίζεται", "devam", "devamı", "ediyor", "berlanjut", "lanjutkan",
];
#[rustfmt::skip]
const AD_FILLERS: &[&str] = &[
    "after", "to", "the", "this", "for", "story", "article", "text", "content", "read", "more", "and", "your", "with", "our", "down", "post", "page", "is",
    "nach", "der", "dem", "unter", "unterhalb", "hier", "wird", "geht", "es", "artikel", "text", "lesen", "sie", "nächster", "abschnitt",
    "la", "le", "l'article", "l’article", "lire", "après", "cette", "de", "du", "se", "sous", "votre", "lecture", "continue",
    "después", "tras", "el", "artículo", "nota", "noticia", "leyendo", "debajo", "abajo", "luego", "a", "o", "após", "depois", "da", "matéria", "notícia", "texto",
    "leia", "abaixo", "dopo", "l'articolo", "l’articolo", "articolo", "il", "sotto", "leggi", "lettura", "gaat", "na", "het", "onder", "lees", "leest", "tekst",
    "czytaj", "pod", "tekstu", "artykułu", "poniżej", "po", "читайте", "после", "ниже", "статья", "статьи", "статті", "після", "efter", "etter", "under",
    "artikeln", "artikkelen", "artiklen", "saken", "juttu", "jälkeen", "článku", "článek", "textu", "cikk", "a", "után", "articolul", "după", "μετά", "τη", "το", "άρθρο",
    "haberin", "reklamdan", "sonra", "artikel", "setelah", "di", "bawah",
];
const MAX_AD_WORDS: usize = 12;
/// The words of lines that separate text from an advertisement, in languages that are written without spaces.
#[rustfmt::skip]
const UNSPACED_AD_WORDS: &[&str] = &[
    "広告", "の", "後に", "記事", "が", "続きます", "続く", "以下", "スクロール", "して", "を", "読む", "广告", "之后", "继续", "阅读", "文章", "廣告", "之後", "繼續", "閱讀", "以下", "本文", "광고", "아래", "기사", "계속",
];

/// Finds any word for a browser.
static ANY_BROWSER: LazyLock<AhoCorasick> = LazyLock::new(|| search_for_any(BROWSERS));
/// Words for browsers, in lowercase.
#[rustfmt::skip]
const BROWSERS: &[&str] = &[
    "browser", "navigateur", "navegador", "przeglądarka", "браузер", "webbläsare", "nettleser", "selain", "prohlížeč",
    "böngésző", "tarayıcı", "peramban", "ブラウザ", "浏览器", "瀏覽器", "브라우저",
];
/// Phrases about features that a browser does not support, in lowercase.
#[rustfmt::skip]
const MISSING_SUPPORT: &[&str] = &[
    "not support", "doesn't support", "doesn’t support", "unterstützt", "ne supporte", "ne prend pas en charge", "no soporta",
    "no admite", "no es compatible", "não suporta", "non supporta", "ondersteunt", "nie obsługuje", "не поддерживает",
    "не підтримує", "stöder inte", "støtter ikke", "ei tue", "nepodporuje", "nem támogatja", "nu suportă", "desteklemiyor",
    "tidak mendukung", "サポートしていません", "不支持", "不支援", "지원하지",
];
/// Words of notices that ask readers to enable scripts, in lowercase.
#[rustfmt::skip]
const ENABLING: &[&str] = &[
    "enable", "enabled", "activate", "turn on", "turned on", "requires", "require", "needed", "disabled", "aktivieren",
    "aktiviert", "einschalten", "benötigt", "erforderlich", "activer", "activez", "activé", "activar", "active", "activa", "habilite",
    "habilita", "ativar", "ative", "attiva", "attivare", "abilita", "inschakelen", "schakel", "włącz", "włączyć", "включите",
    "включить", "увімкніть", "aktivera", "aktiver", "povolte", "zapněte", "engedélyezze", "activați", "etkinleştirin", "aktifkan",
    "有効にして", "启用", "啟用", "활성화",
];
/// The first words of notices about scripts, in lowercase.
#[rustfmt::skip]
const NOTICE_STARTS: &[&str] = &[
    "please", "enable", "you", "your", "this", "to", "sorry", "javascript", "activate", "turn", "we", "it", "bitte", "aktivieren",
    "um", "ihr", "dein", "dieser", "dieses", "diese", "leider", "sie", "für", "veuillez", "activez", "votre", "ton", "pour", "ce", "cette", "désolé", "vous", "por", "active",
    "activa", "habilite", "habilita", "su", "tu", "este", "esta", "para", "lo", "seu", "o", "você", "per", "abilita", "attiva", "il", "questo", "schakel",
    "je", "uw", "deze", "dit", "włącz", "twoja", "aby", "proszę", "включите", "для", "ваш", "чтобы", "пожалуйста", "увімкніть", "aktivera", "din", "aktiver", "povolte", "váš",
    "zapněte", "pro", "az", "kérjük", "activați", "tarayıcınız", "lütfen", "browser", "silakan", "お使いの", "您的", "请", "請", "이",
];
const MAX_NOTICE_WORDS: usize = 25;

/// Words for reading and words for minutes, in lowercase.
#[rustfmt::skip]
const READING_WORDS: &[&str] = &[
    "read", "reading", "time", "lesezeit", "lecture", "temps", "de", "lectura", "tiempo", "leitura", "tempo", "di", "lettura", "leestijd", "czas", "czytania",
    "чтения", "время", "читання", "час", "lästid", "lesetid", "læsetid", "lukuaika", "čtení", "doba", "olvasás", "citire", "timp", "okuma", "süresi", "baca", "estimated",
];
const MINUTE_WORDS: &[&str] = &[
    "min",
    "mins",
    "minute",
    "minutes",
    "minuten",
    "minuto",
    "minutos",
    "minuti",
    "minuut",
    "minuty",
    "minut",
    "minuter",
    "minutter",
    "мин",
    "минуты",
    "минут",
    "хв",
    "хвилин",
    "minuuttia",
    "perc",
    "dakika",
    "menit",
    "dk",
];
/// The starts of questions to the readers, and the requests that follow, in lowercase.
#[rustfmt::skip]
const MAIL_QUESTIONS: &[&str] = &[
    "do you have a", "do you have any", "do you know", "have a", "have you", "got a", "got any", "know something", "haben sie", "hast du", "avez-vous", "vous avez", "tiene", "tienes", "¿tiene", "¿tienes",
    "você tem", "tem uma", "hai una", "heb je", "heeft u", "masz", "у вас есть", "знаете", "har du",
];
#[rustfmt::skip]
const MAIL_REQUESTS: &[&str] = &[
    "email us", "e-mail us", "contact us", "write to us", "get in touch", "schreiben sie uns", "schreib uns", "écrivez-nous", "contactez-nous", "escríbanos", "escríbenos", "escreva para", "scrivici",
    "mail ons", "napisz do nas", "напишите нам", "mejla oss", "tips oss",
];
/// The starts of lines of publishing systems, in lowercase, with the maximum number of words of the line.
#[rustfmt::skip]
const SYSTEM_LINES: &[(&str, usize)] = &[
    ("thanks for reading", 25), ("thank you for reading", 25), ("subscribe for free to receive", 25), ("danke fürs lesen", 10), ("merci de m'avoir lu", 10),
    ("merci de votre lecture", 10), ("gracias por leer", 12), ("obrigado por ler", 12), ("grazie per aver letto", 12),
    ("bedankt voor het lezen", 12), ("this post is for paid subscribers", 12), ("this post is for paying subscribers", 12),
    ("this post is public so feel free to share it", 10), ("upgrade to paid", 5), ("give a gift subscription", 5),
    ("get more from", 12), ("to receive new posts and support my work", 25), ("log in or register to", 10),
    ("log in to post comments", 6), ("login to post comments", 6), ("sign in to comment", 6), ("view the discussion thread", 5),
    ("our standards: the thomson reuters", 9), ("this post contains affiliate links", 30), ("this article contains affiliate links", 30),
    ("this post may contain affiliate links", 30), ("this article may contain affiliate links", 30),
    ("already a subscriber", 8), ("already have an account", 8), ("to continue reading", 15), ("to keep reading", 15), ("scroll to continue", 6),
    ("let us know in the comments", 10), ("what do you think? let us know", 14), ("found a typo", 14), ("spotted a typo", 14), ("spotted an error", 14),
    ("found a mistake", 14), ("fehler gefunden", 12), ("haben sie einen fehler", 14), ("нашли ошибку", 14), ("знайшли помилку", 14),
    ("post views", 5), ("submitted by", 4), ("eingereicht von", 4), ("original article source", 20), ("powered by wpematico", 4),
];
/// Phrases of lines that publishing systems add, in lowercase.
const SYSTEM_PHRASES: &[&str] = &["powered by disqus", "is a reader-supported publication", "in the substack app"];
const MAX_SYSTEM_PHRASE_WORDS: usize = 35;

/// Returns whether a line is never text, regardless of its position.
pub fn is_footer(line: &str) -> bool {
    let lower = line.to_lowercase();
    let words = lower.split_whitespace().count();
    if words > MAX_LIST_WORDS {
        return false;
    }
    reserves_rights(&lower, words)
        || is_ad_marker(&lower, words)
        || (words <= MAX_NOTICE_WORDS && is_script_notice(&lower))
        || is_system_line(&lower, words)
        || is_reading_time(&lower, words)
        || asks_for_mail(&lower, words)
}

/// Returns whether a line is a footer if no text follows it: a list of tags, or a copyright notice.
pub fn is_last_footer(line: &str) -> bool {
    let lower = line.to_lowercase();
    let words = lower.split_whitespace().count();
    is_plain_copyright(&lower, words) || (words <= MAX_LIST_WORDS && is_list_of_tags(&lower))
}

/// Returns whether the unlinked text of a block is the label of a list of categories or tags.
pub fn labels_list(unlinked: &str) -> bool {
    let lower = unlinked.to_lowercase();
    let label = trim_signs(&lower);
    let label =
        label.split(|c: char| c != '-' && !c.is_alphanumeric() && !c.is_whitespace()).next().unwrap_or(label).trim();
    let rest = || lower.split_once(label).map_or("", |(_, rest)| rest);
    (is_list_label(label) && words_of(rest()).all(|word| LIST_WORDS.contains(&word) || is_list_label(word)))
        || (consists_of_words(&lower, LIST_WORDS) && words_of(&lower).next().is_some_and(|word| word.len() > 3))
}

/// Returns whether a line is the heading of a list of tags.
pub fn is_tags_heading(trimmed: &str) -> bool {
    // Some labels may also be headings: "Tag" is German for "day".
    let is_ambiguous = matches!(trimmed, "tag" | "marqué" | "marcado" | "getagd");
    TAG_LABELS.contains(&trimmed) && !is_ambiguous || matches!(trimmed, "filed under" | "posted in" | "abgelegt unter")
}

fn is_list_label(label: &str) -> bool {
    TAG_LABELS.contains(&label) || CATEGORY_LABELS.contains(&label)
}

/// Returns whether a line in lowercase is a label with names: "Tags: seals, bay".
fn is_list_of_tags(lower: &str) -> bool {
    let Some((label, names)) = lower.split_once([':', '：']) else { return false };
    let label = trim_signs(label);
    let is_name = |name: &str| (1..=MAX_NAME_WORDS).contains(&words_of(name).count());
    let mut names =
        names.split([',', '、', '，', ';', '|', '·', '•', '/', '#']).filter(|name| !name.trim().is_empty()).peekable();
    let is_label = TAG_LABELS.contains(&label) || (CATEGORY_LABELS.contains(&label) && label.contains(' '));
    is_label && names.peek().is_some() && names.all(is_name) && !lower.ends_with('.')
}

fn reserves_rights(lower: &str, words: usize) -> bool {
    if !ANY_RIGHTS.is_match(lower) {
        return false;
    }
    let Some(at) = RIGHTS.iter().find_map(|phrase| lower.find(phrase)) else { return false };
    let is_notice =
        trim_signs(&lower[..at]).is_empty() || COPYRIGHT_STARTS.iter().any(|start| lower.starts_with(start));
    words <= MAX_COPYRIGHT_WORDS && is_notice && !has_attribution(lower)
}

/// Returns whether a line in lowercase states only the year and the owner of the copyright: "© 2026 Bay Ledger".
/// Without a year, the line may be the credit of a photo.
fn is_plain_copyright(lower: &str, words: usize) -> bool {
    let has_year = || {
        words_of(lower)
            .find(|word| *word != "copyright")
            .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    };
    words <= MAX_PLAIN_COPYRIGHT_WORDS
        && COPYRIGHT_STARTS.iter().any(|start| starts_with_words(lower, start))
        && has_year()
        && !has_attribution(lower)
}

fn is_ad_marker(lower: &str, words: usize) -> bool {
    let contains = |known: &[&str]| words_of(lower).any(|word| known.contains(&word));
    let is_known = |word: &str| [AD_WORDS, CONTINUATION_WORDS, AD_FILLERS].iter().any(|known| known.contains(&word));
    let is_unspaced = || ["広告", "广告", "廣告", "광고"].iter().any(|ad| lower.contains(ad));
    (2..=MAX_AD_WORDS).contains(&words)
        && contains(AD_WORDS)
        && contains(CONTINUATION_WORDS)
        && words_of(lower).all(is_known)
        || !lower.is_ascii() && is_unspaced() && super::words::consists_of(lower, UNSPACED_AD_WORDS)
}

fn is_script_notice(lower: &str) -> bool {
    let contains = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    let starts_like = || {
        NOTICE_STARTS.iter().any(|start| {
            let rest = trim_signs(lower).strip_prefix(start);
            rest.is_some_and(|rest| !start.is_ascii() || !rest.starts_with(char::is_alphanumeric))
        })
    };
    let is_about_scripts = || {
        lower.contains("javascript")
            && ENABLING.iter().any(|word| contains_words(lower, word) || !word.is_ascii() && lower.contains(word))
    };
    let is_about_browser = || ANY_BROWSER.is_match(lower) && contains(MISSING_SUPPORT);
    starts_like() && (is_about_scripts() || is_about_browser()) && !has_attribution(lower)
}

/// Returns whether a line in lowercase estimates the time that reading takes: "3 min read".
fn is_reading_time(lower: &str, words: usize) -> bool {
    const MAX_WORDS: usize = 6;
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = |word: &str| is_number(word) || READING_WORDS.contains(&word) || MINUTE_WORDS.contains(&word);
    let contains = |is_one: &dyn Fn(&str) -> bool| words_of(lower).any(is_one);
    words <= MAX_WORDS
        && contains(&is_number)
        && contains(&|word| READING_WORDS.contains(&word))
        && contains(&|word| MINUTE_WORDS.contains(&word))
        && words_of(lower).all(is_known)
}

/// Returns whether a line in lowercase asks the readers for information: "Got a story? Email news@bay.example".
fn asks_for_mail(lower: &str, words: usize) -> bool {
    const MAX_WORDS: usize = 30;
    let asks = MAIL_QUESTIONS.iter().any(|start| starts_with_words(lower, start));
    let has_address = || lower.contains('@') || MAIL_REQUESTS.iter().any(|request| contains_words(lower, request));
    words <= MAX_WORDS && asks && has_address() && !has_attribution(lower)
}

fn is_system_line(lower: &str, words: usize) -> bool {
    let trimmed = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    SYSTEM_LINES.iter().any(|(start, max)| words <= *max && starts_with_words(trimmed, start))
        || (words <= MAX_SYSTEM_PHRASE_WORDS
            && SYSTEM_PHRASES.iter().filter_map(|phrase| lower.find(phrase)).any(|at| !lower[..at].contains(". ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footer_consists_of_known_words() {
        for line in [
            "ADVERTISEMENT – CONTINUE READING BELOW",
            "Story continues below advertisement",
            "Nach der Anzeige geht es weiter",
            "La suite après cette publicité",
            "Continúa después de la publicidad",
            "Artikel gaat verder na de advertentie",
            "© 2026 Bay Ledger. All rights reserved.",
            "Copyright 2026 The Bay Press. This material may not be published, broadcast, rewritten or redistributed.",
            "Alle Rechte vorbehalten.",
            "Please enable JavaScript to view the comments powered by Disqus.",
            "Bitte aktivieren Sie JavaScript, um die Kommentare zu sehen.",
            "Your browser does not support the video tag.",
            "Votre navigateur ne supporte pas la vidéo HTML5.",
            "Thanks for reading Bay Letters!",
            "Log in or register to post comments",
            "3 min read",
            "Temps de lecture : 4 minutes",
            "Got a story? Email news@bay.example.",
        ] {
            assert!(is_footer(line), "{line}");
        }
        for line in [
            "Advertising continues to fall in the bay",
            "The court found that all rights reserved to the town were sold.",
            "Users of the app should enable JavaScript, said the maker.",
            "The browser does not support old pages, its maker wrote.",
            "The new law requires JavaScript on no page",
            "Reading takes time: 3 chapters",
            "Have you seen the seals of the bay?",
            "Anzeige erstattet: Robben gestohlen",
            "Get more from your garden in the autumn, and the other seven rules of the town's oldest gardener",
        ] {
            assert!(!is_footer(line), "{line}");
        }
    }

    #[test]
    fn list_of_tags_has_a_label_and_short_names() {
        for line in ["Tags: seals, Grey Bay", "Schlagwörter: Robben", "Filed under: News | Bay", "© 2026 Bay Ledger"]
        {
            assert!(is_last_footer(line), "{line}");
        }
        for line in [
            "Topics: the budget, the schools and a bridge that nobody wants",
            "Tags: they cost ten crowns each, and the town sells them on Sundays.",
            "© Bay Ledger",
            "© BL The May 2022 ruling on the pier",
        ] {
            assert!(!is_last_footer(line), "{line}");
        }
        for unlinked in ["Filed under: , ", "Tags:", "Posted in , | Tagged", "Schlagwörter: und", "カテゴリー："]
        {
            assert!(labels_list(unlinked), "{unlinked}");
        }
        for unlinked in ["Source:", "The seals are in", "Photos: and", "and"] {
            assert!(!labels_list(unlinked), "{unlinked}");
        }
    }
}
