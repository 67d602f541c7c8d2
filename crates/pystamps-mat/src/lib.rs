//! MATLAB files: one value model, read from and written to level-5 and v7.3 containers.
//!
//! ```no_run
//! use pystamps_mat::{Value, Variables, WriteOptions};
//!
//! let mut variables = Variables::new();
//! variables.insert("n_ps", Value::scalar(3.0));
//! variables.insert("K_ps", Value::column_f64(&[0.1, 0.2, 0.3]));
//! pystamps_mat::write("pm1.mat", &variables, &WriteOptions::default())?;
//! let n_ps = pystamps_mat::read_variable("pm1.mat", "n_ps")?;
//! assert_eq!(n_ps.to_scalar(), Some(3.0));
//! # Ok::<(), pystamps_mat::Error>(())
//! ```
//!
//! # What is read and written
//!
//! | | level 5 | v7.3 |
//! |---|---|---|
//! | numbers, complex, logical | read, write | read, write |
//! | char | read, write | read; one row or empty written |
//! | struct | read, write | read; 1 x 1 or without elements written |
//! | cell | read, write | read, write |
//! | sparse | read | refused |
//! | objects, function handles, `string`, `table` | refused | refused |
//!
//! Version-4 files are refused. A refusal is a typed [`Error`], never a wrong result.
//!
//! # Containers
//!
//! [`write()`] takes v7.3 if a variable has 2^31 bytes or more, which level 5 cannot hold, and
//! level 5 otherwise. The bytes depend on the variables alone: headers carry no clock and no host.

#[cfg(not(target_endian = "little"))]
compile_error!("pystamps-mat casts arrays to little-endian bytes");

mod array_reader;
mod class;
mod error;
mod level5;
mod limits;
mod payload;
mod read;
mod sniff;
mod synced_file;
mod v73;
mod value;
mod variables;
mod write;

pub use array_reader::{ArrayReader, Real};
pub use class::{Class, ElementType};
pub use error::{Error, Result};
pub use limits::ReadLimits;
pub use num_complex::Complex;
pub use payload::{ElementSource, ElementsMut};
pub use read::{
    VariableInfo, list, list_from, read, read_from, read_variable, read_variables, read_with_limits,
};
pub use value::{
    CellArray, CharArray, LogicalArray, Numeric, NumericData, Sparse, SparseData, StructArray,
    Value,
};
pub use variables::Variables;
pub use write::{Container, WriteOptions, Writer, write};
