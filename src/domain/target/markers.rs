//! The marker values of machines other than this one.

use crate::domain::{Implementation, MarkerEnvironment, MarkerEnvironmentBuilder, Platform, Python};

/// Returns the marker values of another machine.
///
/// Its kernel's release and version are unknown and empty, as in uv, and PyPy is taken for the
/// first of the releases with its ABI.
pub(super) fn foreign_markers(python: &Python, platform: &Platform) -> MarkerEnvironment {
    let (major, minor) = python.numbers();
    let full = python.version.to_string();
    let implementation_version = match python.implementation {
        _ if is_ancient(python) => "0",
        Implementation::PyPy => "7.3.0",
        _ => &full,
    };
    let builder = MarkerEnvironmentBuilder {
        implementation_name: if is_ancient(python) { "" } else { python.implementation.name() },
        implementation_version,
        os_name: platform.os_name(),
        platform_machine: platform.platform_machine(),
        platform_python_implementation: python.implementation.title(),
        platform_release: "",
        platform_system: platform.platform_system(),
        platform_version: "",
        python_full_version: &full,
        python_version: &format!("{major}.{minor}"),
        sys_platform: sys_platform(platform.sys_platform(), python),
    };
    builder.try_into().expect("versions printed from versions are versions")
}

/// Returns the marker values of a machine with another Python; what depends on the platform stays.
pub(super) fn markers_with(machine: MarkerEnvironment, python: &Python, platform: &Platform) -> MarkerEnvironment {
    let usual = foreign_markers(python, platform);
    let sys_platform = sys_platform(machine.sys_platform(), python).to_owned();
    machine
        .with_implementation_name(usual.implementation_name())
        .with_implementation_version(usual.implementation_version().clone())
        .with_platform_python_implementation(usual.platform_python_implementation())
        .with_python_full_version(usual.python_full_version().clone())
        .with_python_version(usual.python_version().clone())
        .with_sys_platform(sys_platform)
}

/// Whether the Python is older than 3.3: it has no `sys.implementation`, and `packaging` uses ""
/// and "0" for it.
fn is_ancient(python: &Python) -> bool {
    python.numbers() < (3, 3)
}

/// Returns the name that `python` has for the platform that others call `name`.
fn sys_platform<'a>(name: &'a str, python: &Python) -> &'a str {
    match name {
        "linux" | "linux2" if is_ancient(python) => "linux2",
        "linux" | "linux2" => "linux",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::spec;
    use super::*;
    use crate::domain::Marker;

    fn variable(markers: &MarkerEnvironment, name: &str) -> String {
        let values = serde_json::to_value(markers).unwrap();
        values[name].as_str().unwrap_or_else(|| panic!("{name} is missing")).to_owned()
    }

    #[test]
    fn markers_are_those_of_packaging() {
        let expected = include_str!("../../../testdata/markers/expected.txt");
        let mut wrong = Vec::new();
        for paragraph in expected.trim().split("\n\n") {
            let (description, lines) = paragraph.split_once('\n').unwrap();
            let [_, implementation, python, platform] = description.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{description}");
            };
            let target = spec(Some(implementation), Some(python), Some(platform)).resolve(None).unwrap();
            let wrong_here = lines.lines().filter(|line| !is_right(target.markers(), line));
            wrong.extend(wrong_here.map(|line| format!("{description}: {line}")));
        }
        assert!(wrong.is_empty(), "packaging says:\n{}", wrong.join("\n"));
    }

    /// Checks a line: `variable=value`, `yes MARKER` or `no MARKER`.
    fn is_right(markers: &MarkerEnvironment, line: &str) -> bool {
        let evaluate = |marker: &str| marker.parse::<Marker>().unwrap().evaluate(markers, &[]);
        match line.split_once(' ') {
            Some(("yes", marker)) => evaluate(marker),
            Some(("no", marker)) => !evaluate(marker),
            _ => line.split_once('=').is_some_and(|(name, value)| variable(markers, name) == value),
        }
    }
}
