//! Defines every product as a sum of named terms (products.md 2 and 3).

use crate::error::{Diagnostic, Result};
use crate::project::stack::Network;

/// A part of the phase that can be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// Spatially correlated look-angle error (suffix `d`).
    LookAngleError,
    /// Atmosphere and orbit of the master (`m`).
    Master,
    /// A ramp fitted to what the other terms leave (`o`).
    Ramp,
    /// Tropospheric correction (`a`).
    Troposphere,
    /// Spatially correlated noise of the slaves (`s`).
    SlaveNoise,
}

use Term::{LookAngleError, Master, Ramp, SlaveNoise, Troposphere};

/// The series that a product is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Series {
    /// Against one master: the interferograms, or the images small baselines were inverted to.
    OneMaster,
    /// Small-baseline interferograms.
    Pairs,
}

impl Series {
    /// Whether the columns are small-baseline interferograms.
    pub(crate) fn is_pairs(self) -> bool {
        self == Self::Pairs
    }
}

/// What is made of the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Height of the PS, m.
    Height,
    /// Wrapped phase, complex.
    Wrapped(Series),
    /// Wrapped phase of the surroundings, complex.
    Surroundings(Series),
    /// Unwrapped phase, rad.
    Phase(Series),
    /// What the inverted images leave of the interferograms, rad.
    Residual,
    /// Look-angle error, rad/m.
    Slope(Series),
    /// Atmosphere and orbit of the master, rad.
    Master,
    /// Ramps that stage 7 has estimated, rad.
    Ramps,
    /// Tropospheric correction, rad.
    Correction(Series),
    /// Spatially correlated noise of the slaves, rad.
    SlaveNoise,
    /// Mean velocity, mm/yr.
    Velocity(Series),
    /// Standard deviation of the mean velocity, mm/yr.
    VelocityDeviation(Series),
    /// Mean velocity without each of the interferograms in turn, mm/yr.
    VelocityWithoutEach(Series),
    /// Displacement since the master, mm.
    Displacement,
}

/// A product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    /// Its name, as StaMPS spells it.
    pub(crate) value_type: String,
    pub(crate) quantity: Quantity,
    /// What is taken out, in this order.
    pub(crate) minus: Vec<Term>,
}

/// Terms of the suffix of an unwrapped phase (`u-dm`).
const PHASE: [(&str, &[Term]); 14] = [
    ("", &[]),
    ("d", &[LookAngleError]),
    ("m", &[Master]),
    ("o", &[Ramp]),
    ("a", &[Troposphere]),
    ("s", &[SlaveNoise]),
    ("dm", &[LookAngleError, Master]),
    ("do", &[LookAngleError, Ramp]),
    ("da", &[LookAngleError, Troposphere]),
    ("ao", &[Troposphere, Ramp]),
    ("dao", &[LookAngleError, Troposphere, Ramp]),
    ("dmo", &[LookAngleError, Master, Ramp]),
    ("dms", &[LookAngleError, Master, SlaveNoise]),
    ("dmos", &[LookAngleError, Master, SlaveNoise, Ramp]),
];

/// Terms of the suffix of a phase of pairs (`usb-d`).
const PAIRS: [(&str, &[Term]); 8] = [
    ("", &[]),
    ("d", &[LookAngleError]),
    ("o", &[Ramp]),
    ("a", &[Troposphere]),
    ("do", &[LookAngleError, Ramp]),
    ("da", &[LookAngleError, Troposphere]),
    ("ao", &[Troposphere, Ramp]),
    ("dao", &[LookAngleError, Troposphere, Ramp]),
];

/// Terms of the suffix of a velocity (`v-do`). The master's part has no slope; it matters for the
/// offset of `v-d` only.
const VELOCITY: [(&str, &[Term]); 12] = [
    ("", &[]),
    ("d", &[LookAngleError, Master]),
    ("o", &[Ramp]),
    ("s", &[SlaveNoise]),
    ("a", &[Troposphere]),
    ("do", &[LookAngleError, Ramp]),
    ("ds", &[LookAngleError, SlaveNoise]),
    ("so", &[SlaveNoise, Ramp]),
    ("da", &[LookAngleError, Troposphere]),
    ("ao", &[Troposphere, Ramp]),
    ("dso", &[LookAngleError, SlaveNoise, Ramp]),
    ("dao", &[LookAngleError, Troposphere, Ramp]),
];

/// Terms of the suffix of a deviation of the velocity (`vs-do`): ramps come before the troposphere.
const DEVIATION: [(&str, &[Term]); 8] = [
    ("", &[]),
    ("d", &[LookAngleError]),
    ("o", &[Ramp]),
    ("a", &[Troposphere]),
    ("do", &[LookAngleError, Ramp]),
    ("da", &[LookAngleError, Troposphere]),
    ("ao", &[Troposphere, Ramp]),
    ("dao", &[LookAngleError, Ramp, Troposphere]),
];

/// Terms of the suffix of a wrapped phase (`w-dm`), all as stage 7 has smoothed them.
const WRAPPED: [(&str, &[Term]); 8] = [
    ("", &[]),
    ("d", &[LookAngleError]),
    ("o", &[Ramp]),
    ("a", &[Troposphere]),
    ("da", &[LookAngleError, Troposphere]),
    ("do", &[LookAngleError, Ramp]),
    ("dm", &[LookAngleError, Master]),
    ("dmo", &[LookAngleError, Master, Ramp]),
];

const CORRECTION: [(&str, &[Term]); 2] = [("", &[]), ("o", &[Ramp])];
const ALONE: [(&str, &[Term]); 1] = [("", &[])];

/// Every product of a project: its name without suffix, what it is, the suffixes it takes.
type Table = [(&'static str, Quantity, &'static [(&'static str, &'static [Term])])];

const ONE_MASTER: &Table = &[
    ("hgt", Quantity::Height, &ALONE),
    ("w", Quantity::Wrapped(Series::OneMaster), &WRAPPED),
    ("p", Quantity::Surroundings(Series::OneMaster), &ALONE),
    ("u", Quantity::Phase(Series::OneMaster), &PHASE),
    ("d", Quantity::Slope(Series::OneMaster), &ALONE),
    ("m", Quantity::Master, &ALONE),
    ("o", Quantity::Ramps, &ALONE),
    ("s", Quantity::SlaveNoise, &ALONE),
    ("a", Quantity::Correction(Series::OneMaster), &CORRECTION),
    ("v", Quantity::Velocity(Series::OneMaster), &VELOCITY),
    ("vs", Quantity::VelocityDeviation(Series::OneMaster), &DEVIATION),
    ("vdrop", Quantity::VelocityWithoutEach(Series::OneMaster), &VELOCITY),
    ("ts", Quantity::Displacement, &VELOCITY),
];

const SMALL_BASELINES: &Table = &[
    ("hgt", Quantity::Height, &ALONE),
    ("w", Quantity::Wrapped(Series::Pairs), &WRAPPED),
    ("p", Quantity::Surroundings(Series::Pairs), &ALONE),
    ("u", Quantity::Phase(Series::OneMaster), &PHASE),
    ("usb", Quantity::Phase(Series::Pairs), &PAIRS),
    ("rsb", Quantity::Residual, &CORRECTION),
    ("d", Quantity::Slope(Series::Pairs), &ALONE),
    ("D", Quantity::Slope(Series::OneMaster), &ALONE),
    ("m", Quantity::Master, &ALONE),
    ("o", Quantity::Ramps, &ALONE),
    ("s", Quantity::SlaveNoise, &ALONE),
    ("asb", Quantity::Correction(Series::Pairs), &CORRECTION),
    ("v", Quantity::Velocity(Series::Pairs), &PAIRS),
    ("V", Quantity::Velocity(Series::OneMaster), &VELOCITY),
    ("vs", Quantity::VelocityDeviation(Series::Pairs), &DEVIATION),
    ("Vs", Quantity::VelocityDeviation(Series::OneMaster), &DEVIATION),
    ("vdrop", Quantity::VelocityWithoutEach(Series::Pairs), &PAIRS),
    ("Vdrop", Quantity::VelocityWithoutEach(Series::OneMaster), &VELOCITY),
    ("ts", Quantity::Displacement, &VELOCITY),
];

impl Definition {
    /// The product called `value_type` in a project of this `network`.
    ///
    /// # StaMPS compatibility
    /// Names are those of `ps_plot`; the order of letters in a suffix is fixed. In a project with one
    /// master capitals mean the same as small letters.
    ///
    /// # Errors
    /// `product-unknown`, with the names that there are.
    pub(crate) fn of(value_type: &str, network: Network) -> Result<Self> {
        let (table, name) = match network {
            Network::SingleMaster => (ONE_MASTER, value_type.to_lowercase()),
            Network::SmallBaselines => (SMALL_BASELINES, value_type.to_owned()),
        };
        let (base, suffix) = match name.split_once('-') {
            Some((_, "")) | None => (name.as_str(), ""),
            Some((base, suffix)) => (base, suffix),
        };
        let of_base = table.iter().find(|(known, ..)| *known == base);
        let found = of_base.and_then(|&(_, quantity, suffixes)| {
            let known = suffixes.iter().find(|(known, _)| *known == suffix);
            known.map(|&(_, minus)| (quantity, minus.to_vec()))
        });
        match found {
            Some((quantity, mut minus)) if !name.ends_with('-') => {
                if quantity == Quantity::Displacement {
                    add_master(&mut minus);
                }
                Ok(Self { value_type: name, quantity, minus })
            }
            _ => Err(unknown(value_type, of_base.copied(), table)),
        }
    }

    /// All names in a project of this network.
    fn names((base, _, suffixes): (&str, Quantity, &[(&str, &[Term])])) -> Vec<String> {
        let name = |&(suffix, _): &(&str, &[Term])| match suffix {
            "" => base.to_owned(),
            _ => format!("{base}-{suffix}"),
        };
        suffixes.iter().map(name).collect()
    }
}

/// Takes the master's part out once, before a ramp: it is the same in every interferogram and would shift
/// the whole series of a PS.
///
/// # StaMPS compatibility
/// Products.md 3 and 5; the original takes it out after the ramp has been fitted, which leaves its ramp in.
fn add_master(minus: &mut Vec<Term>) {
    minus.retain(|&term| term != Master);
    let ramp = minus.iter().position(|&term| term == Ramp);
    minus.insert(ramp.unwrap_or(minus.len()), Master);
}

type Row = (&'static str, Quantity, &'static [(&'static str, &'static [Term])]);

fn unknown(value_type: &str, of_base: Option<Row>, table: &Table) -> crate::Error {
    let expected = if let Some(row) = of_base {
        Definition::names(row).join(", ")
    } else {
        let names: Vec<&str> = table.iter().map(|(name, ..)| *name).collect();
        format!("one of {}, some with a suffix such as -do", names.join(", "))
    };
    Diagnostic::new("product-unknown", "there is no such product in this project")
        .expected(expected)
        .found(value_type)
        .remedy("see `pystamps-native product --help`")
        .usage()
}

impl Term {
    /// The term in words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LookAngleError => "look-angle (DEM) error",
            Self::Master => "atmosphere and orbit of the master",
            Self::Ramp => "ramp of every interferogram",
            Self::Troposphere => "tropospheric correction",
            Self::SlaveNoise => "spatially correlated noise of the slaves",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, network: Network) -> Option<(Quantity, Vec<Term>)> {
        let found = Definition::of(name, network).ok()?;
        Some((found.quantity, found.minus))
    }

    #[test]
    fn names_mean_what_stamps_means() {
        let one = |name| definition(name, Network::SingleMaster);
        let several = |name| definition(name, Network::SmallBaselines);
        let velocity = Quantity::Velocity;
        assert_eq!(one("v"), Some((velocity(Series::OneMaster), vec![])));
        assert_eq!(one("V-DO"), Some((velocity(Series::OneMaster), vec![LookAngleError, Ramp])));
        assert_eq!(several("v-do"), Some((velocity(Series::Pairs), vec![LookAngleError, Ramp])));
        assert_eq!(several("V-so"), Some((velocity(Series::OneMaster), vec![SlaveNoise, Ramp])));
        assert_eq!(several("D"), Some((Quantity::Slope(Series::OneMaster), vec![])));
        for unknown in ["", "-", "v-", "v-od", "x", "usb", "hgt-d", "u-dma", "v-d-o", "-do"] {
            assert_eq!(one(unknown), None, "{unknown}");
        }
        assert_eq!(several("v-s"), None);
    }

    #[test]
    fn an_unknown_suffix_is_answered_with_those_there_are() {
        let error = Definition::of("v-od", Network::SingleMaster).unwrap_err().to_string();
        assert!(error.contains("v-do") && !error.contains("u-dm"), "{error}");
    }
}
