//! A JSON value of which only so much is kept.
//!
//! Never keeps more than [`MAX_VALUES`] values: what comes after them is read and dropped, so memory stays a small
//! multiple of the document's size.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// 5,000 items with 40 members each.
const MAX_VALUES: usize = 200_000;

/// Numbers and booleans are kept as the text that they are used as.
#[derive(Debug, PartialEq)]
pub enum Loose {
    Nothing,
    Text(String),
    List(Vec<Loose>),
    Map(Vec<(String, Loose)>),
}

pub fn read(text: &str) -> Result<Loose, serde_json::Error> {
    let left = Cell::new(MAX_VALUES);
    Keep { left: &left }.deserialize(&mut serde_json::Deserializer::from_str(text))
}

impl Loose {
    pub fn get(&self, name: &str) -> Option<&Loose> {
        match self {
            Loose::Map(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
        .filter(|value| **value != Loose::Nothing)
    }

    /// Takes a member out.
    pub fn take(&mut self, name: &str) -> Option<Loose> {
        match self {
            Loose::Map(members) => members.iter_mut().find(|(n, _)| n == name),
            _ => None,
        }
        .map(|(_, value)| std::mem::replace(value, Loose::Nothing))
    }

    /// A text that is there and not blank.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Loose::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_text()
    }

    pub fn list(&self, name: &str) -> &[Loose] {
        match self.get(name) {
            Some(Loose::List(list)) => list,
            _ => &[],
        }
    }
}

#[derive(Clone, Copy)]
struct Keep<'c> {
    left: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = Loose;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Loose, D::Error> {
        if self.left.get() == 0 {
            return IgnoredAny::deserialize(from).map(|_| Loose::Nothing);
        }
        self.left.set(self.left.get() - 1);
        from.deserialize_any(self)
    }
}

use serde::Deserialize;

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Loose, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = from.next_element_seed(self)? {
            if self.left.get() > 0 {
                list.push(value);
            }
        }
        Ok(Loose::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Loose, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = from.next_key::<String>()? {
            let value = from.next_value_seed(self)?;
            if self.left.get() > 0 {
                members.push((name, value));
            }
        }
        Ok(Loose::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_limit_is_dropped() {
        let text = format!("[{}0]", "0,".repeat(MAX_VALUES * 2));
        let Ok(Loose::List(list)) = read(&text) else { panic!("a list") };
        assert!(list.len() <= MAX_VALUES);
    }
}
