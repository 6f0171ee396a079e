//! Recognizes the line that a program adds to the text of a feed: "The post Seals are back appeared first on Bay
//! Ledger."
//!
//! Such a line contains the title of the item and, in the language of the site, the words "appeared first on".

use super::words::{has_attribution, is_outlet_name, search_for_any, starts_with_words, trim_signs, word_indices};
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// The words between the title and the name of the outlet in a syndication line, in lowercase.
#[rustfmt::skip]
const FIRST_PUBLICATION: &[&str] = &[
    "appeared first on", "appeared first at", "appeared first in", "first appeared on", "first appeared at",
    "first appeared in", "originally appeared on", "first published on", "published first on", "originally published on",
    "erschien zuerst auf", "erschien zuerst bei", "erschien zuerst in", "erscheint zuerst auf",
    "est apparu en premier sur", "est apparue en premier sur", "apparaît en premier sur", "a été publié en premier sur",
    "aparece primero en", "apareció primero en", "se publicó primero en", "se publicó por primera vez en",
    "apareció por primera vez en", "ha aparegut primer a", "sembra essere il primo su", "proviene da", "è apparso prima su",
    "è apparso per la prima volta su", "apareceu primeiro em", "apareceu primeiro no", "apareceu primeiro na",
    "aparece primeiro em", "aparece primeiro no", "aparece primeiro na", "apareceu pela primeira vez em",
    "verscheen eerst op", "verscheen als eerste op", "verschijnt eerst op", "pochodzi z serwisu", "pojawił się najpierw",
    "pojawił się po raz pierwszy", "появились сначала на", "появилась сначала на", "впервые появилась на", "впервые появился на",
    "спершу з’явиться на", "спершу з'явиться на", "вперше з’явилась на", "вперше з'явилась на",
    "dök först upp på", "dök upp först på", "publicerades först på", "dukket først opp på", "dukket opp først på",
    "ble først publisert på", "dukkede først op på", "dukkede op først på", "blev først udgivet på", "ilmestyi ensin",
    "julkaistiin ensin", "julkaistiin ensimmäisen kerran", "pochází z", "se nejdříve objevil na", "se objevil nejdříve na", "bejegyzés először",
    "cikk először", "először itt jelent meg", "apare prima dată în", "a apărut prima dată în", "a apărut mai întâi pe",
    "εμφανίστηκε πρώτα στο", "εμφανίστηκε πρώτα στη", "ilk önce", "ilk olarak", "pertama kali tampil pada", "pertama kali tampil di", "pertama kali muncul di",
    "muncul pertama kali di", "xuất hiện đầu tiên trên", "xuất hiện đầu tiên tại", "xuất hiện đầu tiên vào ngày", "ظهرت أولاً", "ظهر أولاً", "أولاً على", "הופיע לראשונה", "最初に表示", "最初に掲載", "最初に登場",
    "最先出现", "最早出现", "首先出现", "最先出現", "最早出現", "首先出現", "最早發佈", "最早发布", "처음 등장", "먼저 등장", "ปรากฏครั้งแรก",
];
/// The automaton that searches for all phrases of [`FIRST_PUBLICATION`] in one pass.
static ANY_FIRST_PUBLICATION: LazyLock<AhoCorasick> = LazyLock::new(|| search_for_any(FIRST_PUBLICATION));
/// The first words of a syndication line. A title follows.
#[rustfmt::skip]
const ITEM_WORDS: &[&str] = &[
    "The post ", "The article ", "The story ", "The entry ", "The content ", "This post ", "This article ", "This story ",
    "Der Beitrag ", "Der Artikel ", "L’article ", "L'article ", "Cet article ", "La entrada ", "El artículo ", "La noticia ",
    "L’entrada ", "L'entrada ", "O post ", "O artigo ", "O conteúdo ", "A notícia ", "L’articolo ", "L'articolo ",
    "Het bericht ", "Het artikel ", "Artykuł ", "Wpis ", "Сообщение ", "Запись ", "Статья ", "Запис ", "Стаття ",
    "Inlägget ", "Artikeln ", "Innlegget ", "Artikkelen ", "Indlægget ", "Artiklen ", "Artikkeli ", "Příspěvek ", "Článek ",
    "Articolul ", "Το άρθρο ", "Artikel ", "Bài viết ", "المقالة ", "投稿", "文章", "記事",
];

/// The first words of a note about an earlier publication, in lowercase.
#[rustfmt::skip]
const THIS_ITEM: &[&str] = &[
    "this article", "this story", "this post", "this piece", "this essay", "this text", "this report", "this column", "this interview",
    "the article", "the story", "the post", "the piece", "the essay", "the original article", "a version of this article",
    "a version of this story", "an earlier version of this article", "dieser artikel", "dieser beitrag", "dieser text",
    "der artikel", "der beitrag", "der text", "cet article", "ce texte", "ce billet", "cette tribune", "l'article", "l’article",
    "este artículo", "esta noticia", "este texto", "el artículo", "este artigo", "esta matéria", "esta reportagem", "o artigo",
    "questo articolo", "questo testo", "l'articolo", "l’articolo", "dit artikel", "dit bericht", "dit verhaal", "ten artykuł", "ten tekst",
    "artykuł", "эта статья", "этот материал", "статья", "ця стаття", "den här artikeln", "artikeln", "denne artikkelen", "denne artiklen",
    "tämä artikkeli", "tento článek", "článek", "acest articol", "bu yazı", "bu haber", "artikel ini",
];
/// Words between [`THIS_ITEM`] and the participle, in lowercase.
#[rustfmt::skip]
const NOTE_FILLERS: &[&str] = &[
    "was", "is", "has", "been", "also", "and", "originally", "first", "previously", "initially", "wurde", "ist", "zuerst", "zunächst",
    "ursprünglich", "a", "été", "est", "d'abord", "d’abord", "initialement", "initialment", "originellement", "fue", "ha", "sido", "se", "originalmente", "primero",
    "primeramente", "foi", "è", "stato", "originariamente", "inizialmente", "prima", "werd", "verscheen", "eerder", "eerst", "oorspronkelijk", "został", "pierwotnie",
    "była", "был", "было", "впервые", "первоначально", "вперше", "först", "ursprungligen", "har", "publicerats", "się", "ble", "først", "opprinnelig", "blev", "oprindeligt",
    "byl", "původně", "julkaistu", "a", "fost", "inițial", "ilk", "olarak",
];
/// Participles and verbs of a note about an earlier publication, in lowercase.
#[rustfmt::skip]
const PUBLISHED: &[&str] = &[
    "appeared", "appears", "published", "republished", "posted", "reposted", "reprinted", "syndicated", "printed", "crossposted", "cross-posted", "produced",
    "erschienen", "erschien", "veröffentlicht", "publiziert", "übernommen", "publié", "publiée", "paru", "parue", "republié", "publicado", "publicada", "apareció",
    "publicó", "republicado", "republicada", "pubblicato", "pubblicata", "apparso", "apparsa", "gepubliceerd", "verschenen", "verscheen", "overgenomen", "opublikowany", "ukazał",
    "опубликована", "опубликован", "опубліковано", "опублікована", "publicerades", "publicerad", "publisert", "publiceret", "udgivet", "julkaistu",
    "vyšel", "publikován", "publicat", "yayımlandı", "diterbitkan",
];
/// Prepositions before the name of the outlet, in lowercase.
#[rustfmt::skip]
const NOTE_PREPOSITIONS: &[&str] = &[
    "on", "in", "by", "at", "from", "with", "auf", "bei", "in", "im", "von", "sur", "dans", "par", "chez", "en", "por", "em", "no", "na", "pelo", "pela", "su",
    "da", "dal", "dalla", "nel", "op", "door", "bij", "van", "w", "przez", "się", "в", "на", "у", "i", "på", "av", "af", "v", "na", "pe", "de", "di", "oleh",
];
/// Articles before the name of an outlet, in lowercase.
const ARTICLES: &[&str] =
    &["the", "der", "die", "das", "dem", "le", "la", "les", "el", "il", "lo", "o", "a", "de", "het"];
/// The text after the name of an outlet, in lowercase.
const AFTER_OUTLET: &[&str] = &[
    " and is ",
    " and was ",
    " and has ",
    " under ",
    " with ",
    " as part ",
    " on ",
    " in ",
    " unter ",
    " sous ",
    " bajo ",
    " am ",
    " le ",
    " el ",
];
const MAX_NOTE_WORDS: usize = 40;

/// The maximum number of bytes before and after the title in a syndication line.
const MAX_BYTES_BEFORE_TITLE: usize = 40;
const MAX_BYTES_AFTER_TITLE: usize = 160;
const MAX_LINE_BYTES: usize = 1_000;
/// The maximum number of words of the outlet's name if the name is a link.
const MAX_LINKED_OUTLET_WORDS: usize = 10;

/// The words and links around a line.
#[derive(Clone, Copy, Default)]
pub struct LineContext<'a> {
    /// The title of the item.
    pub title: Option<&'a str>,
    /// The text of a link at the end of the line.
    pub last_link: Option<&'a str>,
    /// Whether most of the line is inside links.
    pub is_mostly_linked: bool,
}

/// Returns whether a line states where the item was first published.
pub fn is_syndication_line(line: &str, context: LineContext<'_>) -> bool {
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    if line.len() > MAX_LINE_BYTES {
        return false;
    }
    // Most lines contain none of the phrases, so they need no further checks.
    if !ANY_FIRST_PUBLICATION.is_match(line) {
        return false;
    }
    let Some((before, outlet)) = FIRST_PUBLICATION.iter().find_map(|words| line.rsplit_once(words)) else {
        return false;
    };
    // "The post office" does not contain a title.
    let names_item = ITEM_WORDS.iter().any(|words| {
        let rest = before.strip_prefix(words).map(str::trim);
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(char::is_lowercase))
    });
    let is_linked = is_linked(outlet, context.last_link);
    (names_item && (is_linked || is_outlet_name(outlet)))
        || (is_linked && context.is_mostly_linked)
        || frames_title(line, context.title, outlet)
}

/// Returns whether a line is a note about an earlier publication: "This article originally appeared in Bay Ledger".
pub fn is_publication_note(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    if line.len() > MAX_LINE_BYTES || line.split_whitespace().count() > MAX_NOTE_WORDS {
        return false;
    }
    let lower = line.to_lowercase();
    let item =
        THIS_ITEM.iter().filter(|item| starts_with_words(&lower, item)).map(|item| item.split(' ').count()).max();
    let mut words = word_indices(line).map(|(at, word)| (at, word.to_lowercase())).skip(item.unwrap_or(0)).peekable();
    let mut fillers = 0;
    while words.next_if(|(_, word)| NOTE_FILLERS.contains(&word.as_str())).is_some() {
        fillers += 1;
    }
    let is_published = words.next_if(|(_, word)| PUBLISHED.contains(&word.as_str())).is_some();
    while words.next_if(|(_, word)| NOTE_FILLERS.contains(&word.as_str())).is_some() {}
    let follows_preposition = words.next_if(|(_, word)| NOTE_PREPOSITIONS.contains(&word.as_str())).is_some();
    while words.next_if(|(_, word)| ARTICLES.contains(&word.as_str())).is_some() {}
    // "Published in Bay Ledger" may also be the start of a sentence.
    let is_note = item.is_some() || fillers > 0 || lower.starts_with("re");
    let Some((at, _)) = words.next().filter(|_| is_note && is_published && follows_preposition) else { return false };
    let rest = &line[at..];
    let end = rest.find([',', ';', '(', '!']).into_iter().chain(rest.find(". "));
    let end = end.chain(AFTER_OUTLET.iter().filter_map(|after| rest.find(after))).min().unwrap_or(rest.len());
    let outlet = &rest[..end];
    is_outlet_name(outlet) && !outlet.starts_with(|c: char| c.is_ascii_digit()) && !has_attribution(&lower)
}

/// Returns whether a line consists of the title and a few words. In some languages, the name of the outlet precedes the
/// words for the first publication, or other words follow it.
fn frames_title(line: &str, title: Option<&str>, outlet: &str) -> bool {
    // The kinds of quotation marks may differ.
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let title = letters(title.unwrap_or_default());
    let is_name = |word: &str| !trim_signs(word).starts_with(char::is_lowercase);
    !title.is_empty()
        && (is_outlet_name(outlet) || outlet.split_whitespace().take(2).any(is_name) || trim_signs(outlet).is_empty())
        && letters(line).split_once(&title).is_some_and(|(before, after)| {
            before.len() <= MAX_BYTES_BEFORE_TITLE && after.len() <= MAX_BYTES_AFTER_TITLE
        })
}

fn is_linked(outlet: &str, link: Option<&str>) -> bool {
    let name = trim_signs(outlet);
    link.is_some_and(|link| trim_signs(link) == name) && name.split_whitespace().count() <= MAX_LINKED_OUTLET_WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: LineContext<'_> =
        LineContext { title: Some("“Seals are back”"), last_link: None, is_mostly_linked: false };

    #[test]
    fn line_names_the_item_and_an_outlet() {
        for line in [
            "The post Robben! Again? appeared first on News of the Bay.",
            "The article “Robben” first appeared on bay.example",
            "La entrada Vuelven aparece primero en Diario de la Bahía.",
            "Seals are back appeared first on Bay Ledger.",
            "Seals are back yazısı ilk önce Bay Ledger üzerinde ortaya çıktı.",
            "A(z) Seals are back bejegyzés először Bay Ledger-n jelent meg.",
            "投稿 Seals are back は Bay Ledger に最初に表示されました。",
            "《Seals are back》最先出现在Bay Ledger。",
        ] {
            assert!(is_syndication_line(line, CONTEXT), "{line}");
        }
        for line in [
            "The post Parliament created appeared first on a list of savings",
            "The post Parliament created appeared first on Monday's list",
            "The post Parliament created appeared first on A List That Nobody In Town Read",
            "The post office appeared first on Bay Ledger.",
            "The plague appeared first on Bay Island.",
            "Seals are back, and the plague appeared first on a ship.",
        ] {
            assert!(!is_syndication_line(line, CONTEXT), "{line}");
        }
    }

    #[test]
    fn note_about_an_earlier_publication_names_an_outlet() {
        for line in [
            "This article originally appeared on Bay Ledger",
            "This story was first published by the Bay Ledger on 3 May 2026 and is republished with permission.",
            "This article is republished from Bay Ledger under a Creative Commons license. Read the original article.",
            "Originally published in Bay Ledger.",
            "Dieser Beitrag erschien zuerst auf hafen.example.",
            "Cet article a été publié initialement sur Le Quai",
            "Este artículo se publicó originalmente en El Muelle.",
        ] {
            assert!(is_publication_note(line), "{line}");
        }
        for line in [
            "This article was published in 1912 and caused a quarrel.",
            "This article was published by people who never saw the bay.",
            "This story appeared on Bay Ledger, the mayor said.",
            "The article of the law was published in Latin first",
            "Published in Bay Ledger for years, the column ended on Monday.",
        ] {
            assert!(!is_publication_note(line), "{line}");
        }
    }

    #[test]
    fn linked_outlet_may_have_any_name() {
        let line = "The post Seals are back appeared first on the bay.";
        let with_link = |link| LineContext { last_link: Some(link), ..LineContext::default() };
        assert!(is_syndication_line(line, with_link("the bay")));
        assert!(!is_syndication_line(line, with_link("bay")));
        let line = "Robben sind da appeared first on Bay Ledger";
        assert!(is_syndication_line(line, LineContext { is_mostly_linked: true, ..with_link("Bay Ledger") }));
        assert!(!is_syndication_line(line, with_link("Bay Ledger")));
    }
}
