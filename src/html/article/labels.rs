//! Recognizes lines that start clutter: headings of teaser boxes, comment, newsletter and author boxes, and buttons.
//!
//! The module classifies one line at a time, in the languages that grouping supports and a few more. [`super::clutter`]
//! classifies the lines that follow.

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
    /// Only the line itself is clutter: a teaser that includes its label, or an invitation to subscribe.
    Line,
}

/// Headings of boxes with headlines of other articles, in lowercase.
#[rustfmt::skip]
const TEASER_HEADINGS: &[&str] = &[
    "related", "related articles", "related stories", "related content", "related topics", "related news",
    "related coverage", "related posts", "related reading", "related links", "read more", "read next", "read also",
    "read this next", "also read", "see also", "more stories", "more on this story", "more on this", "more news",
    "more from", "more headlines", "more like this", "you may also like", "you might also like", "you may like",
    "you might like", "you may also be interested in", "you may be interested in",
    "you might also be interested in", "you might be interested in", "recommended", "recommended for you",
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
    "das könnte sie auch interessieren", "das könnte dich auch interessieren", "auch interessant", "weiterlesen",
    "meistgelesen", "meistgelesene artikel", "ähnliche artikel", "verwandte artikel", "verwandte themen",
    "weitere artikel", "weitere meldungen", "weitere nachrichten", "aktuelle nachrichten", "empfohlene artikel",
    "nicht verpassen", "beliebte artikel", "passend dazu", "à lire aussi", "lire aussi", "à lire également",
    "sur le même sujet", "dans la même rubrique", "les plus lus", "articles similaires", "articles liés",
    "articles connexes", "articles recommandés", "à découvrir", "à ne pas manquer", "ne manquez pas",
    "vous aimerez aussi", "vous pourriez aussi aimer", "ceci pourrait aussi vous intéresser", "lire la suite",
    "lea también", "lee también", "lea además", "lea más", "te puede interesar", "le puede interesar",
    "te puede gustar", "también te puede interesar", "quizás te interese", "más leídas", "lo más leído", "más noticias",
    "noticias relacionadas", "artículos relacionados", "contenido relacionado", "no te pierdas", "no se pierda",
    "últimas noticias", "recomendados", "leia também", "leia mais", "veja também", "saiba mais", "mais lidas",
    "notícias relacionadas", "artigos relacionados", "matérias relacionadas", "não perca", "você pode gostar",
    "você também pode gostar", "últimas notícias", "recomendado para você", "leggi anche", "potrebbe interessarti",
    "ti potrebbe interessare", "potrebbe interessarti anche", "articoli correlati", "articoli simili",
    "notizie correlate", "i più letti", "da non perdere", "non perdere", "ultime notizie", "lees ook", "lees verder",
    "meer over", "meer nieuws", "meest gelezen", "gerelateerde artikelen", "gerelateerd", "aanbevolen", "mis niets",
    "mis dit niet", "ook interessant", "czytaj też", "czytaj także", "czytaj więcej", "zobacz też", "zobacz także",
    "przeczytaj także", "przeczytaj też", "podobne artykuły", "powiązane artykuły", "najczęściej czytane", "polecane",
    "nie przegap", "читайте также", "по теме", "смотрите также", "похожие статьи", "похожие новости", "самое читаемое",
    "популярное", "не пропустите", "рекомендуем", "другие новости", "материалы по теме", "читайте ещё", "читайте далее",
    "читайте також", "популярне", "схожі статті", "не пропустіть", "läs också", "läs även", "läs mer", "mest läst",
    "relaterade artiklar", "missa inte", "les også", "læs også", "mest lest", "mest læste", "relaterte artikler",
    "relaterede artikler", "lue myös", "luetuimmat", "čtěte také", "mohlo by vás zajímat", "související články",
    "nejčtenější", "olvasta már", "kapcsolódó cikkek", "ajánljuk", "citește și", "citeşte şi", "articole similare",
    "διαβάστε επίσης", "διαβάστε ακόμη", "σχετικά άρθρα", "ilgili haberler", "bunları da okuyun", "çok okunanlar",
    "bunlar da ilginizi çekebilir", "baca juga", "artikel terkait", "berita terkait", "terpopuler", "اقرأ أيضا",
    "اقرأ أيضاً", "مواضيع ذات صلة", "相关阅读", "相关新闻", "相关文章", "推荐阅读", "热门文章", "延伸阅读", "猜你喜欢",
    "相關新聞", "延伸閱讀", "推薦閱讀", "関連記事", "関連ニュース", "あわせて読みたい", "おすすめ記事", "人気記事",
    "関連 기사", "관련 기사", "관련기사", "많이 본 뉴스", "추천 기사",
];

/// Prefixes of such headings. The name of a section or of the site follows.
#[rustfmt::skip]
const TEASER_HEADING_STARTS: &[&str] = &[
    "more from ", "more in ", "more on ", "more about ", "top stories in ", "latest from ", "latest in ", "related to ",
    "read more about ", "read more on ", "most read in ", "most popular in ", "trending in ", "trending on ", "also in ",
    "also on ", "mehr aus ", "mehr von ", "mehr zu ", "plus de ", "más de ", "más en ", "mais de ", "altro da ",
    "meer van ", "meer uit ", "więcej z ", "ещё из ",
];
const MAX_HEADING_WORDS: usize = 7;

/// First lines of comment forms and lists of comments, in lowercase.
#[rustfmt::skip]
const COMMENT_HEADINGS: &[&str] = &[
    "leave a comment", "leave a reply", "leave your comment", "leave your reply", "leave a response", "post a comment",
    "post your comment", "add a comment", "add your comment", "add comment", "write a comment", "submit a comment",
    
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
/// Words that show that a line reports what somebody said.
#[rustfmt::skip]
const ATTRIBUTION_WORDS: &[&str] = &[
    "said", "says", "say", "asked", "asks", "urged", "urges", "urge", "told", "tells", "called", "calls", "wrote",
    "writes", "added", "warned", "warns", "announced", "demanded", "demands", "insisted", "claimed", "according", "police",
    "sagte", "sagt", "sagten", "forderte", "fordert", "laut", "polizei", "selon", "déclaré", "dijo", "según", "policía",
    "disse", "segundo", "polícia", "detto", "secondo", "polizia", "zei", "volgens", "politie", "powiedział",
    "powiedziała", "сказал", "сказала", "заявил", "заявила", "полиция", "sade", "enligt", "sagde",
];
const MAX_SUBSCRIPTION_WORDS: usize = 35;

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

/// Words on buttons and in forms.
#[rustfmt::skip]
const BUTTON_WORDS: &[&str] = &[
    "share", "tweet", "facebook", "twitter", "x", "whatsapp", "linkedin", "reddit", "telegram", "email", "e-mail",
    "mail", "print", "copy", "link", "save", "comment", "comments", "follow", "us", "on", "this", "article", "pinterest",
    "messenger", "bluesky", "mastodon", "threads", "instagram", "flipboard", "pocket", "story", "post", "via",
    "subscribe", "sign", "up", "log", "in", "advertisement", "ad", "advert", "teilen", "drucken", "kommentare",
    "anzeige", "werbung", "merken", "partager", "imprimer", "commentaires", "publicité", "compartir", "imprimir",
    "comentarios", "publicidad", "compartilhar", "comentários", "publicidade", "condividi", "stampa", "commenti",
    "pubblicità", "delen", "reacties", "advertentie", "udostępnij", "drukuj", "reklama", "поделиться", "реклама",
    "комментарии", "dela", "annons", "del", "annonse", "jaa", "mainos", "sdílet", "paylaş", "bagikan", "0", "1", "2", "3",
    "•", "|", "-", "/", "+", "and", "with", "your", "friends", "or", "like", "google", "news", "youtube", "tiktok", "rss",
];
/// Those of these words that are names or connect names, and may therefore be text.
#[rustfmt::skip]
const BUTTON_NAMES: &[&str] = &[
    "facebook", "twitter", "x", "whatsapp", "linkedin", "reddit", "telegram", "pinterest", "messenger", "bluesky",
    "mastodon", "threads", "instagram", "flipboard", "pocket", "google", "news", "youtube", "tiktok", "rss", "us", "on",
    "this", "article", "story", "via", "up", "in", "and", "with", "your", "friends", "or", "like", "link", "post", "del",
    "mail",
];
const MAX_BUTTON_WORDS: usize = 12;

/// Returns the kind of clutter that a line introduces; `None` if the line is not a label.
pub fn label(line: &str) -> Option<Label> {
    let lower = line.to_lowercase();
    let words = lower.split_whitespace().count();
    let trimmed = trim_signs(&lower);
    if is_teaser_heading(trimmed, words) && (words <= 3 || is_headline(&lower)) {
        return Some(Label::Teasers);
    }
    let is_form_line = words <= MAX_FORM_LINE_WORDS && FORM_PHRASES.iter().any(|phrase| lower.contains(phrase));
    if is_form_line || COMMENT_HEADINGS.contains(&trimmed) {
        return Some(Label::Comments);
    }
    if is_comment_count(trimmed) {
        return Some(Label::CommentCount);
    }
    if AUTHOR_HEADINGS.contains(&trimmed) {
        return Some(Label::Author);
    }
    if is_subscription(&lower, words) || is_promotion(line, &lower, words) {
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

fn trim_signs(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_teaser_heading(trimmed: &str, words: usize) -> bool {
    TEASER_HEADINGS.contains(&trimmed)
        || (words <= MAX_HEADING_WORDS && TEASER_HEADING_STARTS.iter().any(|start| trimmed.starts_with(start)))
}

/// Returns whether the text is a comment count: "Comments", "Comments (12)", "3 comments".
fn is_comment_count(text: &str) -> bool {
    let is_count = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | ',' | '.');
    COMMENT_WORDS.contains(&text.trim_matches(is_count))
}

/// Returns whether a line invites readers to subscribe. A report on a newsletter neither starts with an imperative nor
/// addresses the readers.
fn is_subscription(lower: &str, words: usize) -> bool {
    let starts = |phrase: &&str| starts_with_words(lower, phrase);
    let contains = |phrase: &&str| contains_words(lower, phrase);
    let has_noun = |noun: &&str| starts_of_words(lower, noun).next().is_some();
    let is_invitation = || {
        SUBSCRIPTION_STARTS.iter().any(starts)
            || (SUBSCRIPTION_PHRASES.iter().any(contains) && ADDRESSING_PHRASES.iter().any(contains))
            || (words <= MAX_SUBSCRIPTION_HEADING_WORDS
                && SUBSCRIPTION_ENDS.iter().any(|end| trim_signs(lower).ends_with(end)))
    };
    words <= MAX_SUBSCRIPTION_WORDS
        && SUBSCRIPTION_NOUNS.iter().any(has_noun)
        && is_invitation()
        && !has_attribution(lower)
        && !lower.contains(['"', '“', '„', '«'])
}

fn has_attribution(lower: &str) -> bool {
    lower.split(|c: char| !c.is_alphanumeric()).any(|word| ATTRIBUTION_WORDS.contains(&word))
}

/// Returns the text after each occurrence of `phrase` that starts a word.
fn starts_of_words<'t>(text: &'t str, phrase: &str) -> impl Iterator<Item = &'t str> {
    let starts_word = |at: &usize| !text[..*at].ends_with(char::is_alphanumeric);
    text.match_indices(phrase).map(|(at, _)| at).filter(starts_word).map(move |at| &text[at + phrase.len()..])
}

fn contains_words(text: &str, phrase: &str) -> bool {
    starts_of_words(text, phrase).any(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn starts_with_words(text: &str, phrase: &str) -> bool {
    text.strip_prefix(phrase).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// What a line of button labels says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonLine {
    /// The line names an action: "Share on Facebook".
    Action,
    /// The line only names platforms: "Facebook Reddit".
    Names,
}

/// Returns what a line of button labels says; `None` if the line contains other words, or a number without an action.
pub fn button_line(line: &str) -> Option<ButtonLine> {
    let (mut count, mut has_action, mut has_number) = (0, false, false);
    for word in line.split_whitespace() {
        let word = word.trim_matches([',', ':', '(', ')', '·']).to_lowercase();
        count += 1;
        if count > MAX_BUTTON_WORDS || !(word.is_empty() || BUTTON_WORDS.contains(&word.as_str())) {
            return None;
        }
        has_number |= word.contains(|c: char| c.is_ascii_digit());
        has_action |= word.contains(char::is_alphabetic) && !BUTTON_NAMES.contains(&word.as_str());
    }
    match (count, has_action, has_number) {
        (0, ..) | (_, false, true) => None,
        (_, true, _) => Some(ButtonLine::Action),
        (_, false, false) => Some(ButtonLine::Names),
    }
}

/// The maximum number of words in a headline. A longer line is a paragraph.
const MAX_HEADLINE_WORDS: usize = 25;

/// Returns whether a line is short and does not end like a sentence.
pub fn is_headline(line: &str) -> bool {
    line.split_whitespace().count() <= MAX_HEADLINE_WORDS && !ends_sentence(line)
}

pub fn ends_sentence(line: &str) -> bool {
    line.trim_end().ends_with(['.', '!', '…', '”', '"', '»', '。', '！', '？', '」', '。', '؟', '।'])
}

/// The text of links that follow an excerpt, in lower case.
#[rustfmt::skip]
const MORE_WORDS: &[&str] = &[
    "read more", "continue reading", "more", "read the full story", "read the full article", "read full article",
    "read full story", "read the rest", "read the whole", "full story", "keep reading", "click here to read",
    "view the full", "see the full", "view original", "weiterlesen", "weiter lesen", "mehr", "mehr lesen",
    "den ganzen artikel", "zum artikel", "lire la suite", "lire l'article", "lire l’article", "continuer la lecture",
    "en savoir plus", "leer más", "seguir leyendo", "sigue leyendo", "continuar leyendo", "leia mais",
    "continue lendo", "continuar lendo", "leggi tutto", "continua a leggere", "lees meer", "lees verder", "verder lezen",
    "czytaj więcej", "czytaj dalej", "читать далее", "читать дальше", "читати далі", "läs mer", "les mer", "læs mere",
    "lue lisää", "číst dál", "devamını oku", "baca selengkapnya", "阅读全文", "继续阅读", "閱讀全文", "続きを読む", "더 보기",
];
/// No text of [`MORE_WORDS`] is longer.
const MAX_MORE_BYTES: usize = 40;
/// The maximum number of words of such a link: "Continue reading Seals are back".
const MAX_MORE_WORDS: usize = 25;
/// The maximum number of words of such a line without a link.
const MAX_MORE_LINE_WORDS: usize = 12;

/// Returns whether the text of a link refers to the complete text of an excerpt.
pub fn is_more_link(text: &str) -> bool {
    let lower = text.to_lowercase();
    let trimmed = trim_signs(&lower);
    let is_followed = |rest: &str| rest.is_empty() || rest.starts_with(|c: char| !c.is_alphanumeric());
    // "More" by itself is such a link, "More about seals" is not.
    let starts = |more: &&str| trimmed.strip_prefix(*more).is_some_and(|rest| is_followed(rest) && more.contains(' '));
    MORE_WORDS.contains(&trimmed)
        || (lower.split_whitespace().count() <= MAX_MORE_WORDS && MORE_WORDS.iter().any(starts))
}

/// Returns the offset of a "More" at the end of the text, if the text before it is complete or truncated.
pub fn more_start(text: &str) -> Option<usize> {
    /// "What do they want? More."
    const AMBIGUOUS: [&str; 2] = ["more", "mehr"];
    let end = text.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
    let lower = text[text.floor_char_boundary(end.saturating_sub(MAX_MORE_BYTES))..end].to_lowercase();
    let find = |more: &&str| {
        if !lower.ends_with(*more) {
            return None;
        }
        let start = end.checked_sub(more.len())?;
        let before = text.get(..start)?;
        if before.ends_with(char::is_alphanumeric) {
            return None;
        }
        let before = before.trim_end_matches(|c: char| c.is_whitespace() || "([<".contains(c));
        let is_complete = before.is_empty() || ends_sentence(before) || before.ends_with('?');
        (is_cut(before) || (is_complete && !AMBIGUOUS.contains(more))).then_some(start)
    };
    MORE_WORDS.iter().filter_map(find).min()
}

/// For each line that a syndication plugin adds to text, its first words and the words before the outlet's name.
#[rustfmt::skip]
const SYNDICATION_LINES: &[(&str, &str)] = &[
    ("The post ", " appeared first on "), ("The post ", " first appeared on "), ("This article ", " appeared first on "),
    ("This post ", " appeared first on "), ("This story ", " appeared first on "),
    ("This article ", " first appeared on "), ("This post ", " first appeared on "), ("This story ", " first appeared on "),
    ("Der Beitrag ", " erschien zuerst auf "), ("Der Artikel ", " erschien zuerst auf "),
    ("L’article ", " est apparu en premier sur "), ("L'article ", " est apparu en premier sur "),
    ("La entrada ", " se publicó primero en "), ("La entrada ", " apareció primero en "),
    ("O post ", " apareceu primeiro em "), ("O conteúdo ", " aparece primeiro em "),
    ("L’articolo ", " proviene da "), ("L'articolo ", " proviene da "), ("Het bericht ", " verscheen eerst op "),
    ("Artykuł ", " pochodzi z serwisu "), ("Сообщение ", " появились сначала на "), ("Запись ", " впервые появилась "),
    ("Inlägget ", " dök först upp på "), ("Indlægget ", " blev først udgivet på "),
    ("Innlegget ", " dukket først opp på "), ("Příspěvek ", " pochází z "),
];
/// The minimum length of such a line, which includes a title.
const MIN_SYNDICATION_BYTES: usize = 20;
/// The maximum number of words of such a line, including the title of the item.
const MAX_SYNDICATION_WORDS: usize = 60;

/// The maximum number of words of the outlet's name at the end of such a line, without and with a link.
const MAX_OUTLET_WORDS: usize = 5;
const MAX_LINKED_OUTLET_WORDS: usize = 10;

/// Returns whether the end of a syndication line is the name of an outlet. `link` is the text of a link at the end.
fn is_outlet_name(text: &str, link: Option<&str>) -> bool {
    let name = trim_signs(text);
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_name = |word: Option<&&str>| {
        word.is_some_and(|word| {
            let word = trim_signs(word);
            word.contains('.') || !word.starts_with(char::is_lowercase)
        })
    };
    let is_link = link.is_some_and(|link| trim_signs(link) == name);
    (is_link && words.len() <= MAX_LINKED_OUTLET_WORDS)
        || (words.len() <= MAX_OUTLET_WORDS && is_name(words.first()) && is_name(words.last()))
}

/// Returns the offset of a syndication plugin's line at the end of the text. `link` is the text of a link at the end.
pub fn syndication_start(text: &str, link: Option<&str>) -> Option<usize> {
    if text.len() < MIN_SYNDICATION_BYTES {
        return None;
    }
    SYNDICATION_LINES.iter().find_map(|(first, before_outlet)| {
        let outlet = text.rfind(before_outlet)?;
        let start = text[..outlet].rfind(first)?;
        let before = text[..start].trim_end();
        let is_own_sentence = before.is_empty() || ends_sentence(before) || is_cut(before);
        let line = &text[start..];
        // "The post office" does not contain a title.
        let names_title = !line[first.len()..].starts_with(char::is_lowercase);
        let names_outlet = is_outlet_name(&text[outlet + before_outlet.len()..], link);
        let is_short = line.split_whitespace().count() <= MAX_SYNDICATION_WORDS;
        (is_own_sentence && names_title && names_outlet && is_short).then_some(start)
    })
}

/// The first words of invitations to share an item or to follow or support its outlet, in lower case.
#[rustfmt::skip]
const PROMOTION_STARTS: &[&str] = &[
    "follow us on", "follow us at", "like us on", "join us on", "find us on", "follow our", "join our whatsapp",
    "join our telegram", "join our channel", "subscribe to our", "subscribe now", "sign up for our", "sign up to our",
    "support our journalism", "support our work", "support our newsroom", "support our reporting", "support us on",
    "become a member", "become a supporter", "become a patron", "download our app", "download our free app",
    "get our app", "listen to our podcast", "buy us a coffee", "share this", "folgen sie uns", "folge uns",
    "abonnieren sie unser", "jetzt abonnieren", "laden sie unsere app", "suivez-nous", "abonnez-vous", "rejoignez-nous",
    "téléchargez notre", "síguenos", "síganos", "suscríbete", "suscríbase", "únete a nuestro", "descarga nuestra",
    "siga-nos", "inscreva-se", "baixe nosso", "seguici su", "iscriviti", "scarica la nostra", "volg ons", "abonneer je",
    "obserwuj nas", "śledź nas", "wspieraj nas", "подписывайтесь на", "подпишитесь на", "підписуйтесь на", "följ oss",
    "følg oss", "følg os", "seuraa meitä", "sledujte nás", "urmăriți-ne", "bizi takip edin", "ikuti kami",
];
const MAX_PROMOTION_WORDS: usize = 20;
/// One of these words occurs in an invitation that is longer than its first words.
#[rustfmt::skip]
const OUTLET_WORDS: &[&str] = &[
    "facebook", "twitter", "x", "whatsapp", "linkedin", "reddit", "telegram", "bluesky", "mastodon", "threads",
    "instagram", "flipboard", "youtube", "tiktok", "google", "patreon", "newsletter", "newsletters", "podcast", "channel",
    "app", "journalism", "newsroom", "reporting", "kanal", "canal", "kanaal", "chaîne", "canale", "kanał", "канал",
    "телеграм", "дзен", "boletín", "nieuwsbrief", "nyhetsbrev", "nyhedsbrev", "infolettre", "aplicación", "aplicativo",
];

/// Returns whether a line invites readers to continue at the outlet, or to share, follow or support it.
fn is_promotion(line: &str, lower: &str, words: usize) -> bool {
    (words <= MAX_PROMOTION_WORDS && is_invitation(lower))
        || (words <= MAX_MORE_LINE_WORDS && is_more_link(line) && is_headline(line.trim_end_matches('…')))
        || syndication_start(line, None) == Some(0)
}

/// Returns whether a line is an invitation rather than a sentence that starts like one.
fn is_invitation(lower: &str) -> bool {
    let starts = |text: &str| PROMOTION_STARTS.iter().any(|start| starts_with_words(text, start));
    let has_outlet = || lower.split(|c: char| !c.is_alphanumeric()).any(|word| OUTLET_WORDS.contains(&word));
    // After a comma, a name or another invitation follows: "Follow us on Facebook, X and Mastodon".
    let continues = |part: &str| {
        let part = part.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = part.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        part.is_empty() || OUTLET_WORDS.contains(&first) || starts(part)
    };
    let is_break = |c: char| c.is_whitespace() || "–—".contains(c);
    let ends_clause = |c: char| ",:;.!?–—-".contains(c);
    let continues_as_invitation = || {
        let ends = lower.match_indices(is_break).filter(|(at, _)| lower[..*at].trim_end().ends_with(ends_clause));
        ends.map(|(at, _)| &lower[at..]).all(continues)
    };
    starts(lower)
        && (PROMOTION_STARTS.contains(&trim_signs(lower))
            || (has_outlet() && !has_attribution(lower) && continues_as_invitation()))
}

/// Returns whether the text ends like a truncated excerpt ("…", "...", "[…]"), possibly followed by "Read more".
pub fn is_cut(text: &str) -> bool {
    let end = |text: &str| text.trim_end_matches(|c: char| c.is_whitespace() || "])>›»→".contains(c)).len();
    let text = &text[..end(text)];
    let lower = text.to_lowercase();
    let without_more = MORE_WORDS.iter().find_map(|more| lower.strip_suffix(more));
    let text = without_more.map_or(lower.as_str(), |text| &text[..end(text)]);
    text.ends_with('…') || text.ends_with("...") || text.ends_with(". . .")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Label>) {
        assert_eq!(label(line), expected, "{line}");
    }

    #[test]
    fn numbers_and_names_are_not_actions() {
        assert_eq!(button_line("Share on Reddit 2"), Some(ButtonLine::Action));
        assert_eq!(button_line("Reddit and Threads"), Some(ButtonLine::Names));
        for line in ["3 - 2", "Reddit 3", "Reddit was down", ""] {
            assert_eq!(button_line(line), None, "{line}");
        }
    }

    #[test]
    fn report_on_a_newsletter_is_not_an_invitation_to_subscribe() {
        for line in [
            "Subscribe to the harbour newsletter.",
            "All the news of the harbour, delivered to your inbox every morning",
            "Every Friday: our newsletter on boats. Sign up here.",
            "Newsletter abonnieren",
            "Suscríbete al boletín del puerto",
        ] {
            check(line, Some(Label::Line));
        }
        for line in [
            "An inbox of the council was the budget of a spy, as the court found on Monday.",
            "The joint newsletter of two chapels ended in May after a quarrel over stamps.",
            "The newsletter that sailors receive at sea was forged on Thursday",
            "Abonnenten des Newsletters klagen gegen den Verlag.",
            "Subscribers receive the newsletter again from Sunday on.",
            "Sign up for the newsletter, the coach told her team",
        ] {
            check(line, None);
        }
    }

    #[test]
    fn sentence_that_starts_like_a_promotion_is_not_a_label() {
        for line in [
            "Follow us on Facebook, X and Mastodon.",
            "Follow us on Mastodon",
            "Subscribe now",
            "Support our journalism. Become a member!",
            "Download our app – follow us on X",
        ] {
            check(line, Some(Label::Line));
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
        ] {
            check(line, None);
        }
    }

    #[test]
    fn syndication_line_ends_with_the_name_of_an_outlet() {
        for line in [
            "The post Seals are back appeared first on News of the Bay.",
            "The post Seals are back appeared first on bay.example",
        ] {
            assert_eq!(syndication_start(line, None), Some(0), "{line}");
        }
        for line in [
            "The post Parliament created appeared first on a list of savings",
            "The post Parliament created appeared first on Monday's list",
            "The post Parliament created appeared first on A List That Nobody In Town Read",
        ] {
            assert_eq!(syndication_start(line, None), None, "{line}");
        }
        let line = "The post Seals are back appeared first on the bay.";
        assert_eq!(syndication_start(line, Some("the bay")), Some(0));
        assert_eq!(syndication_start(line, Some("bay")), None);
    }
}
