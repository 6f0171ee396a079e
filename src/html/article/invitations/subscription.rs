//! Recognizes invitations to subscribe to a newsletter.

use super::super::words::{contains_words, search_for_any, starts_of_words, starts_with_words, trim_signs};
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// Finds any of these nouns, even inside other words.
static ANY_NOUN: LazyLock<AhoCorasick> = LazyLock::new(|| search_for_any(SUBSCRIPTION_NOUNS));
/// The beginnings of words in invitations to subscribe, in lowercase.
#[rustfmt::skip]
const SUBSCRIPTION_NOUNS: &[&str] = &[
    "newsletter", "inbox", "infolettre", "boletín", "boletim", "nieuwsbrief", "nyhetsbrev", "nyhedsbrev", "uutiskirje",
    "рассылк", "розсилк", "posteingang", "mailing list", "bülten", "zpravodaj",
];
/// The first words of invitations to subscribe, in lowercase.
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
/// Phrases inside invitations to subscribe, and phrases that address the readers or name the outlet, in lowercase.
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
/// The maximum number of words in the title of a newsletter before an invitation.
const MAX_TITLE_WORDS: usize = 4;

/// Returns whether the text invites readers to subscribe. A report on a newsletter neither starts with an imperative
/// nor addresses the readers.
pub fn is_subscription(lower: &str) -> bool {
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
    // Most lines contain none of these nouns.
    ANY_NOUN.is_match(lower)
        && has_noun(lower)
        && (starts(lower) || is_heading() || (addresses_readers() && is_in_first() && !is_quoted()))
}
