//! Defines how long work tells people and programs how far it is.
//!
//! A [`Progress`] belongs to one command; each long loop opens a [`Phase`] and calls
//! [`Phase::advance`] from any thread. Bars and plain lines go to standard error, JSON lines (one
//! object a line, for the orchestrator) to standard output.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on a terminal, plain lines otherwise.
    #[default]
    Auto,
    /// One line on standard error every few seconds.
    Plain,
    /// One JSON object a line on standard output.
    Json,
    /// Nothing.
    None,
}

/// Work is silent until it has run this long.
const QUIET: Duration = Duration::from_secs(2);
/// Time between two plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(2);
/// Time between two JSON lines.
const JSON_INTERVAL: Duration = Duration::from_millis(500);

/// Reports the phases of one command.
#[derive(Debug)]
pub struct Progress {
    mode: ProgressMode,
    /// What the lines are about, for example `prep` or `stage 1 PATCH_2`.
    label: String,
    /// Since when, for the silence at the beginning.
    started: Instant,
    /// When the last plain line was written, by whichever phase.
    last_line: Mutex<Instant>,
}

impl Progress {
    /// A reporter for the work called `label`; resolves [`ProgressMode::Auto`] now.
    pub fn new(mode: ProgressMode, label: impl Into<String>) -> Self {
        let mode = match mode {
            ProgressMode::Auto if !std::io::stderr().is_terminal() => ProgressMode::Plain,
            other => other,
        };
        let now = Instant::now();
        Self { mode, label: label.into(), started: now, last_line: Mutex::new(now) }
    }

    /// A reporter that says nothing, for libraries and tests.
    pub fn silent() -> Self {
        Self::new(ProgressMode::None, "")
    }

    /// Opens a phase of `total` units (bytes, candidates, …; `unit` names them).
    pub fn phase(&self, name: impl Into<String>, total: u64, unit: &'static str) -> Phase<'_> {
        let name = name.into();
        let bar = (self.mode == ProgressMode::Auto).then(|| {
            let style = indicatif::ProgressStyle::with_template(
                "{prefix} {bar:30} {percent:>3}% {per_sec} ETA {eta}",
            )
            .expect("invariant: the template is a valid constant");
            let bar = indicatif::ProgressBar::hidden().with_style(style);
            bar.set_length(total);
            bar.set_prefix(format!("{}: {name}", self.label));
            bar
        });
        let now = Instant::now();
        let phase = Phase {
            progress: self,
            name,
            unit,
            total,
            done: AtomicU64::new(0),
            started: now,
            last_line: Mutex::new(now),
            bar,
        };
        if self.mode == ProgressMode::Json {
            phase.json_line("phase_started");
        }
        phase
    }

    /// States a fact worth a line of its own (a recovered lock, an empty patch).
    pub fn note(&self, text: &str) {
        match self.mode {
            ProgressMode::None => {}
            ProgressMode::Json => write_stdout(&serde_json::json!({
                "event": "note", "work": self.label, "text": text,
            })),
            ProgressMode::Auto | ProgressMode::Plain => {
                write_stderr(&format!("{}: {text}", self.label));
            }
        }
    }
}

/// One counted loop inside a command; finished when dropped.
#[derive(Debug)]
pub struct Phase<'a> {
    progress: &'a Progress,
    name: String,
    unit: &'static str,
    total: u64,
    done: AtomicU64,
    started: Instant,
    last_line: Mutex<Instant>,
    bar: Option<indicatif::ProgressBar>,
}

impl Phase<'_> {
    /// Adds `units` of finished work; cheap enough for once a raster line.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            if bar.is_hidden() && self.progress.started.elapsed() > QUIET {
                bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
            bar.inc(units);
            return;
        }
        let interval = match self.progress.mode {
            ProgressMode::Plain => PLAIN_INTERVAL,
            ProgressMode::Json => JSON_INTERVAL,
            ProgressMode::Auto | ProgressMode::None => return,
        };
        // Programs hear of every phase, people of the work as a whole.
        let json = self.progress.mode == ProgressMode::Json;
        let last_line = if json { &self.last_line } else { &self.progress.last_line };
        // Whoever cannot take the lock leaves the line to the thread that holds it.
        let Ok(mut last_line) = last_line.try_lock() else {
            return;
        };
        let quiet = if json { interval } else { QUIET };
        if self.progress.started.elapsed() > quiet && last_line.elapsed() >= interval {
            *last_line = Instant::now();
            match self.progress.mode {
                ProgressMode::Json => self.json_line("progress"),
                _ => self.plain_line(),
            }
        }
    }

    /// Seconds left at the average rate so far.
    fn eta_seconds(&self, done: u64) -> Option<f64> {
        let elapsed = self.started.elapsed().as_secs_f64();
        (done > 0).then(|| elapsed * (self.total.saturating_sub(done) as f64) / (done as f64))
    }

    fn plain_line(&self) {
        let done = self.done.load(Ordering::Relaxed);
        let percent = 100.0 * done as f64 / (self.total.max(1) as f64);
        let eta = self.eta_seconds(done).map_or(String::new(), |s| format!(", {s:.0} s left"));
        write_stderr(&format!(
            "{}: {} {percent:.0} % ({done} of {} {}{eta})",
            self.progress.label, self.name, self.total, self.unit
        ));
    }

    fn json_line(&self, event: &str) {
        let done = self.done.load(Ordering::Relaxed);
        write_stdout(&serde_json::json!({
            "event": event,
            "work": self.progress.label,
            "phase": self.name,
            "done": done,
            "total": self.total,
            "unit": self.unit,
            "elapsed_seconds": self.started.elapsed().as_secs_f64(),
            "eta_seconds": self.eta_seconds(done),
        }));
    }
}

impl Drop for Phase<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.progress.mode == ProgressMode::Json {
            self.json_line("phase_finished");
        }
    }
}

/// Progress is advice: a closed pipe must not stop the work, so write errors are dropped here.
fn write_stdout(line: &serde_json::Value) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn write_stderr(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
