//! A JSON value of bounded size whose scalars are all texts.
//!
//! Never keeps more than [`MAX_VALUES`] values: further ones are parsed and dropped, so that the memory stays a small
//! multiple of the document's size.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// 5,000 items with 40 members each.
const MAX_VALUES: usize = 200_000;

/// Numbers and booleans are kept as the text that they are used as.
#[derive(Debug, PartialEq)]
pub enum LenientValue {
    Null,
    Text(String),
    List(Vec<LenientValue>),
    Object(Vec<(String, LenientValue)>),
}

/// Parses a JSON text. Anything after the first value is ignored.
pub fn parse_lenient(text: &str) -> Result<LenientValue, serde_json::Error> {
    let remaining = Cell::new(MAX_VALUES);
    BoundedVisitor { remaining: &remaining }.deserialize(&mut serde_json::Deserializer::from_str(text))
}

impl LenientValue {
    /// A member of an object that is present and not null.
    pub fn get(&self, name: &str) -> Option<&LenientValue> {
        let LenientValue::Object(members) = self else { return None };
        let (_, value) = members.iter().find(|(member, _)| member == name)?;
        (*value != LenientValue::Null).then_some(value)
    }

    /// Removes a member of an object.
    pub fn take(&mut self, name: &str) -> Option<LenientValue> {
        let LenientValue::Object(members) = self else { return None };
        let (_, value) = members.iter_mut().find(|(member, _)| member == name)?;
        Some(std::mem::replace(value, LenientValue::Null))
    }

    /// The trimmed text, if the value is a text and not blank.
    pub fn as_text(&self) -> Option<String> {
        let LenientValue::Text(text) = self else { return None };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The text of a member.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_text()
    }

    /// The elements of a member that is a list; otherwise none.
    pub fn list(&self, name: &str) -> &[LenientValue] {
        match self.get(name) {
            Some(LenientValue::List(list)) => list,
            _ => &[],
        }
    }
}

#[derive(Clone, Copy)]
struct BoundedVisitor<'c> {
    /// How many more values are kept.
    remaining: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for BoundedVisitor<'_> {
    type Value = LenientValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LenientValue, D::Error> {
        if self.remaining.get() == 0 {
            return IgnoredAny::deserialize(deserializer).map(|_| LenientValue::Null);
        }
        self.remaining.set(self.remaining.get() - 1);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BoundedVisitor<'_> {
    type Value = LenientValue;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<LenientValue, E> {
        Ok(LenientValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<LenientValue, E> {
        Ok(LenientValue::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<LenientValue, E> {
        Ok(LenientValue::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<LenientValue, E> {
        Ok(LenientValue::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<LenientValue, E> {
        Ok(LenientValue::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<LenientValue, E> {
        Ok(LenientValue::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<LenientValue, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = sequence.next_element_seed(self)? {
            if self.remaining.get() > 0 {
                list.push(value);
            }
        }
        Ok(LenientValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LenientValue, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self)?;
            if self.remaining.get() > 0 {
                members.push((name, value));
            }
        }
        Ok(LenientValue::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_limit_are_dropped() {
        let text = format!("[{}0]", "0,".repeat(MAX_VALUES * 2));
        let Ok(LenientValue::List(list)) = parse_lenient(&text) else { panic!("a list") };
        assert!(list.len() <= MAX_VALUES);
    }
}
