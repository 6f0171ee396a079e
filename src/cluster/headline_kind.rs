//! Classifies headlines as roundups, shopping offers and regular sections by cue phrases that newsrooms use.

use crate::domain::writing_systems::is_unspaced_script;
use aho_corasick::AhoCorasick;

/// The kind of content that a headline announces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeadlineKind {
    /// Whether the item covers many events.
    pub roundup: bool,
    /// Whether the item offers something to buy.
    pub offer: bool,
    /// Whether the item belongs to a regular section whose texts resemble each other every day.
    pub rubric: bool,
}

/// Cue phrases of roundups, newsletters, galleries and puzzles.
const ROUNDUP_CUES: &str = "\
    briefing | newsletter | round-up | roundup | first thing | up first | morning report | morning update | \
    afternoon update | evening update | headlines | digest | at a glance | key events | podcast | quiz | \
    crossword | horoscope | market talk | corrections | letters | in pictures | photos of the | \
    week in review | this week's | this week’s | best of | things to know | five things | cartoon | today's | \
    today’s | top stories | morning brief | evening brief | \
    presseschau | newsblog | wochenrückblick | schlagzeilen | bildergalerie | \
    revue de presse | l'essentiel | l’essentiel | en images | mots croisés | \
    titulares | resumen de | en imágenes | crucigrama | horóscopo | \
    rassegna stampa | oroscopo | le foto | manchetes | nieuwsoverzicht | дайджест | przegląd prasy | horoskop";

/// Cue phrases of offers, without "deal", "buy" and "record low", which are also common in reports on politics and
/// markets.
const OFFER_CUES: &str = "\
    deals | preorder | pre-order | preorders | pre-orders | save $ | save £ | save € | best price | \
    lowest price | on sale | discount | discounts | % off | cheapest | price drop | prime day | black friday | \
    coupon | coupons | promo | \
    im angebot | schnäppchen | bons plans | ofertas";

/// Cue phrases of regular sections: horoscopes, puzzles, lotteries.
const RUBRIC_CUES: &str = "\
    horoscope | horoscopes | zodiac | crossword | sudoku | lottery numbers | winning numbers | \
    horoskop | tageshoroskop | lottozahlen | kreuzworträtsel | mots croisés | tirage du loto | horóscopo | crucigrama | \
    oroscopo | cruciverba | horoscoop | kruiswoordpuzzel | krzyżówka | гороскоп | сканворд | horoskooppi | οι προβλέψεις των ζωδίων | \
    burç yorumları | günlük burç | zodiak hari ini | 星座占い | 今日の運勢 | 運勢 | 占い | 运势 | 運勢 | 星座 | 오늘의 운세 | 운세";

/// Cue phrases of regular sections in short titles. A longer title with such a phrase may report an event, such as a
/// storm.
const SHORT_RUBRIC_CUES: &str = "\
    weather forecast | forecast | weather | weather today | tides | tide times | tv guide | tv tonight | obituaries | traffic report | police blotter | \
    wetter | wettervorhersage | wetterbericht | tv-programm | todesanzeigen | météo | prévisions météo | programme tv | nécrologie | \
    el tiempo | pronóstico del tiempo | previsión del tiempo | clima hoy | farmacias de guardia | obituarios | previsão do tempo | meteo | previsioni meteo | \
    weerbericht | het weer | weersverwachting | pogoda | prognoza pogody | погода | прогноз погоды | прогноз погоди | курс валют | väder | vädret | været | \
    værvarsel | vejret | vejrudsigt | sää | säätiedotus | počasí | předpověď počasí | időjárás | vremea | prognoza meteo | ο καιρός | hava durumu | \
    prakiraan cuaca | dự báo thời tiết | 天気 | 天気予報 | 天气 | 天气预报 | 天氣 | 天氣預報 | 番組表 | 날씨";
/// The maximum length of a short title: in words, and in characters for scripts without spaces.
const MAX_SHORT_TITLE_WORDS: usize = 6;
const MAX_SHORT_TITLE_CHARS: usize = 16;

/// A classifier that finds the cue phrases of all kinds in a title.
pub struct HeadlineClassifier {
    cues: AhoCorasick,
    /// For each list of cues, in the order of [`CUES`], the number of the first cue after the list.
    ends: [usize; CUES.len()],
}

const CUES: [&str; 4] = [ROUNDUP_CUES, OFFER_CUES, RUBRIC_CUES, SHORT_RUBRIC_CUES];

impl Default for HeadlineClassifier {
    fn default() -> HeadlineClassifier {
        let counts = CUES.map(|cues| cues.split(" | ").count());
        let ends = std::array::from_fn(|list| counts[..=list].iter().sum());
        let cues = CUES.iter().flat_map(|cues| cues.split(" | "));
        let cues = AhoCorasick::builder().ascii_case_insensitive(true).build(cues);
        let cues = cues.unwrap_or_else(|error| unreachable!("the automaton of a few cues fits: {error}"));
        HeadlineClassifier { cues, ends }
    }
}

impl HeadlineClassifier {
    /// Classifies a lowercase title.
    pub fn classify(&self, title: &str) -> HeadlineKind {
        // Two semicolons separate the entries of a roundup.
        let mut kind = HeadlineKind { roundup: title.matches(';').nth(1).is_some(), ..HeadlineKind::default() };
        let is_short = || match title.contains(is_unspaced_script) {
            true => title.chars().nth(MAX_SHORT_TITLE_CHARS).is_none(),
            false => title.split_whitespace().nth(MAX_SHORT_TITLE_WORDS).is_none(),
        };
        for cue in self.cues.find_overlapping_iter(title).filter(|cue| is_whole_words(title, cue.range())) {
            match self.ends.iter().position(|end| cue.pattern().as_usize() < *end) {
                Some(0) => kind.roundup = true,
                Some(1) => kind.offer = true,
                Some(2) => kind.rubric = true,
                _ => kind.rubric |= is_short(),
            }
        }
        kind
    }
}

/// Returns whether a range of the text starts and ends at word boundaries.
fn is_whole_words(text: &str, range: std::ops::Range<usize>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_unspaced_script(c));
    let cue = &text[range.clone()];
    let cut_at_start = is_letter(text[..range.start].chars().next_back()) && is_letter(cue.chars().next());
    let cut_at_end = is_letter(cue.chars().next_back()) && is_letter(text[range.end..].chars().next());
    !cut_at_start && !cut_at_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_match_whole_words_only() {
        let classifier = HeadlineClassifier::default();
        let kind = |title: &str| classifier.classify(&title.to_lowercase());
        assert!(kind("Morning Briefing: what to watch").roundup);
        assert!(kind("Rates rise; storm nears; cup final").roundup);
        assert!(!kind("Debriefings of the crew begin").roundup);
        assert!(kind("Lumen 9 is 20% off").offer);
        assert!(kind("The best deals on headphones").offer);
        assert!(!kind("Minister strikes a plea deal").offer);
        for title in
            ["Daily horoscope: what the stars say about your day", "Weather for Saturday", "今日の天気", "오늘의 운세"]
        {
            assert!(kind(title).rubric, "{title}");
        }
        assert!(!kind("Weather service warns of the heaviest snow in forty years").rubric);
        assert!(!kind("Over 500 deaths a week in hospitals").roundup);
    }
}
