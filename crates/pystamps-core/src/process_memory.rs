//! Asks the system how much memory this process has taken.

/// Peak resident set of the process so far, bytes; `None` where the system does not tell.
pub(crate) fn peak_bytes() -> Option<u64> {
    peak_in(&fs_err::read_to_string("/proc/self/status").ok()?)
}

/// The peak in the text of `/proc/<pid>/status`, which counts in kibibytes.
fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_where_the_system_tells() {
        assert_eq!(peak_in("VmPeak:\t 9 kB\nVmHWM:\t    1200 kB\n"), Some(1_228_800));
        for text in ["", "VmHWM:\n", "VmHWM: many kB\n", "VmHWM: 12 pages\n"] {
            assert_eq!(peak_in(text), None, "{text}");
        }
        #[cfg(target_os = "linux")]
        assert!(peak_bytes().unwrap() > 1 << 20);
    }
}
