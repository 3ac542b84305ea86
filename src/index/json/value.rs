//! A JSON value of any type.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value of any type, so that a value of the wrong type never ends the reading of a page.
#[derive(Default)]
pub(super) enum JsonValue<'a, Object = IgnoredAny> {
    /// Missing or `null`.
    #[default]
    Absent,
    Bool(bool),
    Number(u64),
    Text(Cow<'a, str>),
    Object(Object),
    /// A list, or a number that is negative or has a fraction.
    Other,
}

impl<'a, Object> JsonValue<'a, Object> {
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether Python takes the value for true, as pip reads flags.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Absent | Self::Bool(false) | Self::Number(0) => false,
            Self::Text(text) => !text.is_empty(),
            _ => true,
        }
    }
}

impl<Object: Default> JsonValue<'_, Object> {
    /// Returns the object; a value of another type is replaced by an empty object.
    pub fn object(&mut self) -> &mut Object {
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Object::default());
        }
        let Self::Object(object) = self else { unreachable!("it has just become one") };
        object
    }
}

impl<'de: 'a, 'a, Object: Deserialize<'de>> Deserialize<'de> for JsonValue<'a, Object> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor(PhantomData))
    }
}

struct ValueVisitor<Object>(PhantomData<Object>);

impl<'de, Object: Deserialize<'de>> Visitor<'de> for ValueVisitor<Object> {
    type Value = JsonValue<'de, Object>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(JsonValue::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(JsonValue::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(JsonValue::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(JsonValue::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(JsonValue::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(JsonValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(JsonValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(JsonValue::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Object::deserialize(MapAccessDeserializer::new(map)).map(JsonValue::Object)
    }
}
