//! Writes v7.3 files in the form MATLAB loads.
//!
//! The HDF5 library lays out the whole file first and then asks for the data block by block. It
//! wants to own whoever answers, while our values are borrowed: so it runs in a thread of its own
//! and sends its questions to the one that holds the values.

use crate::payload::Payload;
use crate::value::count_elements;
use crate::write::check_field_names;
use crate::{ElementSource, ElementType, Error, Result, Value};
use hdf5_pure::mat::{Block, BlockElement, DataProducer, MatBuilder, MatClass, MatError, Options};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Collects variables and writes them all in [`V73Writer::finish`].
pub(crate) struct V73Writer<'a> {
    file: File,
    path: PathBuf,
    staged: Vec<(String, Staged<'a>)>,
}

enum Staged<'a> {
    Value(Cow<'a, Value>),
    Source { element: ElementType, dims: Vec<usize>, source: &'a mut dyn ElementSource },
}

impl<'a> V73Writer<'a> {
    pub(crate) fn new(file: File, path: &Path) -> Self {
        Self { file, path: path.to_path_buf(), staged: Vec::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Accepts a variable for [`V73Writer::finish`].
    pub(crate) fn stage_value(&mut self, name: &str, value: Cow<'a, Value>) -> Result<()> {
        self.check_value(name, &value)?;
        self.staged.push((name.to_owned(), Staged::Value(value)));
        Ok(())
    }

    /// Accepts a streamed variable for [`V73Writer::finish`].
    pub(crate) fn stage_source(
        &mut self,
        name: &str,
        element: ElementType,
        dims: &[usize],
        source: &'a mut dyn ElementSource,
    ) {
        let staged = Staged::Source { element, dims: dims.to_vec(), source };
        self.staged.push((name.to_owned(), staged));
    }

    fn unsupported(&self, name: &str, what: &str, remedy: &'static str) -> Error {
        Error::Unsupported {
            path: self.path.clone(),
            variable: Some(name.to_owned()),
            what: format!("writing {what} to a v7.3 file"),
            remedy,
        }
    }

    /// Refuses what the format or the library cannot hold before anything is written.
    fn check_value(&self, name: &str, value: &Value) -> Result<()> {
        match value {
            Value::Char(text) if text.units().is_empty() => Ok(()),
            Value::Char(text) if text.dims().len() != 2 || text.dims()[0] != 1 => {
                Err(self.unsupported(name, "several rows of text", "write a cell of texts"))
            }
            Value::Char(text) if String::from_utf16(text.units()).is_err() => {
                Err(self.unsupported(name, "half a character", "write complete characters"))
            }
            Value::Numeric(_) | Value::Logical(_) | Value::Char(_) => Ok(()),
            Value::Cell(cells) => {
                cells.values().iter().try_for_each(|value| self.check_value(name, value))
            }
            Value::Struct(structs) => {
                check_field_names(&self.path, name, structs)?;
                let plain_empty =
                    structs.fields().is_empty() && count_elements(structs.dims()) == Some(0);
                if structs.dims() != [1, 1] && !plain_empty {
                    return Err(self.unsupported(
                        name,
                        "a structure array",
                        "write a cell of structs",
                    ));
                }
                structs.values().iter().try_for_each(|value| self.check_value(name, value))
            }
            Value::Sparse(_) => {
                Err(self.unsupported(name, "a sparse matrix", "convert it to a full matrix"))
            }
        }
    }

    /// Writes everything.
    pub(crate) fn finish(self) -> Result<()> {
        let Self { file, path, mut staged } = self;
        let mut builder = MatBuilder::new(Options::default());
        let (requests, inbox) = channel();
        let mut payloads = Payloads { all: Vec::new(), answers: Vec::new(), requests };
        for (name, staged) in &mut staged {
            let outcome = match staged {
                Staged::Value(value) => stage_value(&mut builder, &mut payloads, name, value),
                Staged::Source { element, dims, source } => {
                    let payload = Payload::of_source(*element, *source);
                    payloads.stage_numbers(&mut builder, name, dims, payload)
                }
            };
            outcome.map_err(|error| named(&path, Some(name), error))?;
        }
        let outcome = payloads.serve(inbox, move |out| builder.finish_to(out), &file);
        outcome.map_err(|error| named(&path, None, error))
    }
}

/// Names a refusal of the library, or of the system behind it.
fn named(path: &Path, variable: Option<&str>, error: MatError) -> Error {
    match error {
        MatError::Io(source) | MatError::Hdf5(hdf5_pure::Error::Io(source)) => {
            Error::Io { path: path.to_path_buf(), action: "write", source }
        }
        error => Error::Unsupported {
            path: path.to_path_buf(),
            variable: variable.map(str::to_owned),
            what: format!("what the HDF5 library was asked to write ({error})"),
            remedy: "write it to a level-5 file",
        },
    }
}

type Staging = std::result::Result<(), MatError>;

/// Describes a value to the library; numbers stay where they are until it asks for them.
fn stage_value<'v>(
    builder: &mut MatBuilder,
    payloads: &mut Payloads<'v>,
    name: &str,
    value: &'v Value,
) -> Staging {
    match value {
        Value::Numeric(array) => {
            let payload = Payload::of_data(array.data());
            payloads.stage_numbers(builder, name, array.dims(), payload)
        }
        Value::Logical(array) => {
            let bytes = bytemuck::cast_slice(array.data());
            let payload = Payload::Memory { bytes, element: ElementType::U8 };
            payloads.stage::<bool>(builder, name, array.dims(), payload)
        }
        Value::Char(text) if text.units().is_empty() => {
            builder.write_empty(name, MatClass::Char, text.dims()).map(drop)
        }
        Value::Char(text) => {
            let text = text.to_text().expect("invariant: only single rows were accepted");
            builder.write_char(name, &text).map(drop)
        }
        Value::Struct(structs) if structs.dims() == [1, 1] => builder
            .struct_(name, |inside| {
                for (field, value) in structs.fields().iter().zip(structs.values()) {
                    stage_value(inside.builder(), payloads, field, value)?;
                }
                Ok(())
            })
            .map(drop),
        Value::Struct(structs) => {
            builder.write_empty(name, MatClass::Struct, structs.dims()).map(drop)
        }
        Value::Cell(cells) => builder
            .cell(name, cells.dims(), |inside| {
                for value in cells.values() {
                    // The library finds a place itself and ignores the name.
                    inside.push_with(|builder| stage_value(builder, payloads, "cell", value))?;
                }
                Ok(())
            })
            .map(drop),
        Value::Sparse(_) => Err(MatError::Custom("sparse matrix".to_owned())),
    }
}

/// A question of the library: elements `first..first + count` of a payload, in `buffer`, please.
struct Request {
    payload: usize,
    first: usize,
    count: usize,
    buffer: Vec<u8>,
}

/// The arrays that the library will ask for, and the way its questions come.
struct Payloads<'v> {
    all: Vec<Payload<'v>>,
    answers: Vec<Sender<Vec<u8>>>,
    requests: Sender<Request>,
}

impl<'v> Payloads<'v> {
    fn stage_numbers(
        &mut self,
        builder: &mut MatBuilder,
        name: &str,
        dims: &[usize],
        payload: Payload<'v>,
    ) -> Staging {
        match payload.element() {
            ElementType::F64 => self.stage::<f64>(builder, name, dims, payload),
            ElementType::F32 => self.stage::<f32>(builder, name, dims, payload),
            ElementType::C64 => self.stage::<(f64, f64)>(builder, name, dims, payload),
            ElementType::C32 => self.stage::<(f32, f32)>(builder, name, dims, payload),
            ElementType::I8 => self.stage::<i8>(builder, name, dims, payload),
            ElementType::U8 => self.stage::<u8>(builder, name, dims, payload),
            ElementType::I16 => self.stage::<i16>(builder, name, dims, payload),
            ElementType::U16 => self.stage::<u16>(builder, name, dims, payload),
            ElementType::I32 => self.stage::<i32>(builder, name, dims, payload),
            ElementType::U32 => self.stage::<u32>(builder, name, dims, payload),
            ElementType::I64 => self.stage::<i64>(builder, name, dims, payload),
            ElementType::U64 => self.stage::<u64>(builder, name, dims, payload),
        }
    }

    fn stage<T: BlockElement>(
        &mut self,
        builder: &mut MatBuilder,
        name: &str,
        dims: &[usize],
        payload: Payload<'v>,
    ) -> Staging {
        let (answers, answered) = channel();
        let asker = Asker {
            payload: self.all.len(),
            requests: self.requests.clone(),
            answered: Mutex::new(answered),
        };
        builder.write_blocks::<T>(name, dims, Box::new(asker))?;
        self.all.push(payload);
        self.answers.push(answers);
        Ok(())
    }

    /// Answers the library's questions while it writes `file`.
    fn serve(
        self,
        inbox: Receiver<Request>,
        write: impl FnOnce(&mut BufWriter<&File>) -> Staging + Send,
        file: &File,
    ) -> Staging {
        let Self { mut all, answers, requests } = self;
        drop(requests);
        let mut failed = None;
        let written = std::thread::scope(|scope| {
            let library = scope.spawn(move || {
                let mut out = BufWriter::with_capacity(1 << 20, file);
                write(&mut out)?;
                out.flush().map_err(MatError::from)
            });
            // Ends when the library has dropped the last asker, on success as on failure.
            for Request { payload, first, count, mut buffer } in inbox {
                match all[payload].range(first, count) {
                    Ok(bytes) => buffer.extend_from_slice(bytes),
                    // Too short an answer makes the library give up.
                    Err(source) => _ = failed.get_or_insert(source),
                }
                _ = answers[payload].send(buffer);
            }
            library.join()
        });
        match (failed, written) {
            (Some(source), _) => Err(MatError::Io(source)),
            (None, Ok(outcome)) => outcome,
            (None, Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

/// Stands for one payload inside the library.
struct Asker {
    payload: usize,
    requests: Sender<Request>,
    answered: Mutex<Receiver<Vec<u8>>>,
}

impl DataProducer for Asker {
    fn block_bytes(&self, block: Block, out: &mut Vec<u8>) -> Staging {
        let gone = || MatError::Custom("the writer of the values is gone".to_owned());
        let request = Request {
            payload: self.payload,
            first: usize::try_from(block.first_element).map_err(|_| gone())?,
            count: usize::try_from(block.elements).map_err(|_| gone())?,
            buffer: std::mem::take(out),
        };
        self.requests.send(request).map_err(|_| gone())?;
        *out = self.answered.lock().map_err(|_| gone())?.recv().map_err(|_| gone())?;
        Ok(())
    }
}
