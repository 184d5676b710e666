//! Named points where a debug build can be made to fail or die, for crash tests.
//! In a release build they are empty: the shipped binary has no such switch.

/// Dies here when `TALLYSTICK_FAULT` names this point as `name` or as `name:n` (the n-th passage).
#[cfg(debug_assertions)]
pub fn point(name: &str) {
    use std::collections::HashMap;
    use std::sync::Mutex;
    static PASSED: Mutex<Option<HashMap<String, u64>>> = Mutex::new(None);

    let Ok(wanted) = std::env::var("TALLYSTICK_FAULT") else { return };
    let (wanted_name, wanted_count) = match wanted.split_once(':') {
        Some((name, count)) => (name, count.parse().unwrap_or(1)),
        None => (wanted.as_str(), 1u64),
    };
    if wanted_name != name {
        return;
    }
    let mut guard = PASSED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let count = guard.get_or_insert_default().entry(name.to_string()).or_insert(0);
    *count += 1;
    if *count == wanted_count {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
pub fn point(_name: &str) {}
