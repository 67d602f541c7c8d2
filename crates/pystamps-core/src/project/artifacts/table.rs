//! Words for the tables of variables: class, axes and unit of each in one line.

use pystamps_mat::Class::{Double, Logical, Single};

use super::Axis::{Fixed, Scatterer};
use super::{Axis, Unit, Variable};

/// Double precision in every project.
pub(super) const fn double(
    file: &'static str,
    name: &'static str,
    axes: [Axis; 2],
    unit: Unit,
    meaning: &'static str,
) -> Variable {
    Variable {
        file,
        name,
        axes,
        class: Double,
        small_baseline_class: Double,
        complex: false,
        unit,
        meaning,
    }
}

/// Single precision in every project.
pub(super) const fn single(mut variable: Variable) -> Variable {
    variable.small_baseline_class = Single;
    single_with_one_master(variable)
}

/// Single precision in single-master projects only.
pub(super) const fn single_with_one_master(mut variable: Variable) -> Variable {
    variable.class = Single;
    variable
}

/// Complex values.
pub(super) const fn complex(mut variable: Variable) -> Variable {
    variable.complex = true;
    variable
}

/// One number.
pub(super) const fn scalar(
    file: &'static str,
    name: &'static str,
    unit: Unit,
    meaning: &'static str,
) -> Variable {
    double(file, name, [Fixed(1), Fixed(1)], unit, meaning)
}

/// One number a row.
pub(super) const fn column(
    file: &'static str,
    name: &'static str,
    rows: Axis,
    unit: Unit,
    meaning: &'static str,
) -> Variable {
    double(file, name, [rows, Fixed(1)], unit, meaning)
}

/// A few numbers a scatterer.
pub(super) const fn table(
    file: &'static str,
    name: &'static str,
    columns: usize,
    unit: Unit,
    meaning: &'static str,
) -> Variable {
    double(file, name, [Scatterer, Fixed(columns)], unit, meaning)
}

/// One flag a row.
pub(super) const fn flags(
    file: &'static str,
    name: &'static str,
    rows: Axis,
    meaning: &'static str,
) -> Variable {
    let mut variable = column(file, name, rows, Unit::None, meaning);
    variable.class = Logical;
    variable.small_baseline_class = Logical;
    variable
}
