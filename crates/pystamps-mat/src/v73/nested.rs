//! Follows what lies inside other values: cells, structures and structure arrays.

use super::datatype::is_object_reference;
use super::notes::Notes;
use super::read::Reading;
use crate::value::count_elements;
use crate::{Result, StructArray, Value};
use hdf5_pure::{Dataset, Group, Object};
use std::io::{Read, Seek};

impl<R: Read + Seek> Reading<'_, R> {
    /// Reads the values that a dataset of references points at.
    pub(super) fn referenced(&mut self, dataset: &Dataset, depth: usize) -> Result<Vec<Value>> {
        if depth >= self.nesting {
            return Err(self.exceeded("nested values", self.nesting as u64, depth as u64 + 1));
        }
        let count = count_elements(&self.dims(dataset)?).unwrap_or(usize::MAX) as u64;
        let Some(left) = self.references_left.checked_sub(count) else {
            let limit = self.reader.length() / 8;
            return Err(self.exceeded("references", limit, limit - self.references_left + count));
        };
        self.references_left = left;
        let objects = dataset.dereference().map_err(|error| self.damaged(error))?;
        let mut values = Vec::with_capacity(objects.len());
        for object in objects {
            values.push(match object {
                Object::Dataset(dataset) => self.dataset_value(&dataset, depth + 1)?,
                Object::Group(group) => self.group_value(&group, depth + 1)?,
                _ => {
                    return Err(
                        self.unsupported("a reference to neither array nor group".to_owned())
                    );
                }
            });
        }
        Ok(values)
    }

    /// Dimensions of the structure that a group is: those of its fields' references if it is an
    /// array, else 1 x 1.
    pub(super) fn struct_dims(&self, group: &Group) -> Result<Vec<usize>> {
        match self.array_field(group)? {
            Some(dataset) => self.dims(&dataset),
            None => Ok(vec![1, 1]),
        }
    }

    /// The first field of a structure array; `None` if the group is a 1 x 1 structure. Only the
    /// fields of an array are references without a class of their own.
    fn array_field(&self, group: &Group) -> Result<Option<Dataset>> {
        let Some((_, dataset)) = self.datasets(group)?.into_iter().next() else {
            return Ok(None);
        };
        let is_reference = is_object_reference(&self.datatype(&dataset)?);
        let unclassed = self.dataset_notes(&dataset)?.class_name.is_none();
        Ok((is_reference && unclassed).then_some(dataset))
    }

    /// Reads a group: a structure or a sparse matrix.
    pub(super) fn group_value(&mut self, group: &Group, depth: usize) -> Result<Value> {
        if depth >= self.nesting {
            return Err(self.exceeded("nested values", self.nesting as u64, depth as u64 + 1));
        }
        let attributes = group.attrs().map_err(|error| self.damaged(error))?;
        let notes = Notes::of(attributes);
        if notes.sparse {
            return Err(self.unsupported("a sparse matrix in a v7.3 file".to_owned()));
        }
        if let Some(name) = notes.class_name.filter(|name| name != "struct") {
            return Err(self.unsupported(format!("a variable of class {name}")));
        }
        let array_dims = match self.array_field(group)? {
            Some(dataset) => Some(self.dims(&dataset)?),
            None => None,
        };
        let mut members: Vec<(String, Vec<Value>)> = Vec::new();
        for (name, dataset) in self.datasets(group)? {
            let values = match &array_dims {
                Some(_) => self.referenced(&dataset, depth)?,
                None => vec![self.dataset_value(&dataset, depth + 1)?],
            };
            members.push((name, values));
        }
        for (name, group) in self.groups(group)? {
            members.push((name, vec![self.group_value(&group, depth + 1)?]));
        }
        if let Some(order) = notes.fields {
            let place = |name: &String| order.iter().position(|field| field == name);
            members.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        }
        let dims = array_dims.unwrap_or_else(|| vec![1, 1]);
        let count = count_elements(&dims).unwrap_or(usize::MAX);
        if let Some((name, values)) = members.iter().find(|(_, values)| values.len() != count) {
            let expected = format!("{count} values in each field");
            return Err(self.malformed(expected, format!("{} in {name}", values.len())));
        }
        let (fields, columns): (Vec<String>, Vec<Vec<Value>>) = members.into_iter().unzip();
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        let values = (0..count)
            .flat_map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>());
        let values = if fields.is_empty() { Vec::new() } else { values.collect() };
        StructArray::new(dims, fields, values)
            .map(Value::Struct)
            .ok_or_else(|| self.malformed("field names that differ", "the same name twice"))
    }
}
