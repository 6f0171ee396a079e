//! Recognizes the lines that follow an excerpt: "Continue reading", "Read the full story at Harbour Ledger",
//! "Weiterlesen »".
//!
//! Such a line consists of a verb such as "read" and a word for the rest of the text. The title of the item, the name
//! of the outlet or an arrow may follow. The words of a sentence may not follow: "Read more books, the minister says".

use super::words::{consists_of, is_headline, is_outlet_name, letters, trim_signs, word_indices, words_of};

/// Verbs of lines that refer to the rest of the text, in lowercase.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "read", "reading", "learn", "find", "discover", "view", "see", "click", "tap", "weiterlesen", "lesen", "lies", "ansehen", "lire", "lecture", "lisez", "voir", "leer",
    "lee", "lea", "leyendo", "ver", "ler", "leia", "lendo", "veja", "leggi", "leggere", "vedi", "lees", "lezen", "bekijk",
    "czytaj", "przeczytaj", "czytanie", "zobacz", "читать", "читайте", "читати", "läs", "läsa", "les", "læs", "lue", "číst",
    "čtěte", "olvass", "olvasd", "olvasom", "citește", "citiți", "oku", "okuyun", "okumaya", "baca", "membaca", "đọc", "xem",
    "διαβάστε", "اقرأ", "اقرأوا", "přečtěte", "přečíst", "přečti", "číst", "zobrazit", "zjistěte", "pokračovat", "čítajte", "prečítajte", "čítať", "čítaj", "pročitajte", "čitaj", "čitajte", "preberite",
    "beri", "прочетете", "прочети", "читай", "прочитать", "узнать", "дізнатися", "докладніше", "loe", "lasi", "lasīt", "skaityti", "skaitykite", "lestu", "lesa", "llegeix", "llegir", "irakurri",
    "bekijken", "kijk", "elolvasom", "olvasás", "citiți", "afla", "vezi", "devam", "gör", "katso", "vaata", "continuer", "découvrez", "découvrir", "entdecken", "erfahren", "descubre", "conoce", "conheça", "scopri", "ontdek", "dowiedz", "ادامه", "بیشتر",
];
/// Words for the rest of the text, in lowercase.
#[rustfmt::skip]
const REST_WORDS: &[&str] = &[
    "more", "click", "tap", "full", "whole", "entire", "rest", "complete", "original", "all", "continue", "continued", "keep", "mehr", "weiter", "weiterlesen",
    "ganzen", "vollständigen", "vollständig", "kompletten", "komplett", "gesamten", "plus", "suite", "continuer",
    "continuez", "poursuivre", "complet", "intégral", "intégralité", "l'intégralité", "l’intégralité", "entier", "más", "completo", "completa", "entero",
    "seguir", "sigue", "siga", "continuar", "continúa", "mais", "íntegra", "continua", "tutto", "più", "intero", "meer",
    "verder", "volledige", "hele", "więcej", "dalej", "cały", "całość", "pełny", "далее", "дальше", "ещё", "полностью",
    "продолжить", "далі", "більше", "повністю", "mer", "mera", "vidare", "hela", "mere", "videre", "hele", "lisää", "více",
    "dál", "celý", "tovább", "mult", "continuare", "devamını", "tamamını", "devam", "selengkapnya", "lengkap", "tiếp",
    "thêm", "περισσότερα", "المزيد", "viac", "ďalej", "celé", "celou", "pokračování", "pokračovat", "više", "dalje", "nastavak", "još", "več", "naprej", "още", "повече", "цялата", "edasi", "rohkem", "vairāk", "tālāk",
    "daugiau", "toliau", "meira", "áfram", "més", "seguir", "gehiago", "tutta", "cijeli", "całego", "całą", "pełną", "полную", "подробнее", "подробности", "детальніше", "koko", "juttu", "teljes", "tovább", "întreg", "bunu", "مطلب", "بخوانید",
];
/// Other words of lines that refer to the rest of the text, in lowercase.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "the", "this", "of", "a", "to", "it", "out", "our", "website", "site", "here", "story", "article", "post", "entry", "news", "item", "text", "report",
    "den", "der", "die", "das", "diesen", "artikel", "beitrag", "hier", "es", "dazu", "sie", "zum", "unserer", "webseite", "notre", "nuestra", "nosso", "nostro", "onze", "im", "for", "la", "le", "l'article",
    "l’article", "cet", "ici", "de", "dans", "el", "este", "artículo", "noticia", "nota", "entrada", "aquí",
    "o", "artigo", "matéria", "notícia", "aqui", "l'articolo", "l’articolo", "articolo", "notizia", "qui", "a",
    "il", "het", "bericht", "dit", "artykuł", "tutaj", "статью", "полный", "здесь", "hele", "artikeln", "här",
    "si", "webu", "článku", "tu", "tady", "članak", "ovdje", "članek", "tukaj", "статията", "тук", "статтю", "тут", "lehel", "šeit", "čia", "hér", "fréttina", "ara", "l'article", "cikket", "itt", "cikk", "aici", "haberi",
    "artikkelen", "artiklen", "saken", "her", "článek", "zde", "mai", "articolul", "stronie", "сайте", "сайті", "haberin", "yazının", "et", "edin", "bài", "عن",
];
/// Complete lines that refer to the rest of the text without one of the [`VERBS`], in lowercase.
#[rustfmt::skip]
const WHOLE_LINES: &[&str] = &[
    "full story", "full article", "read on", "zum artikel", "hier geht es zum artikel", "hier geht es zum ganzen artikel", "hier geht’s zum artikel", "zum ganzen artikel",
    "zum vollständigen artikel", "zum beitrag", "en savoir plus", "lire la suite", "saiba mais", "continua", "verder lezen",
    "lees verder", "читать далее", "devamı", "อ่านต่อ", "อ่านเพิ่มเติม", "और पढ़ें", "קרא עוד", "להמשך קריאה",
];
/// Words of lines that refer to the rest of the text, in languages that are written without spaces.
#[rustfmt::skip]
const UNSPACED_WORDS: &[&str] = &[
    "阅读", "閱讀", "查看", "点击", "點擊", "点此", "继续", "繼續", "全文", "原文", "更多", "详情", "完整", "文章", "这里", "続き", "を", "は", "読む", "見る",
    "記事", "の", "もっと", "詳しく", "こちら", "더", "계속", "기사", "전문", "보기", "읽기", "자세히", "알아보기",
];
/// Lines that refer to the complete text only if they are the text of a link or follow truncated text, in lowercase.
const AMBIGUOUS_LINES: &[&str] =
    &["more", "mehr", "plus", "suite", "más", "mais", "continue", "weiter", "more info", "details"];
/// Prepositions between words for the rest of the text and the name of an outlet, in lowercase.
const PREPOSITIONS: &[&str] = &[
    "on", "at", "in", "from", "via", "auf", "bei", "sur", "en", "su", "op", "bij", "på", "na", "w", "no", "em", "di",
    "v", "ve", "u", "на", "в", "about", "zu", "über", "sobre", "over", "om", "o", "о",
];
/// Words for "also", in lowercase.
#[rustfmt::skip]
const ALSO_WORDS: &[&str] = &[
    "also", "too", "auch", "aussi", "également", "también", "además", "anche", "também", "ook", "też", "także", "również", "также", "ещё", "також", "också", "även", "også",
    "myös", "také", "taky", "tiež", "și", "şi", "επίσης", "ayrıca", "juga", "cũng", "takođe", "također", "tudi", "još", "още", "arī", "taip", "pat", "lika", "einnig", "també",
];
/// Words before the URL of the text, in lowercase.
#[rustfmt::skip]
const ADDRESS_LABELS: &[&str] = &[
    "link", "source", "via", "url", "details", "info", "web", "quelle", "fuente", "fonte", "bron", "źródło", "источник",
    "подробнее", "källa", "kilde", "lähde", "zdroj", "forrás", "sursa", "kaynak", "sumber", "nguồn", "來源", "来源", "出典", "出处",
];

/// The maximum number of words of a link to the rest of the text, including a title.
const MAX_LINK_WORDS: usize = 25;
/// The maximum number of words that an arrow may follow.
const MAX_ARROW_WORDS: usize = 12;
/// The number of bytes at the end of the text that are searched for a line that refers to the rest of the text.
const MAX_MORE_BYTES: usize = 200;

/// Returns whether the text of a link refers to the complete text of an excerpt.
pub fn is_more_link(text: &str) -> bool {
    let lower = text.to_lowercase();
    let trimmed = trim_signs(&lower);
    // A title may follow: "Continue reading Seals are back".
    let is_followed = |rest: &str| rest.is_empty() || rest.starts_with(|c: char| !c.is_alphanumeric());
    let starts_like = |line: &&str| line.contains(' ') && trimmed.strip_prefix(*line).is_some_and(is_followed);
    AMBIGUOUS_LINES.contains(&trimmed)
        || WHOLE_LINES.contains(&trimmed)
        || consists_of(trimmed, UNSPACED_WORDS)
        || (text.split_whitespace().count() <= MAX_LINK_WORDS
            && (rest_of_more_line(text).is_some() || WHOLE_LINES.iter().any(starts_like)))
}

/// Returns whether a line without a link refers to the complete text of an excerpt. `title` is the title of the item.
pub fn is_more_line(line: &str, title: Option<&str>) -> bool {
    if WHOLE_LINES.contains(&trim_signs(line).to_lowercase().as_str()) || consists_of(line, UNSPACED_WORDS) {
        return true;
    }
    let words = line.split_whitespace().count();
    let has_arrow = words <= MAX_ARROW_WORDS && line.trim_end().ends_with(['»', '›', '→', '>', '▸', '⟶', '➜']);
    let Some(rest) = rest_of_more_line(line).filter(|_| words <= MAX_LINK_WORDS) else {
        return has_arrow && is_more_after_cut(line);
    };
    let after_preposition = text_after_preposition(rest);
    let announces = rest.starts_with([':', '：']) && is_headline(rest);
    has_arrow
        || announces
        || trim_signs(rest).is_empty()
        || is_quoted(after_preposition)
        || names_title(after_preposition, title)
        || names_outlet(rest)
}

/// Returns whether a label in lowercase suggests another text: "Read also", "Přečtěte si také".
pub fn is_read_also(label: &str) -> bool {
    const MAX_WORDS: usize = 5;
    let is_one_of = |known: &[&str]| words_of(label).any(|word| known.contains(&word));
    let is_known = |word: &str| [VERBS, FILLERS, ALSO_WORDS].iter().any(|known| known.contains(&word));
    words_of(label).nth(MAX_WORDS).is_none()
        && is_one_of(ALSO_WORDS)
        && is_one_of(VERBS)
        && words_of(label).all(is_known)
}

/// Returns whether a line is a label before the URL of the complete text: "Read more", "Source".
pub fn is_address_label(text: &str) -> bool {
    let text = text.trim_end_matches([':', '：']);
    // "More at https://…"
    let without_preposition =
        text.rsplit_once(' ').filter(|(_, word)| PREPOSITIONS.contains(word)).map(|(label, _)| label);
    let text = without_preposition.unwrap_or(text);
    let lower = trim_signs(text).to_lowercase();
    ADDRESS_LABELS.contains(&lower.as_str()) || AMBIGUOUS_LINES.contains(&lower.as_str()) || is_more_line(text, None)
}

/// Returns whether a line refers to the complete text if truncated text precedes it: "More".
pub fn is_more_after_cut(line: &str) -> bool {
    AMBIGUOUS_LINES.contains(&trim_signs(line).to_lowercase().as_str())
}

/// Returns whether the text ends like a truncated excerpt ("…", "...", "[…]"), possibly followed by "Read more".
pub fn is_cut(text: &str) -> bool {
    let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(MAX_MORE_BYTES))..];
    let after = ["…", "...", ". . ."].iter().filter_map(|sign| Some(&tail[tail.rfind(sign)? + sign.len()..]));
    after.min_by_key(|rest| rest.len()).is_some_and(|rest| {
        let is_empty = rest.chars().all(|c| c.is_whitespace() || "])>›»→".contains(c));
        is_empty || is_more_line(rest, None) || is_more_after_cut(rest)
    })
}

/// Returns the rest of the line after the words that refer to the complete text; `None` if the line does not start with
/// such words.
fn rest_of_more_line(line: &str) -> Option<&str> {
    let (mut has_verb, mut has_rest_word, mut end, mut last_end) = (false, false, 0, 0);
    for (start, word) in word_indices(line) {
        let lower = word.to_lowercase();
        let is_one_of = |words: &[&str]| words.contains(&lower.as_str());
        let (is_verb, is_rest_word) = (is_one_of(VERBS), is_one_of(REST_WORDS));
        let is_separated = last_end > 0 && line[last_end..start].contains(|c: char| !c.is_whitespace());
        let is_word = is_verb || is_rest_word || is_one_of(FILLERS);
        let starts_name = last_end > end && word.starts_with(char::is_uppercase);
        if is_separated || starts_name || !(is_word || is_one_of(PREPOSITIONS)) {
            break;
        }
        last_end = start + word.len();
        // The name of an outlet may follow a preposition.
        if is_word {
            (has_verb, has_rest_word, end) = (has_verb || is_verb, has_rest_word || is_rest_word, last_end);
        }
    }
    (has_verb && has_rest_word).then(|| &line[end..])
}

fn is_quoted(text: &str) -> bool {
    let quoted = text.trim_matches(|c: char| c.is_whitespace() || ":.»›→>".contains(c));
    let starts = quoted.starts_with(['“', '"', '„', '‘', '\'', '”']);
    starts && quoted.chars().nth(1).is_some() && quoted.ends_with(['”', '"', '“', '’', '\''])
        || text.trim_start().starts_with('«') && text.contains('»')
}

/// Returns whether the text is the title of the item or the start of that title.
fn names_title(text: &str, title: Option<&str>) -> bool {
    let (text, title) = (letters(text), letters(title.unwrap_or_default()));
    !text.is_empty() && !title.is_empty() && (title.starts_with(&text) || text.starts_with(&title))
}

/// Returns whether the text is the name of an outlet after a preposition.
fn names_outlet(text: &str) -> bool {
    let name = text_after_preposition(text);
    name.len() < text.len() && is_outlet_name(name)
}

/// Returns the text without a preposition at its start.
fn text_after_preposition(text: &str) -> &str {
    let first = text.trim_start().split_once(char::is_whitespace);
    first.filter(|(word, _)| PREPOSITIONS.contains(&word.to_lowercase().as_str())).map_or(text, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_that_continues_with_the_words_of_a_sentence_is_text() {
        let title = Some("Seals are back in the bay");
        for line in [
            "Keep reading →",
            "View Entire Post ›",
            "Continue reading “Seals sleep on the pier”",
            "Continue reading Seals are back in…",
            "[Read the full story at Bay Ledger]",
            "Vollständigen Artikel hier lesen",
            "Lire l’article complet sur Le Quai",
            "Continue reading: How seals sleep",
            "Seguir leyendo en quai.example",
            "Lire l’article en entier",
            "Lees meer over “Robben”",
            "Read it all",
            "Leer la noticia completa en El Muelle",
            "Read more on our website.",
            "阅读全文",
            "기사 전문 보기",
            "More »",
            "Читать далее »",
        ] {
            assert!(is_more_line(line, title), "{line}");
        }
        for line in [
            "Read more books, the teacher says",
            "Continue reading aloud to the seals",
            "A.M. on the bay",
            "Read the whole bay like a map",
            "Seguir leyendo en voz alta ayuda",
            "See more than forty seals",
            "More",
        ] {
            assert!(!is_more_line(line, title), "{line}");
        }
    }

    #[test]
    fn truncated_text_before_a_link_is_recognized() {
        for text in ["The seals…", "The seals [...]", "The seals… More", "The seals […] Continue reading →"] {
            assert!(is_cut(text), "{text}");
        }
        for text in ["The seals", "The seals… and the pier", "Read more"] {
            assert!(!is_cut(text), "{text}");
        }
    }
}
