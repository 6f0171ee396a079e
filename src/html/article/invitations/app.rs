//! Recognizes offers of an outlet's app: "Download the Bay Ledger app from Google Play".

use super::super::words::{consists_of_words, words_of};
use super::shared_words::{APPEAL_WORDS, NEWS_WORDS};

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

/// Returns whether a line offers an app of the outlet: "Download the Bay Ledger app from Google Play".
pub fn is_app_line(lower: &str) -> bool {
    const MAX_WORDS: usize = 16;
    if !words_of(lower).next().is_some_and(|first| APP_VERBS.contains(&first)) {
        return false;
    }
    let words: Vec<&str> = words_of(lower).collect();
    let Some(app) = words.iter().position(|word| APP_WORDS.contains(word)) else { return false };
    let after = &words[app + 1..];
    let is_purpose = || after.iter().any(|word| NEWS_WORDS.contains(word) || APP_STORES.contains(word));
    words.len() <= MAX_WORDS && (after.is_empty() || consists_of_words(&after.join(" "), APPEAL_WORDS) || is_purpose())
}
