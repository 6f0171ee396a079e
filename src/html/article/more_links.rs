//! Recognizes what follows an excerpt: "Continue reading", "Read the full story at Harbour Ledger", "Weiterlesen »".
//!
//! Such a line consists of a verb of reading and a word for the rest of the text. The title of the item, the name of
//! the outlet or an arrow may follow. The words of a sentence may not: "Read more books, the minister says".

use super::words::{is_headline, is_outlet_name, letters, trim_signs, word_indices};

/// Verbs of such lines, in lowercase.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "read", "reading", "view", "see", "click", "tap", "weiterlesen", "lesen", "lies", "ansehen", "lire", "lecture", "lisez", "voir", "leer",
    "lee", "lea", "leyendo", "ver", "ler", "leia", "lendo", "veja", "leggi", "leggere", "vedi", "lees", "lezen", "bekijk",
    "czytaj", "przeczytaj", "czytanie", "zobacz", "читать", "читайте", "читати", "läs", "läsa", "les", "læs", "lue", "číst",
    "čtěte", "olvass", "olvasd", "citește", "citiți", "oku", "okuyun", "okumaya", "baca", "membaca", "đọc", "xem",
    "διαβάστε", "اقرأ", "اقرأوا",
];
/// Words for the rest of the text, in lowercase.
#[rustfmt::skip]
const REST_WORDS: &[&str] = &[
    "more", "click", "tap", "full", "whole", "entire", "rest", "complete", "original", "continue", "continued", "keep", "mehr", "weiter", "weiterlesen",
    "ganzen", "vollständigen", "vollständig", "kompletten", "komplett", "gesamten", "plus", "suite", "continuer",
    "continuez", "poursuivre", "complet", "intégral", "intégralité", "entier", "más", "completo", "completa", "entero",
    "seguir", "sigue", "siga", "continuar", "continúa", "mais", "íntegra", "continua", "tutto", "più", "intero", "meer",
    "verder", "volledige", "hele", "więcej", "dalej", "cały", "całość", "pełny", "далее", "дальше", "ещё", "полностью",
    "продолжить", "далі", "більше", "повністю", "mer", "mera", "vidare", "hela", "mere", "videre", "hele", "lisää", "více",
    "dál", "celý", "tovább", "mult", "continuare", "devamını", "tamamını", "devam", "selengkapnya", "lengkap", "tiếp",
    "thêm", "περισσότερα", "المزيد",
];
/// Other words of such lines, in lowercase.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "the", "this", "of", "a", "to", "here", "story", "article", "post", "entry", "news", "item", "text", "report",
    "den", "der", "die", "das", "diesen", "artikel", "beitrag", "hier", "sie", "zum", "im", "for", "la", "le", "l'article",
    "l’article", "cet", "ici", "de", "dans", "el", "este", "artículo", "noticia", "nota", "entrada", "aquí", 
    "o", "artigo", "matéria", "notícia", "aqui", "l'articolo", "l’articolo", "articolo", "notizia", "qui", "a",
    "il", "het", "bericht", "dit", "artykuł", "tutaj", "статью", "полный", "здесь", "hele", "artikeln", "här",
    "artikkelen", "saken", "her", "článek", "articolul", "haberin", "yazının", "et", "edin", "bài", "عن",
];
/// Lines without such a verb, in lowercase.
#[rustfmt::skip]
const WHOLE_LINES: &[&str] = &[
    "full story", "full article", "read on", "zum artikel", "zum ganzen artikel",
    "zum vollständigen artikel", "zum beitrag", "en savoir plus", "lire la suite", "saiba mais", "continua", "verder lezen",
    "lees verder", "читать далее", "devamı", "阅读全文", "继续阅读", "阅读更多", "閱讀全文", "繼續閱讀", "查看全文",
    "続きを読む", "もっと読む", "記事全文を読む", "더 보기", "더 읽기", "계속 읽기", "전문 보기", "อ่านต่อ", "อ่านเพิ่มเติม", "और पढ़ें",
    "और पढ़ें", "קרא עוד", "להמשך קריאה",
];
/// Lines that are such a link only as the text of a link or after a truncated text, in lowercase.
const AMBIGUOUS_LINES: &[&str] =
    &["more", "mehr", "plus", "suite", "más", "mais", "continue", "weiter", "more info", "details"];
/// Prepositions between such words and the name of an outlet, in lowercase.
const PREPOSITIONS: &[&str] = &[
    "on", "at", "in", "from", "via", "auf", "bei", "sur", "en", "su", "op", "bij", "på", "na", "w", "no", "em", "di",
    "на", "в",
];
/// Words before the URL of the text, in lowercase.
#[rustfmt::skip]
const ADDRESS_LABELS: &[&str] = &[
    "link", "source", "via", "url", "details", "info", "web", "quelle", "fuente", "fonte", "bron", "źródło", "источник",
    "подробнее", "källa", "kilde", "lähde", "zdroj", "forrás", "sursa", "kaynak", "sumber", "nguồn", "來源", "来源", "出典", "出处",
];

/// The maximum number of words of such a link, including a title.
const MAX_LINK_WORDS: usize = 25;
/// The maximum number of words that an arrow may follow.
const MAX_ARROW_WORDS: usize = 12;
/// The end of a text in which such a line is looked for.
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
        || (text.split_whitespace().count() <= MAX_LINK_WORDS
            && (rest_of_more_line(text).is_some() || WHOLE_LINES.iter().any(starts_like)))
}

/// Returns whether a line without a link refers to the complete text of an excerpt. `title` is the title of the item.
pub fn is_more_line(line: &str, title: Option<&str>) -> bool {
    let trimmed = trim_signs(line);
    if WHOLE_LINES.contains(&trimmed.to_lowercase().as_str()) {
        return true;
    }
    let words = line.split_whitespace().count();
    let has_arrow = words <= MAX_ARROW_WORDS && line.trim_end().ends_with(['»', '›', '→', '>', '▸', '⟶', '➜']);
    let Some(rest) = rest_of_more_line(line).filter(|_| words <= MAX_LINK_WORDS) else { return false };
    let announces = rest.starts_with([':', '：']) && is_headline(rest);
    has_arrow
        || announces
        || trim_signs(rest).is_empty()
        || is_quoted(rest)
        || names_title(rest, title)
        || names_outlet(rest)
}

/// Returns whether a text is a label before the URL of the complete text: "Read more", "Source".
pub fn is_address_label(text: &str) -> bool {
    let lower = trim_signs(text).to_lowercase();
    ADDRESS_LABELS.contains(&lower.as_str()) || AMBIGUOUS_LINES.contains(&lower.as_str()) || is_more_line(text, None)
}

/// Returns whether a line refers to the complete text if a truncated text precedes it: "More".
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

/// Returns the text after the words that refer to the rest of a text; `None` if the line does not start with them.
fn rest_of_more_line(line: &str) -> Option<&str> {
    let (mut has_verb, mut has_rest_word, mut end) = (false, false, 0);
    for (start, word) in word_indices(line) {
        let lower = word.to_lowercase();
        let (is_verb, is_rest_word) = (VERBS.contains(&lower.as_str()), REST_WORDS.contains(&lower.as_str()));
        let is_separated = end > 0 && line[end..start].contains(|c: char| !c.is_whitespace());
        if is_separated || !(is_verb || is_rest_word || FILLERS.contains(&lower.as_str())) {
            break;
        }
        (has_verb, has_rest_word) = (has_verb || is_verb, has_rest_word || is_rest_word);
        end = start + word.len();
    }
    (has_verb && has_rest_word).then(|| &line[end..])
}

fn is_quoted(text: &str) -> bool {
    let quoted = text.trim_matches(|c: char| c.is_whitespace() || ":.»›→>".contains(c));
    let starts = quoted.starts_with(['“', '"', '„', '‘', '\'', '”']);
    starts && quoted.chars().nth(1).is_some() && quoted.ends_with(['”', '"', '“', '’', '\''])
        || text.trim_start().starts_with('«') && text.contains('»')
}

/// Returns whether a text is the title of the item or the start of that title.
fn names_title(text: &str, title: Option<&str>) -> bool {
    let (text, title) = (letters(text), letters(title.unwrap_or_default()));
    !text.is_empty() && !title.is_empty() && (title.starts_with(&text) || text.starts_with(&title))
}

/// Returns whether a text is the name of an outlet after a preposition.
fn names_outlet(text: &str) -> bool {
    let Some((preposition, name)) = text.trim_start().split_once(char::is_whitespace) else { return false };
    PREPOSITIONS.contains(&preposition.to_lowercase().as_str()) && is_outlet_name(name)
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
    fn truncated_text_is_cut_also_before_a_link() {
        for text in ["The seals…", "The seals [...]", "The seals… More", "The seals […] Continue reading →"] {
            assert!(is_cut(text), "{text}");
        }
        for text in ["The seals", "The seals… and the pier", "Read more"] {
            assert!(!is_cut(text), "{text}");
        }
    }
}
