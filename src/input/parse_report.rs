//! The output of `parse --json`, schema 1: keys are stable, additions are allowed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{IndexOptions, Origin, Requirement, Source, mask_credentials};

use super::{ParsedInput, Problem, Severity};

/// Everything that was read; URLs are masked, missing values are `null`.
#[derive(Debug, Serialize)]
pub struct ParseReport {
    schema: u32,
    requirements: Vec<RequirementView>,
    options: OptionsView,
    problems: Vec<ProblemView>,
}

#[derive(Debug, Serialize)]
struct RequirementView {
    name: Option<String>,
    extras: Vec<String>,
    specifier: Option<String>,
    marker: Option<String>,
    url: Option<String>,
    path: Option<String>,
    editable: bool,
    hashes: Vec<String>,
    constraint: bool,
    config_settings: BTreeMap<String, SettingView>,
    source: SourceView,
}

/// A text, or a list if the key was repeated, as a build backend gets it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SettingView {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Serialize)]
struct OptionsView {
    index_url: Option<String>,
    extra_index_urls: Vec<String>,
    supplemental_index_urls: Vec<String>,
    /// The only index of a project, where one is stated.
    project_indexes: BTreeMap<String, String>,
    find_links: Vec<String>,
    no_index: bool,
    only_binary: Vec<String>,
    no_binary: Vec<String>,
    prefer_binary: bool,
    pre: bool,
    all_releases: Vec<String>,
    only_final: Vec<String>,
    require_hashes: bool,
    no_require_hashes: bool,
    trusted_hosts: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ProblemView {
    severity: &'static str,
    message: String,
    source: SourceView,
    text: Option<String>,
    column: Option<usize>,
}

#[derive(Debug, Serialize)]
struct SourceView {
    file: String,
    line: usize,
}

/// Returns the report on what was read.
pub fn parse_report(read: &ParsedInput) -> ParseReport {
    ParseReport {
        schema: 1,
        requirements: read.requirements.iter().map(RequirementView::from).collect(),
        options: OptionsView::from(&read.options),
        problems: read.problems.iter().map(ProblemView::from).collect(),
    }
}

impl From<&Requirement> for RequirementView {
    fn from(requirement: &Requirement) -> Self {
        let (mut specifier, mut url, mut path) = (None, None, None);
        match &requirement.source {
            Source::Index(specifiers) => specifier = (!specifiers.is_any()).then(|| specifiers.to_string()),
            Source::Url(archive) => url = Some(archive.to_string()),
            Source::Repository(repository) => url = Some(mask_credentials(repository).into_owned()),
            Source::Archive(local) | Source::Project(local) => path = Some(local.display().to_string()),
        }
        Self {
            name: requirement.name.as_ref().map(ToString::to_string),
            extras: strings(&requirement.extras),
            specifier,
            marker: requirement.marker.text().map(str::to_owned),
            url,
            path,
            editable: requirement.editable,
            hashes: strings(&requirement.hashes),
            constraint: requirement.constraint,
            config_settings: settings(&requirement.config_settings),
            source: SourceView::from(&requirement.origin),
        }
    }
}

fn strings(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn settings(settings: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, SettingView> {
    let view = |values: &Vec<String>| match values.as_slice() {
        [value] => SettingView::One(value.clone()),
        several => SettingView::Several(several.to_vec()),
    };
    settings.iter().map(|(key, values)| (key.clone(), view(values))).collect()
}

impl From<&IndexOptions> for OptionsView {
    fn from(options: &IndexOptions) -> Self {
        let masked = |values: &[String]| values.iter().map(|value| mask_credentials(value).into_owned()).collect();
        Self {
            index_url: options.index_url.as_ref().map(|url| mask_credentials(url).into_owned()),
            extra_index_urls: masked(&options.extra_index_urls),
            supplemental_index_urls: masked(&options.supplemental_index_urls),
            project_indexes: {
                let indexes = options.project_indexes.iter();
                indexes.map(|(name, url)| (name.to_string(), mask_credentials(url).into_owned())).collect()
            },
            find_links: masked(&options.find_links),
            no_index: options.no_index,
            only_binary: options.formats.only_binary_values(),
            no_binary: options.formats.no_binary_values(),
            prefer_binary: options.prefer_binary,
            pre: options.pre,
            all_releases: options.releases.all_releases_values(),
            only_final: options.releases.only_final_values(),
            require_hashes: options.require_hashes,
            no_require_hashes: options.no_require_hashes,
            trusted_hosts: options.trusted_hosts.clone(),
        }
    }
}

impl From<&Problem> for ProblemView {
    fn from(problem: &Problem) -> Self {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        Self {
            severity,
            message: problem.message.clone(),
            source: SourceView::from(&problem.origin),
            text: problem.text.clone(),
            column: problem.column,
        }
    }
}

impl From<&Origin> for SourceView {
    fn from(origin: &Origin) -> Self {
        Self { file: origin.file.to_string(), line: origin.line }
    }
}
