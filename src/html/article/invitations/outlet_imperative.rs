//! Recognizes imperatives that concern the outlet: "Follow us on Mastodon", "Support our journalism: donate".

use super::super::words::{consists_of_words, starts_with_words, trim_signs, words_of};
use super::shared_words::{APPEAL_WORDS, FOLLOW_VERBS, OUTLET_WORDS, OWN_WORDS, PURPOSE_WORDS, is_outlet_word_in};

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
/// The maximum number of words between an imperative and the word "us" or "our".
const MAX_OBJECT_WORDS: usize = 3;

/// Returns whether a line is a short invitation that may also be the heading of a section: "Become a member".
pub fn is_short_invitation(line: &str) -> bool {
    INVITATIONS.contains(&trim_signs(&line.to_lowercase()))
}

/// Returns whether the text starts with an imperative that concerns the outlet and continues as an invitation.
pub fn concerns_outlet(lower: &str) -> bool {
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
