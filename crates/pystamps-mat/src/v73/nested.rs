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
        self.charge_references(count)?;
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
    pub(super) fn struct_dims(&mut self, group: &Group) -> Result<Vec<usize>> {
        let names = self.dataset_names(group)?;
        match self.array_field(group, &names)? {
            Some(dataset) => self.dims(&dataset),
            None => Ok(vec![1, 1]),
        }
    }

    /// The first of the fields `names` of a structure array; `None` if the group is a 1 x 1 structure.
    /// Only the fields of an array are references without a class of their own.
    fn array_field(&self, group: &Group, names: &[String]) -> Result<Option<Dataset>> {
        let Some(name) = names.first() else { return Ok(None) };
        let dataset = self.dataset(group, name)?;
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
        let names = self.dataset_names(group)?;
        let array_dims = match self.array_field(group, &names)? {
            Some(dataset) => Some(self.dims(&dataset)?),
            None => None,
        };
        let mut members: Vec<(String, Vec<Value>)> = Vec::new();
        for name in names {
            let dataset = self.dataset(group, &name)?;
            let values = match &array_dims {
                Some(_) => self.referenced(&dataset, depth)?,
                None => vec![self.dataset_value(&dataset, depth + 1)?],
            };
            members.push((name, values));
        }
        for name in self.group_names(group)? {
            let inner = self.group(group, &name)?;
            members.push((name, vec![self.group_value(&inner, depth + 1)?]));
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
