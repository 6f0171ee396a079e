//! Recognizes invitations in languages that put the imperative last, or that are written without spaces.

use super::super::words::{consists_of, trim_signs, words_of};
use super::shared_words::{OUTLET_WORDS, OWN_WORDS, is_outlet_word_in};

/// Imperatives at the end of a line, in lowercase.
const LAST_WORDS: &[&str] = &["takip edin", "takip et", "abone olun", "beğenin", "abonnieren", "folgen"];
const MAX_UNSPACED_BYTES: usize = 100;
/// Words of invitations in languages that are written without spaces, in lowercase.
#[rustfmt::skip]
const UNSPACED_WORDS: &[&str] = &[
    "关注", "關注", "欢迎", "请", "我们", "我們", "的", "微信", "公众号", "微博", "订阅", "訂閱", "频道", "頻道", "官方", "扫码", "加入", "群", "フォロー", "して",
    "ください", "しよう", "公式", "を", "の", "アカウント", "チャンネル", "登録", "お願いします", "友だち追加", "メルマガ", "팔로우", "하세요", "구독", "채널", "에서", "을",
    "를", "페이스북", "유튜브", "facebook", "twitter", "x", "line", "telegram", "youtube", "instagram",
];

/// Returns whether a line ends with an imperative that concerns the outlet, or consists of the words of an invitation
/// without spaces. `lower` is the line in lowercase.
pub fn is_last_imperative(line: &str, lower: &str) -> bool {
    let ends = || LAST_WORDS.iter().any(|words| trim_signs(lower).ends_with(words));
    let is_own = || words_of(lower).any(|word| OWN_WORDS.contains(&word));
    (line.len() <= MAX_UNSPACED_BYTES && !lower.is_ascii() && consists_of(lower, UNSPACED_WORDS))
        || (ends()
            && is_own()
            && !lower.contains(". ")
            && OUTLET_WORDS.iter().any(|word| is_outlet_word_in(lower, word)))
}
