//! Defines the command line; help texts live in this folder and nowhere else.

mod project;
mod stage;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::dates::Date;
use crate::prep::{AmplitudeDispersion, Processor};
use crate::progress::ProgressMode;

use project::Choices;
pub(super) use project::{AdoptArguments, StatusArguments};
pub(super) use stage::{StageArguments, refuse_unused, required_scope};

/// StaMPS persistent-scatterer processing without MATLAB.
#[derive(Debug, Parser)]
#[command(
    name = "pystamps-native",
    version,
    max_term_width = 100,
    after_help = "A first run:\n  \
        pystamps-native prep snap --export EXPORT --dataset PROJECT\n  \
        pystamps-native plan --dataset PROJECT\n  \
        pystamps-native stage 1 --dataset PROJECT\n  \
        … and so on to\n  \
        pystamps-native stage 8 --dataset PROJECT\n  \
        pystamps-native product v-do --dataset PROJECT --out velocity.csv\n\n\
        Exit codes: 0 done, 1 the data or the run failed, 2 wrong usage, 3 a verification found\n\
        differences, 143 stopped because standard input ended (--stop-with-stdin).\n\
        Standard output is data, standard error is for people; with --json or --progress json a\n\
        failure is one line of JSON on standard output, too."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Turn a raw export into a StaMPS project: candidates, patches, parameters
    Prep(PrepArguments),
    /// Run one stage on a patch or on the merged project
    Stage(StageArguments),
    /// Take the results of a stage from another folder
    Adopt(AdoptArguments),
    /// Show or change project parameters (StaMPS getparm and setparm)
    Params(ParamsArguments),
    /// Show what is in a MATLAB file
    Inspect(InspectArguments),
    /// Say how far every patch and stage is, and what a run would do
    Status(StatusArguments),
    /// Say what a project holds and what the next stages will need
    Plan(PlanArguments),
    /// Check every certificate of an unwrapped project again
    VerifyUnwrap(VerifyUnwrapArguments),
    /// Write velocities, displacements or any part of the phase as a MATLAB or text file
    Product(ProductArguments),
    /// Show which stages are certified, on what, with which deviations and refused modes
    Readiness(ReadinessArguments),
}

impl Command {
    /// Whether the command is to end when standard input does.
    pub(super) fn stops_with_stdin(&self) -> bool {
        match self {
            Self::Prep(PrepArguments { common, .. })
            | Self::Stage(StageArguments { common, .. })
            | Self::Product(ProductArguments { common, .. }) => common.stop_with_stdin,
            Self::Adopt(adopt) => adopt.stop_with_stdin,
            _ => false,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "The export is what SNAP's StaMPS export writes (GAMMA's has the same layout):\n  \
    rslc/YYYYMMDD.rslc(.par)  diff0/MASTER_SLAVE.diff(.base)  geo/*.lon *.lat *dem.rdc\n\
    or SMALL_BASELINES/MASTER_SLAVE/ with two images, a .diff and a .base each.\n\n\
    Example, two patches along azimuth:\n  \
    pystamps-native prep snap --export /data/export --dataset /data/project --azimuth-patches 2"
)]
pub(super) struct PrepArguments {
    /// Program that wrote the export
    #[arg(value_enum)]
    pub(super) processor: ProcessorArgument,
    /// Folder of the raw export
    #[arg(long, value_name = "DIR")]
    pub(super) export: PathBuf,
    /// Folder of the StaMPS project to write
    #[arg(long, value_name = "DIR")]
    pub(super) dataset: PathBuf,
    /// Amplitude dispersion below which a pixel is a candidate [default: 0.4, small baselines 0.6]
    #[arg(long, value_name = "D_A", allow_negative_numbers = true)]
    pub(super) amp_dispersion: Option<AmplitudeDispersion>,
    /// Number of patches across range
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) range_patches: usize,
    /// Number of patches along azimuth
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) azimuth_patches: usize,
    /// Overlap of patches in range, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 50)]
    pub(super) range_overlap: usize,
    /// Overlap of patches in azimuth, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 50)]
    pub(super) azimuth_overlap: usize,
    /// Master date; taken from the interferogram names if they agree
    #[arg(long, value_name = "YYYYMMDD")]
    pub(super) master: Option<Date>,
    /// Raster of one byte a pixel: 0 uses the pixel, anything else leaves it out
    #[arg(long, value_name = "FILE")]
    pub(super) mask: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ProcessorArgument {
    /// ESA SNAP, StaMPS export
    Snap,
    /// GAMMA
    Gamma,
}

impl From<ProcessorArgument> for Processor {
    fn from(argument: ProcessorArgument) -> Self {
        match argument {
            ProcessorArgument::Snap => Self::Snap,
            ProcessorArgument::Gamma => Self::Gamma,
        }
    }
}

/// Options of every command that computes.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Worker threads [default: all cores]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) threads: Option<u16>,
    /// Memory the work may take, for example 4G or 500M; refused with the need if too small
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(super) memory_limit: Option<u64>,
    /// How to show progress
    #[arg(long, value_enum, value_name = "MODE", default_value = "auto")]
    pub(super) progress: ProgressArgument,
    /// Replace results that are there already
    #[arg(long)]
    pub(super) force: bool,
    /// Print the outcome, or what went wrong, as one JSON object a line on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// End at once, with exit code 143, when standard input ends: the program then dies with the one
    /// that started it, however that dies. Keep standard input open, as a pipe nobody writes to
    #[arg(long)]
    pub(super) stop_with_stdin: bool,
}

impl Common {
    /// Whether the outcome is to be JSON: asked for, or in line with JSON progress.
    pub(super) fn prints_json(&self) -> bool {
        self.json || matches!(self.progress, ProgressArgument::Json)
    }

    pub(super) fn thread_count(&self) -> Option<usize> {
        self.threads.map(usize::from)
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ProgressArgument {
    /// Bars on a terminal, lines otherwise
    Auto,
    /// Lines on standard error
    Plain,
    /// JSON lines on standard output
    Json,
    /// Nothing
    None,
}

impl From<ProgressArgument> for ProgressMode {
    fn from(argument: ProgressArgument) -> Self {
        match argument {
            ProgressArgument::Auto => Self::Auto,
            ProgressArgument::Plain => Self::Plain,
            ProgressArgument::Json => Self::Json,
            ProgressArgument::None => Self::None,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Every interferogram is checked from the files alone: wrapped differences, balance of\n\
    the flow, dual feasibility, that the published phase follows from the flow, and that no file\n\
    has been changed since. Costs are those that stage 6 has stored with the proof.\n\
    Exit code 3 if anything does not hold.\n\n\
    Example:\n  pystamps-native verify-unwrap --dataset project"
)]
pub(super) struct VerifyUnwrapArguments {
    /// Project folder that stage 6 has unwrapped
    #[arg(long, value_name = "DIR")]
    pub(super) dataset: PathBuf,
    /// Worker threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) threads: Option<u16>,
    /// How to show progress
    #[arg(long, value_enum, value_name = "MODE", default_value = "auto")]
    pub(super) progress: ProgressArgument,
    /// Print the answer as one JSON object on standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Products, named as in StaMPS:\n\
    v    mean velocity, mm/yr, positive towards the satellite, with its standard deviation\n\
    ts   displacement since the master, mm, positive towards the satellite\n\
    vs   standard deviation of the velocity alone;  vdrop  velocity without each date in turn\n\
    u    unwrapped phase;  w  wrapped phase;  p  wrapped phase of the surroundings\n\
    d    DEM error (rad/m);  m  the master's atmosphere;  o  ramps;  s  noise of the slaves\n\
    a    tropospheric correction;  hgt  height\n\n\
    A suffix takes parts out: d DEM error, m master, o a ramp fitted to what is left, s noise of the\n\
    slaves, a troposphere; for example v-do, v-so, u-dm, u-dmos, ts-do, w-dm.\n\
    Small baselines: v, vs, d and usb, rsb, asb are of the interferograms, V, Vs, D and u of the\n\
    images inverted from them.\n\n\
    Values are relative to the mean of the reference area (parameters ref_lon, ref_lat,\n\
    ref_centre_lonlat, ref_radius). A .csv or .npy has a\n\
    description FILE.csv.json beside it; a .mat holds it.\n\n\
    Examples:\n  pystamps-native product v-do --dataset project --out velocity.csv\n  \
    pystamps-native product ts-do --dataset project --out series.mat --set ref_radius=500")]
pub(super) struct ProductArguments {
    /// Name of the product
    #[arg(value_name = "VALUE")]
    pub(super) value_type: String,
    /// Project folder
    #[arg(long, value_name = "DIR")]
    pub(super) dataset: PathBuf,
    /// File to write: FILE.mat, FILE.csv or FILE.npy
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Change a parameter for this run only; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_assignment)]
    pub(super) set: Vec<(String, String)>,
    /// Resamples for the standard deviation of a velocity; 0 for none
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(super) bootstrap: u32,
    /// Where the random numbers of the resamples begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// First date that the product is made of [default: all]
    #[arg(long, value_name = "YYYYMMDD")]
    pub(super) from: Option<Date>,
    /// Last date that the product is made of [default: all]
    #[arg(long, value_name = "YYYYMMDD")]
    pub(super) to: Option<Date>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "Names may be abbreviated as long as they are unique.\n\n\
    Examples:\n  pystamps-native params list --dataset project\n  \
    pystamps-native params set --dataset project max_topo_err 30")]
pub(super) struct ParamsArguments {
    #[command(subcommand)]
    pub(super) action: ParamsAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum ParamsAction {
    /// Print one value; the name may be abbreviated if unique
    #[command(after_help = "Example:\n  pystamps-native params get --dataset project max_topo")]
    Get {
        #[command(flatten)]
        dataset: DatasetArgument,
        /// Parameter name
        name: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Change one value; `nan` restores the default
    #[command(
        after_help = "Values: 25, 'text' or text, [1 2 3], 1:5, [], Inf; nan restores the default.\n\
        In a patch folder with a localparms.mat that sets the name, that file is changed.\n\n\
        Example:\n  pystamps-native params set --dataset project drop_ifg_index '[3 7]'"
    )]
    Set {
        #[command(flatten)]
        dataset: DatasetArgument,
        /// Parameter name, or its position
        name: String,
        /// New value
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// Set it in this folder's localparms.mat only (`nan` removes it there)
        #[arg(long)]
        local: bool,
    },
    /// Print all parameters with their meaning and the stages they act on
    #[command(after_help = "Example:\n  pystamps-native params list --dataset project")]
    List {
        #[command(flatten)]
        dataset: DatasetArgument,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct DatasetArgument {
    /// Project or patch folder
    #[arg(long = "dataset", value_name = "DIR", default_value = ".")]
    pub(super) folder: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Without VARIABLE the variables are listed without reading their data.\n\n\
    Example:\n  pystamps-native inspect project/PATCH_1/ps1.mat bperp")]
pub(super) struct InspectArguments {
    /// MATLAB file (level 5 or 7.3)
    pub(super) file: PathBuf,
    /// Variable to print
    pub(super) variable: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is computed, and nothing is written unless an interrupted publication has to\n\
    be completed.\n\nExample:\n  pystamps-native plan --dataset project"
)]
pub(super) struct PlanArguments {
    /// Project folder
    #[arg(long, value_name = "DIR")]
    pub(super) dataset: PathBuf,
    /// Worker threads to plan for [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) threads: Option<u16>,
    /// Leave times out, for which the machine is timed for two seconds
    #[arg(long)]
    pub(super) without_times: bool,
    #[command(flatten)]
    pub(super) choices: Choices,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "planned    there is no code yet\n\
    native     runs in Rust; its certificate is missing, failed, or is about other code\n\
    certified  agrees with original StaMPS by a certificate about this very code\n\n\
    Everything shown was measured when this program was built and is part of it. The JSON has one object\n\
    a scope, with entry points, kernels, digest of the code, every deviation and the certificate.\n\n\
    Example:\n  pystamps-native readiness --json")]
pub(super) struct ReadinessArguments {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Reads `NAME=VALUE`.
pub(crate) fn parse_assignment(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, for example n_cores=4")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Reads a size such as `4G`, `1.5GiB`, `500M` or plain bytes; units are powers of 1024.
pub(crate) fn parse_size(text: &str) -> std::result::Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "K" | "KB" | "KIB" => 1024.0,
        "M" | "MB" | "MIB" => 1024.0 * 1024.0,
        "G" | "GB" | "GIB" => 1024.0 * 1024.0 * 1024.0,
        "T" | "TB" | "TIB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        unit => return Err(format!("unknown unit '{unit}': use K, M, G or T")),
    };
    let size = digits.parse::<f64>().map_err(|_| "write a size such as 4G".to_owned())?;
    if !(size > 0.0 && size.is_finite()) {
        return Err("write a size above zero, such as 4G".to_owned());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and finite; a fraction of a byte does not matter"
    )]
    Ok((size * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("4G"), Ok(4 << 30));
        assert_eq!(parse_size("1.5k"), Ok(1536));
        assert_eq!(parse_size("123"), Ok(123));
        for wrong in ["", "G", "-1G", "4X", "nan", "infG"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
