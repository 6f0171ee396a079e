//! Converts text to the form of the full-text index, for both items and queries.
//!
//! SQLite's tokenizer `unicode61` splits words at spaces and punctuation. In scripts without spaces, it produces whole
//! clauses. This module therefore writes a run of such characters as overlapping pairs, followed by the last character:
//! `東京電力` becomes `東京 京電 電力 力`. A longer word becomes a phrase of pairs. A single character starts a pair or ends a
//! run, so the search uses it as a prefix. A character is a grapheme cluster (UAX #29), such as a consonant with its
//! vowel signs and tone marks.
//!
//! This form is never stored as display text: results show the original text of the item.

use crate::domain::display_text::is_invisible;
use crate::domain::writing_systems::{is_hangul, is_unspaced_script};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

/// A word or phrase of a query in the form of the index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SearchPhrase {
    pub text: String,
    /// Whether the last term is a prefix of a term in the index.
    pub is_prefix: bool,
}

/// Returns the text of an item in the form of the index.
pub(super) fn indexed_text(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let folded = fold(text);
    let mut writer = PairWriter::default();
    writer.push_text(&folded);
    writer.end_run();
    writer.out.into()
}

/// Converts a word or phrase of a query. It may end in the middle of a run of the indexed text.
pub(super) fn search_phrase(text: &str) -> SearchPhrase {
    let folded = fold(text);
    let is_letter = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let mut writer = PairWriter::default();
    writer.push_text(folded.trim_end_matches(|c| !is_letter(c)));
    let is_prefix = writer.end_query();
    SearchPhrase { text: writer.out, is_prefix }
}

/// Maps letters that readers consider identical to the same code point.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_ignored(*c)) {
        if has_east_asian_form(c) {
            decompose_compatible(c, |part| folded.push(part));
        } else if let Some(letters) = plain_letters(c) {
            folded.push_str(letters);
        } else {
            folded.push(c);
        }
    }
    if folded.is_ascii() { folded } else { folded.nfc().collect() }
}

/// Returns whether a character changes only the shape or the line breaks of a word, so that people do not type the
/// character: an invisible character, a joiner, a variation selector, or a vowel point of Arabic.
fn is_ignored(c: char) -> bool {
    (is_invisible(c) && !c.is_whitespace())
        || matches!(c, '\u{200d}' | '\u{640}' | '\u{64b}'..='\u{652}' | '\u{670}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}')
}

/// Returns the plain form of a Latin letter that Unicode does not decompose, because people search for `Łódź` and
/// `Straße` as `lodz` and `strasse`. SQLite's tokenizer removes the other diacritics.
fn plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' | 'ẞ' => "ss",
        'ł' | 'Ł' => "l",
        'ø' | 'Ø' => "o",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'ħ' | 'Ħ' => "h",
        'ŧ' | 'Ŧ' => "t",
        'ı' => "i",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'þ' | 'Þ' => "th",
        _ => return None,
    })
}

/// Returns whether a character is a half-width or full-width form, a squared word, a Kangxi radical or a Jamo of one
/// Hangul letter. Other compatibility characters are unchanged, because `™` is not part of the word before it.
fn has_east_asian_form(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{3000}'..='\u{33ff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}' | '\u{e33}' | '\u{eb3}')
}

/// A writer of text that converts the runs of unspaced scripts to pairs.
#[derive(Default)]
struct PairWriter<'a> {
    out: String,
    /// The characters of the current run.
    run: Vec<&'a str>,
}

impl<'a> PairWriter<'a> {
    fn push_text(&mut self, text: &'a str) {
        let mut has_space = false;
        for grapheme in text.graphemes(true) {
            if is_unspaced(grapheme) {
                // A line break or a space inside a Chinese, Japanese or Thai word does not separate words.
                if has_space && (starts_with_hangul(grapheme) || self.run.last().is_some_and(|l| starts_with_hangul(l)))
                {
                    self.end_run();
                }
                self.run.push(grapheme);
                has_space = false;
            } else if !self.run.is_empty() && grapheme.chars().all(char::is_whitespace) {
                has_space = true;
            } else {
                self.end_run();
                if has_space {
                    self.out.push(' ');
                }
                has_space = false;
                self.out.push_str(grapheme);
            }
        }
    }

    /// Writes the current run, including its last character.
    fn end_run(&mut self) {
        let Some(last) = self.run.last().copied() else { return };
        self.write_pairs();
        self.write_term(last, "");
        self.run.clear();
    }

    /// Writes the current run, which may continue in the index. Returns whether a single character starts a term.
    fn end_query(&mut self) -> bool {
        self.write_pairs();
        match *self.run {
            [only] => {
                self.write_term(only, "");
                true
            }
            _ => false,
        }
    }

    fn write_pairs(&mut self) {
        if !self.run.is_empty() {
            self.out.push(' ');
        }
        for place in 1..self.run.len() {
            self.write_term(self.run[place - 1], self.run[place]);
        }
    }

    fn write_term(&mut self, first: &str, second: &str) {
        // The tokenizer would split a term at a zero-width non-joiner.
        self.out.extend(first.chars().chain(second.chars()).filter(|c| *c != '\u{200c}'));
        self.out.push(' ');
    }
}

fn is_unspaced(grapheme: &str) -> bool {
    grapheme.chars().next().is_some_and(|c| c.is_alphanumeric() && is_unspaced_script(c))
}

fn starts_with_hangul(grapheme: &str) -> bool {
    grapheme.starts_with(is_hangul)
}

#[cfg(test)]
mod tests {
    use super::super::fts_query::{from_user_input, indexed_expression};
    use super::super::open::open_writer;
    use super::*;

    /// Asserts that a search for `query` finds an item with the title `text`, or does not find it if `expected` is
    /// false.
    fn check(text: &str, query: &str, expected: bool) {
        let expression = from_user_input(query).unwrap_or_else(|| panic!("{query} has no word"));
        assert_eq!(matches(text, &expression), expected, "{query} in {text}, as {expression}");
    }

    /// Returns whether an item with this title matches an FTS5 expression.
    fn matches(text: &str, expression: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let db = open_writer(&folder.path().join("news.db")).unwrap();
        db.execute("INSERT INTO item_fts (rowid, title, summary) VALUES (1, search_text(?1), '')", [text]).unwrap();
        db.exists("SELECT 1 FROM item_fts WHERE item_fts MATCH ?1", [indexed_expression(expression)]).unwrap()
    }

    #[test]
    fn run_becomes_its_pairs_and_its_last_character() {
        for (text, expected) in [
            ("Grid fails", "Grid fails"),
            ("首相辞任", " 首相 相辞 辞任 任 "),
            ("5月の会談", "5 月の の会 会談 談 "),
            ("ﾆｭｰｽ７", " ニュ ュー ース ス 7"),
            ("ข่าวด่วน", " ข่า าว วด่ ด่ว วน น "),
        ] {
            let terms = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(terms(&indexed_text(text)), terms(expected), "for {text}");
        }
    }

    #[test]
    fn words_of_unspaced_scripts_are_found_inside_their_runs() {
        for (text, found, not_found) in [
            ("山城市发生六级地震", &["地震", "山城", "发生六级", "震", "山城 地震"][..], &["城山", "震地", "七级"][..]),
            ("首相が突然の辞任を発表", &["辞任", "首相", "発表", "突然の辞任", "表"], &["任辞", "発言"]),
            ("台風１５号がｶﾞｽ管を直撃", &["台風15号", "ガス", "15", "ガス管"], &["カス", "5号"]),
            ("부산에서 열린 회담이 끝났다", &["부산", "회담", "회담이 끝났다", "담"], &["산부", "담회"]),
            ("น้ำท่วมเชียงใหม่หลังฝนตก", &["น้ำ", "ฝน", "ท่วม", "เชียงใหม่"], &["นำ", "ฟน", "ตกฝน"]),
            ("ນ້ຳຖ້ວມນະຄອນ", &["ນ້ຳ", "ນະຄອນ"], &["ຄອນນະ"]),
            ("ទឹកជំនន់នៅភ្នំពេញ", &["ទឹក", "ភ្នំពេញ"], &["ពេញភ្នំ"]),
            ("ရန်ကုန်မြို့တွင်ရေကြီး", &["ရန်ကုန်", "ရေကြီး"], &["ကုန်ရန်"]),
            ("新型iPhone17を発売", &["iPhone17", "発売", "新型iPhone17", "iphone17を"], &["iPhone", "発売新型"]),
            ("Tokyo東京 Grid", &["tokyo", "東京", "grid", "Tokyo東京"], &["京東"]),
        ] {
            found.iter().for_each(|query| check(text, query, true));
            not_found.iter().for_each(|query| check(text, query, false));
        }
    }

    #[test]
    fn another_form_of_the_same_letters_is_found() {
        let jamo: String = "부산".nfd().collect();
        check(&jamo, "부산", true);
        check("부산에서", &jamo, true);
        check("ＡＢＣ放送", "abc放送", true);
        check("葛\u{e0100}城市", "葛城", true);
        check("山田　太郎氏", "山田太郎", true);
        check("山田太郎氏", "山田 太郎", true);
        check("ข่าว\u{200b}ด่วน", "ข่าวด่วน", true);
        check("Crème brûlée", "creme BRULEE", true);
        check("Straße nach Łódź gesperrt", "strasse lodz", true);
        check("STRASSE NACH LODZ", "Straße Łódź", true);
        check("Smørrebrød på Ærø", "smorrebrod aero", true);
        check("Kışla İzmir", "kisla izmir", true);
        check("Cre\u{300}me", "crème", true);
        check("قِطار", "قطار", true);
        check("दिल्ली में बारिश", "दिल्ली", true);
        check("दिल्ली में बारिश", "दल", false);
        check("Phone™ and №5", "phone 5", true);
    }

    #[test]
    fn clause_marks_separate_words_and_marks_at_the_end_of_a_query_do_not() {
        check("地震、津波の恐れ", "震津", false);
        check("地震、津波の恐れ", "「津波」", true);
        check("地震、津波の恐れ", "津波。", true);
        check("地震、津波の恐れ", "地震、津波", true);
        check("서울 지진", "울지", false);
    }

    #[test]
    fn expressions_of_feeds_keep_their_operators() {
        let text = "東京電力の株価が上昇";
        for (expression, expected) in [
            ("地震 OR 電力", true),
            ("電力 AND 株価", true),
            ("電力 NOT 株価", false),
            ("電力　株価", true),
            ("\"東京電力\" NOT (地震 OR 津波)", true),
            ("title : 電力", true),
            ("summary : 電力", false),
            ("{title summary} : 電力", true),
            ("NEAR(東京 上昇, 12)", true),
            ("NEAR(東京 上昇, 2)", false),
            ("^東京", true),
            ("^電力", false),
            ("東京*", true),
            ("昇 OR grid", true),
            ("\"a\"\"b\" OR 株", true),
        ] {
            assert_eq!(matches(text, expression), expected, "{expression}: {}", indexed_expression(expression));
        }
        for ascii in ["grid AND NOT \"power plant\" OR a*", "title : (a + b) NEAR(c d, 3)", "\"unclosed", ""] {
            assert_eq!(indexed_expression(ascii), ascii);
        }
    }
}
