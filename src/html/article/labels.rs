//! Recognizes lines that start clutter: headings of teaser boxes, comment forms, author boxes, and invitations.
//!
//! The module classifies one line at a time, in the languages that grouping supports and a few more. [`super::clutter`]
//! classifies the lines that follow.

use super::footers::{is_footer, is_tags_heading, labels_list};
use super::invitations::{is_invitation, is_short_invitation};
use super::more_links::{is_more_after_cut, is_more_line, is_more_link, is_read_also};
use super::syndication_line::{LineContext, is_publication_note, is_syndication_line};
use super::words::{is_headline, search_for_any, trim_signs, words_of};
use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// The kind of clutter that a line introduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Headlines of other articles follow.
    Teasers,
    /// A comment form follows, and the article does not continue after it.
    Comments,
    /// Comments or a comment form may follow, or the line is a button.
    CommentCount,
    /// A few lines about the author follow.
    Author,
    /// Only the line itself is clutter, unless it is the heading of a section: "Become a member".
    Invitation,
    /// Only the line itself is clutter: a teaser that includes its label, or an invitation to subscribe.
    Line,
}

/// Headings of boxes with headlines of other articles, in lowercase.
#[rustfmt::skip]
const TEASER_HEADINGS: &[&str] = &[
    "related", "related articles", "related stories", "related content", "related topics", "related news",
    "related coverage", "related posts", "related reading", "related links", "read more", "read next", "read also",
    "read this next", "also read", "see also", "more stories", "more on this story", "more on this", "more news",
    "more from", "more headlines", "more like this", "icymi", "recommended", "recommended for you",
    "recommended stories", "recommended reading", "recommended articles", "don't miss", "don’t miss", "dont miss",
    "don't miss these", "don't miss out", "trending", "trending now", "trending stories", "most read", "most popular",
    "most viewed", "popular now", "popular stories", "popular posts", "popular articles", "top stories", "top news",
    "latest news", "latest stories", "latest articles", "latest posts", "latest", "recent posts", "recent articles",
    "recent stories", "up next", "next up", "what to read next", "in other news", "keep reading", "editor's picks",
    "editors' picks", "editor’s picks", "editors’ picks", "from our partners", "around the web", "from around the web",
    "sponsored content", "promoted stories", "featured stories", "featured articles", "other stories", "elsewhere",
    "in case you missed it", "must read", "must reads", "similar articles", "similar stories", "suggested for you",
    "previous article", "next article", "previous post", "next post", "similar posts", "our picks", "top picks",
    "lesen sie auch", "lesen sie mehr", "mehr zum thema", "zum thema", "mehr dazu", "mehr lesen", "lies auch",
    "das könnte ihnen auch gefallen", "das könnte dir auch gefallen", "das könnte sie auch interessieren", "das könnte dich auch interessieren", "auch interessant", "weiterlesen",
    "meistgelesen", "meistgelesene artikel", "ähnliche artikel", "verwandte artikel", "verwandte themen",
    "weitere artikel", "weitere meldungen", "weitere nachrichten", "aktuelle nachrichten", "empfohlene artikel",
    "nicht verpassen", "beliebte artikel", "passend dazu", "à lire aussi", "lire aussi", "à lire également",
    "sur le même sujet", "dans la même rubrique", "les plus lus", "articles similaires", "articles liés",
    "articles connexes", "articles recommandés", "à découvrir", "à ne pas manquer", "ne manquez pas",
    "vous aimerez aussi", "vous aimerez peut-être", "vous avez peut-être manqué", "cela pourrait vous intéresser", "vous pourriez aussi aimer", "ceci pourrait aussi vous intéresser", "lire la suite",
    "lea también", "lee también", "lea además", "lea más", "te puede interesar", "le puede interesar",
    "te puede gustar", "también te puede interesar", "quizás te interese", "más leídas", "lo más leído", "más noticias",
    "noticias relacionadas", "artículos relacionados", "contenido relacionado", "no te pierdas", "quizás te perdiste", "por si te lo perdiste", "también te puede gustar", "no se pierda",
    "últimas noticias", "recomendados", "leia também", "leia mais", "veja também", "saiba mais", "mais lidas",
    "notícias relacionadas", "artigos relacionados", "matérias relacionadas", "não perca", "você pode gostar", "você pode ter perdido",
    "você também pode gostar", "últimas notícias", "recomendado para você", "leggi anche", "potrebbe interessarti",
    "ti potrebbe interessare", "potrebbe interessarti anche", "potrebbe piacerti anche", "forse ti sei perso", "articoli correlati", "articoli simili",
    "notizie correlate", "i più letti", "da non perdere", "non perdere", "ultime notizie", "lees ook", "lees verder",
    "meer over", "meer nieuws", "meest gelezen", "gerelateerde artikelen", "gerelateerd", "aanbevolen", "mis niets",
    "mis dit niet", "ook interessant", "misschien gemist", "czytaj też", "czytaj także", "czytaj więcej", "zobacz też", "zobacz także",
    "przeczytaj także", "przeczytaj też", "podobne artykuły", "powiązane artykuły", "najczęściej czytane", "polecane",
    "nie przegap", "może cię zainteresować", "читайте также", "по теме", "смотрите также", "похожие статьи", "похожие новости", "самое читаемое",
    "популярное", "не пропустите", "рекомендуем", "другие новости", "материалы по теме", "читайте ещё", "читайте далее", "вам может быть интересно", "возможно, вы пропустили", "вам также может понравиться",
    "читайте також", "популярне", "схожі статті", "не пропустіть", "läs också", "läs även", "läs mer", "mest läst",
    "relaterade artiklar", "missa inte", "du kanske missade", "les også", "læs også", "mest lest", "mest læste", "relaterte artikler",
    "relaterede artikler", "lue myös", "luetuimmat", "čtěte také", "mohlo by vás zajímat", "související články",
    "nejčtenější", "olvasta már", "kapcsolódó cikkek", "ajánljuk", "citește și", "citeşte şi", "articole similare",
    "διαβάστε επίσης", "διαβάστε ακόμη", "σχετικά άρθρα", "ilgili haberler", "bunları da okuyun", "çok okunanlar",
    "bunlar da ilginizi çekebilir", "ilginizi çekebilir", "baca juga", "artikel terkait", "berita terkait", "terpopuler", "اقرأ أيضا",
    "اقرأ أيضاً", "مواضيع ذات صلة", "相关阅读", "相关新闻", "相关文章", "推荐阅读", "热门文章", "延伸阅读", "猜你喜欢", "你可能错过", "您可能错过",
    "相關新聞", "延伸閱讀", "推薦閱讀", "関連記事", "関連ニュース", "あわせて読みたい", "おすすめ記事", "人気記事",
    "関連 기사", "관련 기사", "관련기사", "많이 본 뉴스", "추천 기사",
];

/// Prefixes of headings of teaser boxes. The name of a section or of the site follows.
#[rustfmt::skip]
const TEASER_HEADING_STARTS: &[&str] = &[
    "more from ", "more in ", "more on ", "more about ", "top stories in ", "latest from ", "latest in ", "related to ",
    "read more about ", "read more on ", "most read in ", "most popular in ", "trending in ", "trending on ", "also in ",
    "also on ", "mehr aus ", "mehr von ", "mehr zu ", "plus de ", "más de ", "más en ", "mais de ", "altro da ",
    "meer van ", "meer uit ", "więcej z ", "ещё из ",
];
const MAX_HEADING_WORDS: usize = 7;
/// Words before and after "you may" in headings of teaser boxes.
const SUGGESTED_ITEMS: &[&str] = &["what", "stories", "articles", "news", "posts", "more", "other", "things"];
const SUGGESTION_WORDS: &[&str] = &[
    "also",
    "have",
    "be",
    "like",
    "enjoy",
    "love",
    "missed",
    "interested",
    "in",
    "want",
    "to",
    "read",
    "find",
    "interesting",
];

/// First lines of comment forms and lists of comments, in lowercase.
#[rustfmt::skip]
const COMMENT_HEADINGS: &[&str] = &[
    "leave a comment", "leave a reply", "leave your comment", "leave your reply", "leave a response", "post a comment",
    "post your comment", "add a comment", "add your comment", "add comment", "add new comment", "neuen kommentar hinzufügen", "neuen kommentar schreiben", "añadir nuevo comentario", "adicionar novo comentário", "nieuwe reactie toevoegen", "dodaj nowy komentarz", "lägg till ny kommentar", "legg til ny kommentar", "tilføj ny kommentar", "pridať komentár", "write a comment", "submit a comment",
    "comment on this article", "comment on this story", "no comments",
    "no comments yet", "be the first to comment", "comments are closed", "reader comments", "cancel reply",
    "your comment", "leave a comment cancel reply", "leave a reply cancel reply", "view comments",
    "show comments", "schreiben sie einen kommentar", "schreibe einen kommentar", "kommentar schreiben",
    "kommentar verfassen", "kommentar hinterlassen", "hinterlasse einen kommentar", "ihr kommentar",
    "diskutieren sie mit", "laisser un commentaire", "laissez un commentaire", "ajouter un commentaire",
    "poster un commentaire", "écrire un commentaire", "votre commentaire", "réagir", "deja un comentario",
    "dejar un comentario", "deje un comentario", "dejar una respuesta", "deja una respuesta", "añadir comentario",
    "escribe un comentario", "deixe um comentário", "deixe seu comentário", "deixe uma resposta",
    "adicionar comentário", "comente", "lascia un commento", "lascia una risposta",
    "aggiungi un commento", "scrivi un commento", "laat een reactie achter", "plaats een reactie",
    "geef een reactie", "reageer", "dodaj komentarz", "zostaw komentarz", "skomentuj",
    "оставить комментарий", "оставьте комментарий", "добавить комментарий", "написать комментарий",
    "ваш комментарий", "залишити коментар", "додати коментар", "lämna en kommentar",
    "skriv en kommentar", "kommentera", "legg igjen en kommentar", "skriv kommentar", "jätä kommentti",
    "přidat komentář", "napsat komentář", "szólj hozzá", "hozzászólás írása",
    "lasă un comentariu", "adaugă un comentariu", "αφήστε ένα σχόλιο", "yorum yap", "bir yorum yazın",
    "tinggalkan komentar", "tinggalkan balasan", "اترك تعليقا", "اترك تعليقاً", "发表评论", "发表回复",
    "留言", "發表評論", "コメントを残す", "コメントする", "댓글 남기기",
];

/// Words for "comments", with or without a count, in lowercase.
#[rustfmt::skip]
const COMMENT_WORDS: &[&str] = &[
    "join the conversation", "join the discussion", "join the debate", "have your say", "tell us what you think",
    "what do you think", "share your thoughts", "comment", "comments", "reply", "replies", "responses", "kommentare", "kommentar", "commentaires", "comentarios",
    "comentários", "commenti", "reacties", "komentarze", "комментарии", "комментариев", "коментарі", "kommentarer",
    "kommentit", "komentáře", "σχόλια", "yorumlar", "komentar", "评论", "コメント", "댓글",
];

/// First lines of author boxes, in lowercase.
#[rustfmt::skip]
const AUTHOR_HEADINGS: &[&str] = &[
    "about the author", "about the authors", "about the writer", "about author", "about the reporter", "about me",
    "meet the author", "the author", "über den autor", "über die autorin", "zur person", "à propos de l'auteur",
    "à propos de l’auteur", "sobre el autor", "acerca del autor", "sobre la autora", "sobre o autor", "sobre a autora",
    "l'autore", "informazioni sull'autore", "over de auteur", "o autorze", "об авторе", "про автора", "om författaren",
    "yazar hakkında", "o autorovi", "tentang penulis", "关于作者", "この記事を書いた人",
];

/// Finds any phrase of a comment form.
static ANY_FORM_PHRASE: LazyLock<AhoCorasick> = LazyLock::new(|| search_for_any(FORM_PHRASES));
/// Phrases below the fields of comment forms.
#[rustfmt::skip]
const FORM_PHRASES: &[&str] = &[
    "email address will not be published", "required fields are marked", "save my name, email",
    "e-mail-adresse wird nicht veröffentlicht", "erforderliche felder sind", "adresse e-mail ne sera pas publiée",
    "les champs obligatoires sont", "correo electrónico no será publicada", "los campos obligatorios están",
    "e-mail não será publicado", "campos obrigatórios são", "indirizzo email non sarà pubblicato",
    "i campi obbligatori sono", "e-mailadres wordt niet gepubliceerd", "vereiste velden zijn",
    "e-mail nie zostanie opublikowany", "wymagane pola są", "адрес email не будет опубликован", "обязательные поля",
];

const MAX_FORM_LINE_WORDS: usize = 30;

/// Returns the kind of clutter that a line introduces; `None` if the line is not a label. `is_link` states whether the
/// whole line is a link.
pub fn label(line: &str, is_link: bool) -> Option<Label> {
    let lower = line.to_lowercase();
    let words = lower.split_whitespace().count();
    let trimmed = trim_signs(&lower);
    if is_tags_heading(trimmed) && !lower.contains(',') {
        return Some(Label::Teasers);
    }
    if is_teaser_heading(trimmed, words) && (words <= 3 || is_headline(&lower)) {
        return Some(Label::Teasers);
    }
    let is_form_line = words <= MAX_FORM_LINE_WORDS && ANY_FORM_PHRASE.is_match(&lower);
    if is_form_line || COMMENT_HEADINGS.contains(&trimmed) {
        return Some(Label::Comments);
    }
    if is_comment_count(trimmed) {
        return Some(Label::CommentCount);
    }
    if AUTHOR_HEADINGS.contains(&trimmed) {
        return Some(Label::Author);
    }
    if is_short_invitation(line) {
        return Some(Label::Invitation);
    }
    let is_added = is_invitation(line) || is_syndication_line(line, LineContext::default()) || is_more(line, is_link);
    if is_added || is_footer(line) || is_publication_note(line) {
        return Some(Label::Line);
    }
    let (heading, rest) = lower.split_once([':', '|', '»', '→', '：'])?;
    if !is_teaser_heading(trim_signs(heading), 1) {
        return None;
    }
    if rest.trim().is_empty() {
        return Some(Label::Teasers);
    }
    is_headline(rest).then_some(Label::Line)
}

/// Returns whether the words outside the links of a line label the links: "Related: …", "Filed under: …".
pub fn labels_links(unlinked: &str) -> bool {
    let lower = unlinked.to_lowercase();
    let trimmed = trim_signs(&lower);
    let is_label = is_teaser_heading(trimmed, trimmed.split_whitespace().count()) || is_more_line(unlinked, None);
    !trimmed.is_empty() && (is_label || labels_list(unlinked))
}

/// Returns whether a line is a link to the complete text, or announces such a link: "More:".
fn is_more(line: &str, is_link: bool) -> bool {
    if is_link {
        is_more_link(line) && is_headline(line.trim_end_matches('…'))
    } else {
        is_more_line(line, None) || (line.ends_with(':') && is_more_after_cut(line))
    }
}

fn is_teaser_heading(trimmed: &str, words: usize) -> bool {
    static HEADINGS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| TEASER_HEADINGS.iter().copied().collect());
    HEADINGS.contains(trimmed)
        || is_read_also(trimmed)
        || is_suggestion(trimmed)
        || (words <= MAX_HEADING_WORDS && TEASER_HEADING_STARTS.iter().any(|start| trimmed.starts_with(start)))
}

/// Returns whether a heading suggests something to the readers: "You may also like", "Stories you might have missed".
fn is_suggestion(heading: &str) -> bool {
    let mut words = words_of(heading).skip_while(|word| SUGGESTED_ITEMS.contains(word));
    words.next() == Some("you")
        && matches!(words.next(), Some("may" | "might"))
        && words.next().is_some_and(|word| SUGGESTION_WORDS.contains(&word))
        && words.all(|word| SUGGESTION_WORDS.contains(&word))
}

/// Returns whether the text is a comment count: "Comments", "Comments (12)", "3 comments".
fn is_comment_count(text: &str) -> bool {
    let is_count = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | ',' | '.');
    COMMENT_WORDS.contains(&text.trim_matches(is_count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Label>) {
        assert_eq!(label(line, false), expected, "{line}");
    }

    #[test]
    fn suggestion_is_a_teaser_heading() {
        for line in [
            "You may have missed",
            "You might also enjoy",
            "Stories you might have missed",
            "You may also be interested in:",
        ] {
            check(line, Some(Label::Teasers));
        }
        for line in ["You may vote on Sunday", "You may have missed the launch, but a second one follows.", "You may"] {
            check(line, None);
        }
    }

    #[test]
    fn link_to_the_text_is_a_label_and_the_start_of_a_sentence_is_not() {
        check("Read the full story at Bay Ledger", Some(Label::Line));
        check("Read more books, the teacher says", None);
        assert_eq!(label("Continue reading Seals are back", true), Some(Label::Line));
        check("Become a member", Some(Label::Invitation));
    }
}
