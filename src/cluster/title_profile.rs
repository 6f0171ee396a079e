//! Properties of an item's title beyond its terms: how specific it is, and which dates it contains.

use super::tokenizer::{TokenizedText, WordToken};
use crate::domain::writing_systems::is_unspaced_script;
use rustc_hash::{FxHashSet, FxHasher};
use std::hash::{Hash, Hasher};

/// Counts and hashes of a title's words. Stop words are not counted; numbers and dates affect only `dates`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TitleProfile {
    /// The number of distinct words, estimated from characters in scripts without spaces.
    pub words: u8,
    /// The number of distinct words that the summary repeats.
    pub restated: u8,
    /// The hash of the words in order.
    series: u32,
    /// The hash of the numbers, month names and weekday names in order; 0 without a month or weekday.
    dates: u32,
}

/// Month names and weekday names.
pub(super) struct DateWords {
    months: FxHashSet<&'static str>,
    weekdays: FxHashSet<&'static str>,
}

impl Default for DateWords {
    fn default() -> DateWords {
        DateWords { months: MONTHS.split_whitespace().collect(), weekdays: WEEKDAYS.split_whitespace().collect() }
    }
}

/// Month names in English, German, French, Spanish, Portuguese, Italian, Dutch, Russian and Polish, and English
/// abbreviations.
const MONTHS: &str = "\
    january february march april may june july august september october november december \
    jan feb mar apr jun jul aug sep sept oct nov dec \
    januar jänner februar märz mai juni juli oktober dezember \
    janvier février mars avril juin juillet août septembre octobre novembre décembre \
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre \
    janeiro fevereiro março maio junho julho setembro outubro novembro dezembro \
    gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre \
    januari februari maart mei augustus \
    января февраля марта апреля мая июня июля августа сентября октября ноября декабря \
    stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia";
const WEEKDAYS: &str = "\
    monday tuesday wednesday thursday friday saturday sunday \
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag \
    lundi mardi mercredi jeudi vendredi samedi dimanche \
    lunes martes miércoles jueves viernes sábado domingo \
    segunda-feira terça-feira quarta-feira quinta-feira sexta-feira \
    lunedì martedì mercoledì giovedì venerdì sabato domenica \
    maandag dinsdag woensdag donderdag vrijdag zaterdag zondag \
    понедельник вторник среда четверг пятница суббота воскресенье \
    poniedziałek wtorek środa czwartek piątek sobota niedziela";

impl TitleProfile {
    pub(super) fn new(text: &TokenizedText, date_words: &DateWords) -> TitleProfile {
        let mut seen = FxHashSet::default();
        // A word of a script without spaces yields about two terms, each a pair of characters.
        let mut pairs = 0;
        let (mut words, mut dates) = (FxHasher::default(), FxHasher::default());
        let (mut has_date_word, mut restated) = (false, 0u8);
        for (position, token) in text.title.iter().enumerate() {
            let is_date_word = date_words.contains(text, position);
            has_date_word |= is_date_word;
            if is_date_word || token.is_number {
                token.term.0.hash(&mut dates);
                continue;
            }
            token.term.0.hash(&mut words);
            let is_new = seen.insert(token.term.0);
            pairs += usize::from(is_new && text.surface_form(true, token).contains(is_unspaced_script));
            if is_new && text.summary.iter().any(|other| other.term == token.term) {
                restated = restated.saturating_add(1);
            }
        }
        TitleProfile {
            words: (seen.len() - pairs / 2).min(u8::MAX.into()) as u8,
            restated,
            series: words.finish() as u32,
            dates: if has_date_word { (dates.finish() as u32).max(1) } else { 0 },
        }
    }

    /// Returns whether the titles consist of the same words with different dates, such as titles of a daily program.
    pub(super) fn is_same_with_another_date(&self, other: &TitleProfile) -> bool {
        self.words > 0 && self.series == other.series && self.dates > 0 && other.dates > 0 && self.dates != other.dates
    }
}

impl DateWords {
    /// Returns whether a word of the title is part of a date. A month counts only next to a number, because "may" and
    /// "march" have other meanings.
    fn contains(&self, text: &TokenizedText, position: usize) -> bool {
        let word = text.surface_form(true, &text.title[position]).trim_end_matches('.').to_lowercase();
        let is_number = |token: Option<&WordToken>| token.is_some_and(|token| token.is_number);
        let is_next_to_number =
            || is_number(text.title.get(position + 1)) || position > 0 && is_number(text.title.get(position - 1));
        self.weekdays.contains(word.as_str()) || self.months.contains(word.as_str()) && is_next_to_number()
    }
}
