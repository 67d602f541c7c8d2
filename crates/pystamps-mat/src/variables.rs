//! Defines the ordered collection of named values that a file holds.

use crate::Value;
use std::collections::BTreeMap;

/// Variables of one file in insertion order; names are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variables {
    entries: Vec<(String, Value)>,
    /// Place of each name in `entries`, so that a file of many variables reads in linear time.
    positions: BTreeMap<String, usize>,
}

impl Variables {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `name`, in its old place if it is there already; gives the value it had.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        let name = name.into();
        if let Some(&position) = self.positions.get(&name) {
            return Some(std::mem::replace(&mut self.entries[position].1, value));
        }
        self.positions.insert(name.clone(), self.entries.len());
        self.entries.push((name, value));
        None
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.positions.get(name).map(|&position| &self.entries[position].1)
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let removed = self.positions.remove(name)?;
        for position in self.positions.values_mut().filter(|position| **position > removed) {
            *position -= 1;
        }
        Some(self.entries.remove(removed).1)
    }

    /// Whether there is a variable `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Number of variables.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no variables.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl IntoIterator for Variables {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<S: Into<String>> FromIterator<(S, Value)> for Variables {
    fn from_iter<I: IntoIterator<Item = (S, Value)>>(entries: I) -> Self {
        let mut variables = Self::new();
        for (name, value) in entries {
            variables.insert(name, value);
        }
        variables
    }
}
