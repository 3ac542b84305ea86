//! Compares the metadata files beside wheels (PEP 658) with the wheels' own metadata.

use std::collections::BTreeMap;

use super::file_check::CheckedFile;
use super::{Finding, FindingKind};

/// Returns a finding for every sidecar that differs from its wheel's `METADATA`.
pub(super) fn contradictions(checked: &[CheckedFile]) -> Vec<Finding> {
    let by_path: BTreeMap<_, _> = checked.iter().map(|file| (file.path.as_str(), file)).collect();
    let sidecars = checked.iter().filter_map(|file| Some((file, by_path.get(file.path.strip_suffix(".metadata")?)?)));
    let contradicted = sidecars.filter(|(sidecar, wheel)| {
        let own = wheel.inspection.as_ref().and_then(|inspection| inspection.metadata_sha256);
        sidecar.sha256.is_some() && own.is_some() && own != sidecar.sha256
    });
    let finding = |sidecar: &CheckedFile| {
        Finding::new(
            FindingKind::Digest,
            "it is not the METADATA of the wheel beside it, which pip finds out when it has both",
        )
        .at(&sidecar.path)
    };
    contradicted.map(|(sidecar, _)| finding(sidecar)).collect()
}
