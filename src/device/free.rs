//! How much memory of the machine is free.

/// Bytes of memory that programs can still have; `None` where the system does not tell.
pub(crate) fn free_memory() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn available(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_tells() {
        let text =
            "MemTotal:       16384000 kB\nMemFree:          1000 kB\nMemAvailable:    8000000 kB\n";
        assert_eq!(available(text), Some(8_192_000_000));
        for text in [
            "",
            "MemAvailable: many kB",
            "MemAvailable: 99999999999999999999 kB",
        ] {
            assert_eq!(available(text), None, "{text}");
        }
        assert_eq!(free_memory().is_some(), cfg!(target_os = "linux"));
    }
}
