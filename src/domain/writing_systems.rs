//! Properties of writing systems.

/// Returns whether a character belongs to a script whose words are not suitable as search units: a script without
/// spaces between words (such as Chinese, Japanese, Thai, Lao, Burmese and Khmer), or Hangul, in which particles are
/// attached to words. Covers whole blocks, including their marks and punctuation.
pub fn is_unspaced_script(c: char) -> bool {
    matches!(c as u32,
        // Thai, Lao
        0x0e00..=0x0eff
        // Myanmar, Hangul Jamo, Khmer
        | 0x1000..=0x109f | 0x1100..=0x11ff | 0x1780..=0x17ff
        // Tai Le, New Tai Lue, Khmer symbols, Tai Tham, Balinese
        | 0x1950..=0x19ff | 0x1a20..=0x1aaf | 0x1b00..=0x1b7f
        // Iteration marks and ideographic numerals, kana, Bopomofo, Hangul compatibility Jamo, kana extensions
        | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035 | 0x3038..=0x303c | 0x3040..=0x31bf | 0x31f0..=0x31ff
        // Han, Yi
        | 0x3400..=0xa4cf
        // Hangul Jamo extended, Javanese, Myanmar extended, Hangul syllables, Han compatibility
        | 0xa960..=0xa97f | 0xa980..=0xa9ff | 0xaa60..=0xaa7f | 0xac00..=0xd7ff | 0xf900..=0xfaff
        // Kana supplements, Han extensions
        | 0x1aff0..=0x1b16f | 0x20000..=0x3ffff)
}

/// Returns whether a character is Hangul. Korean separates words with spaces, but attaches particles to words.
pub fn is_hangul(c: char) -> bool {
    matches!(c as u32, 0x1100..=0x11ff | 0x3130..=0x318f | 0xa960..=0xa97f | 0xac00..=0xd7ff)
}
