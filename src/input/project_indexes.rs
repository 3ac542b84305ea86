//! The indexes that a project's tools are configured to ask: `tool.uv.index`, `tool.poetry.source`
//! and `tool.pdm.source`.

use serde::Deserialize;

use super::InputSource;
use super::index_url::{expand_variables, with_credentials};
use super::locking::Fault;
use super::project_dependencies::DeclaredDependency;
use super::text_file::TextFile;
use crate::domain::{IndexOptions, PackageName};

/// An index of a project.
#[derive(Clone, Debug)]
pub struct ProjectIndex {
    name: Option<String>,
    /// The URL or path; `None` for the index that is asked by default (`PyPI` in Poetry).
    url: Option<String>,
    role: IndexRole,
    /// The projects that are taken from it alone.
    projects: Vec<String>,
    /// The prefix of variables with its user and password.
    variables: Option<&'static str>,
}

/// When an index is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IndexRole {
    /// It is asked in the place of the default index.
    Default,
    /// It is asked before the default index.
    Extra,
    /// It is asked after all others.
    Supplemental,
    /// It is asked only for the dependencies that name it.
    Explicit,
    /// It is a page or folder of links.
    Links,
}

/// An entry of `tool.uv.index`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct UvIndex {
    name: Option<String>,
    url: String,
    default: bool,
    explicit: bool,
    format: Option<String>,
}

impl From<&UvIndex> for ProjectIndex {
    fn from(index: &UvIndex) -> Self {
        let role = match (index.format.as_deref(), index.explicit, index.default) {
            (Some("flat"), ..) => IndexRole::Links,
            (_, true, _) => IndexRole::Explicit,
            (.., true) => IndexRole::Default,
            _ => IndexRole::Extra,
        };
        let (name, url) = (index.name.clone(), Some(index.url.clone()));
        Self { name, url, role, projects: Vec::new(), variables: Some("UV_INDEX") }
    }
}

impl ProjectIndex {
    /// Makes the index of `tool.uv.index-url`, or one of `tool.uv.extra-index-url`.
    pub fn unnamed(url: &str, is_default: bool) -> Self {
        let role = if is_default { IndexRole::Default } else { IndexRole::Extra };
        Self { name: None, url: Some(url.to_owned()), role, projects: Vec::new(), variables: None }
    }
}

/// An entry of `tool.poetry.source`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PoetrySource {
    name: String,
    url: Option<String>,
    priority: Option<String>,
    // Before Poetry 1.5.
    default: bool,
    secondary: bool,
}

impl From<&PoetrySource> for ProjectIndex {
    fn from(source: &PoetrySource) -> Self {
        let role = match source.priority.as_deref() {
            Some("explicit") => IndexRole::Explicit,
            Some("supplemental" | "secondary") => IndexRole::Supplemental,
            Some("default") => IndexRole::Default,
            None if source.default => IndexRole::Default,
            None if source.secondary => IndexRole::Supplemental,
            _ => IndexRole::Extra,
        };
        let (name, url) = (Some(source.name.clone()), source.url.clone());
        Self { name, url, role, projects: Vec::new(), variables: Some("POETRY_HTTP_BASIC") }
    }
}

/// Returns the sources of Poetry, of which the last primary one replaces the default index unless
/// that is named among them.
pub fn of_poetry(sources: &[PoetrySource]) -> Vec<ProjectIndex> {
    let mut all: Vec<_> = sources.iter().map(ProjectIndex::from).collect();
    let is_primary = |index: &&mut ProjectIndex| matches!(index.role, IndexRole::Default | IndexRole::Extra);
    if !all.iter_mut().filter(is_primary).any(|index| index.url.is_none())
        && let Some(last) = all.iter_mut().rfind(is_primary)
    {
        last.role = IndexRole::Default;
    }
    all
}

/// An entry of `tool.pdm.source`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PdmSource {
    name: Option<String>,
    url: String,
    r#type: Option<String>,
    include_packages: Vec<String>,
    exclude_packages: Vec<String>,
}

impl PdmSource {
    /// Returns the index.
    ///
    /// # Errors
    /// When it is for projects that match a pattern, or for all but some.
    pub fn index(&self) -> Result<ProjectIndex, Fault> {
        let is_pattern = |name: &String| name.contains(['*', '?', '[']);
        let name = self.name.clone().unwrap_or_default();
        if self.include_packages.iter().any(is_pattern) || !self.exclude_packages.is_empty() {
            return Err(format!("the source `{name}` of tool.pdm.source has patterns of projects: lock with PDM"));
        }
        let role = match (self.r#type.as_deref(), name.as_str()) {
            _ if !self.include_packages.is_empty() => IndexRole::Explicit,
            (Some("find_links"), _) => IndexRole::Links,
            (_, "pypi") => IndexRole::Default,
            _ => IndexRole::Extra,
        };
        let (projects, url) = (self.include_packages.clone(), Some(self.url.clone()));
        Ok(ProjectIndex { name: self.name.clone(), url, role, projects, variables: None })
    }
}

/// The indexes of a project, with what turns them into options.
pub struct ProjectIndexes<'p> {
    pub all: &'p [ProjectIndex],
    /// The file that has them.
    pub file: &'p TextFile,
    pub input_source: &'p dyn InputSource,
}

impl ProjectIndexes<'_> {
    /// Adds the indexes to `options`, and of which one each of the `asked` dependencies alone is
    /// taken.
    ///
    /// # Errors
    /// When a URL cannot be used, or a dependency names an index that there is not.
    pub fn add_to<'a>(
        &self,
        options: &mut IndexOptions,
        asked: impl IntoIterator<Item = &'a DeclaredDependency>,
    ) -> Result<(), Fault> {
        for index in self.all {
            let Some(url) = self.location(index)? else { continue };
            match index.role {
                IndexRole::Default => options.index_url = Some(url),
                IndexRole::Extra => options.extra_index_urls.push(url),
                IndexRole::Supplemental => options.supplemental_index_urls.push(url),
                IndexRole::Links => options.find_links.push(url),
                IndexRole::Explicit => {}
            }
        }
        for asked in asked {
            if let Some(index) = self.index_of(asked)? {
                self.pin(options, &asked.name, index)?;
            }
        }
        Ok(())
    }

    /// Returns the index that a dependency alone is taken from.
    fn index_of(&self, asked: &DeclaredDependency) -> Result<Option<&ProjectIndex>, Fault> {
        let Some(name) = &asked.what.source else {
            let is_it = |name: &String| name.parse::<PackageName>().as_ref() == Ok(&asked.name);
            return Ok(self.all.iter().find(|index| index.projects.iter().any(is_it)));
        };
        let is_named = |index: &&ProjectIndex| index.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
        let found = self.all.iter().find(is_named);
        found.map(Some).ok_or_else(|| format!("{}: there is no index `{name}` in the file", asked.name))
    }

    fn pin(&self, options: &mut IndexOptions, project: &PackageName, index: &ProjectIndex) -> Result<(), Fault> {
        let name = index.name.as_deref().unwrap_or_default();
        let refused =
            |why: &str| format!("{project}: it is on the index `{name}` alone, {why}: lock it with its own tool");
        if index.role == IndexRole::Links {
            return Err(refused("which is no index but a list of links"));
        }
        let url = self.location(index)?.ok_or_else(|| refused("which has no URL here"))?;
        match options.project_indexes.insert(project.clone(), url.clone()) {
            Some(other) if other != url => Err(refused("and on another one")),
            _ => Ok(()),
        }
    }

    /// Returns the URL or path of an index, with its credentials.
    fn location(&self, index: &ProjectIndex) -> Result<Option<String>, Fault> {
        let Some(url) = &index.url else { return Ok(None) };
        let url = expand_variables(url, self.input_source)?;
        if !url.contains("://") {
            let folder = self.file.location.folder(self.input_source.working_folder());
            let folder = folder.ok_or("an index is a path, and the file that names it is none")?;
            return Ok(Some(folder.join(url).display().to_string()));
        }
        let (Some(name), Some(variables)) = (&index.name, index.variables) else { return Ok(Some(url)) };
        Ok(Some(with_credentials(&url, (variables, name), |variable| self.input_source.variable(variable))))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::IndexOptions;
    use crate::input::fake_source::FakeSource;
    use crate::input::{Location, ParsedInput, Role, read};

    fn of(text: &str) -> ParsedInput {
        let text = format!("[project]\nname = 'app'\ndependencies = ['torch', 'other']\n{text}");
        let machine = FakeSource::new()
            .file("/w/pyproject.toml", text)
            .variable("UV_INDEX_OUR_OWN_USERNAME", "me")
            .variable("UV_INDEX_OUR_OWN_PASSWORD", "hunter2")
            .variable("TOKEN", "t0ken");
        read(&Location::parse("pyproject.toml"), Role::Requirements, &machine)
    }

    fn options(text: &str) -> IndexOptions {
        let read = of(text);
        assert!(!read.has_errors(), "{:?}", read.problems);
        read.options
    }

    /// The indexes in the order in which they are asked; `default` is that of no file.
    fn asked(options: &IndexOptions) -> Vec<&str> {
        let main = options.index_url.as_deref().unwrap_or("default");
        let extra = options.extra_index_urls.iter().map(String::as_str);
        extra.chain([main]).chain(options.supplemental_index_urls.iter().map(String::as_str)).collect()
    }

    fn pins(options: &IndexOptions) -> Vec<String> {
        options.project_indexes.iter().map(|(name, url)| format!("{name} {url}")).collect()
    }

    #[test]
    fn uv_takes_a_dependency_from_the_index_that_it_names_alone() {
        let own = "[[tool.uv.index]]\nname = 'our-own'\nurl = 'https://own.example/simple'\nexplicit = true\n";
        let found = options(&format!("{own}[tool.uv.sources]\nTorch = {{ index = 'our-own' }}\n"));
        assert_eq!(asked(&found), ["default"]);
        assert_eq!(pins(&found), ["torch https://me:hunter2@own.example/simple"]);
        let all = "[[tool.uv.index]]\nurl = 'https://a.example'\n[[tool.uv.index]]\nurl = 'b'\n[[tool.uv.index]]\nurl = \
                   'https://main.example'\ndefault = true\n";
        assert_eq!(asked(&options(all)), ["https://a.example", "/w/b", "https://main.example"]);
        let old = "[tool.uv]\nindex-url = 'https://main.example'\nextra-index-url = ['https://a.example']\n";
        assert_eq!(asked(&options(old)), ["https://a.example", "https://main.example"]);
    }

    #[test]
    fn poetry_asks_its_primary_sources_in_the_place_of_the_default_one() {
        let source = |name: &str, rest: &str| {
            format!("[[tool.poetry.source]]\nname = '{name}'\nurl = 'https://{name}.example/simple'\n{rest}\n")
        };
        let table = "[tool.poetry.dependencies]\ntorch = { source = 'c' }\n";
        let priority = |priority: &str| format!("priority = '{priority}'");
        let all =
            [source("a", ""), source("b", &priority("supplemental")), source("c", &priority("explicit"))].concat();
        let found = options(&format!("{table}{all}"));
        assert_eq!(asked(&found), ["https://a.example/simple", "https://b.example/simple"]);
        assert_eq!(pins(&found), ["torch https://c.example/simple"]);
        let with_default = format!("{}[[tool.poetry.source]]\nname = 'PyPI'\n", source("a", ""));
        assert_eq!(asked(&options(&with_default)), ["https://a.example/simple", "default"]);
        let only_last = options(&source("b", "secondary = true"));
        assert_eq!(asked(&only_last), ["default", "https://b.example/simple"]);
    }

    #[test]
    fn pdm_takes_what_a_source_includes_from_it_alone() {
        let text = "[[tool.pdm.source]]\nname = 'own'\nurl = 'https://me:${TOKEN}@own.example'\ninclude_packages = \
                    ['torch']\n[[tool.pdm.source]]\nname = 'pypi'\nurl = 'https://main.example'\n[[tool.pdm.source]]\nname \
                    = 'links'\ntype = 'find_links'\nurl = 'https://links.example'\n";
        let found = options(text);
        assert_eq!(
            (asked(&found), found.find_links.as_slice()),
            (vec!["https://main.example"], &["https://links.example".to_owned()][..])
        );
        assert_eq!(pins(&found), ["torch https://me:t0ken@own.example"]);
    }

    #[test]
    fn what_no_index_can_serve_is_refused() {
        for (text, part) in [
            ("[tool.uv.sources]\ntorch = { index = 'nowhere' }\n", "torch: there is no index `nowhere`"),
            (
                "[tool.uv.sources]\ntorch = { index = 'x' }\n[[tool.uv.index]]\nname = 'x'\nurl = 'https://x'\nformat = \
                 'flat'\n",
                "no index but a list of links",
            ),
            ("[[tool.pdm.source]]\nname = 'x'\nurl = 'https://x'\ninclude_packages = ['t*']\n", "patterns of projects"),
            ("[[tool.pdm.source]]\nname = 'x'\nurl = 'https://me:${NONE}@x'\n", "the variable NONE"),
            (
                "[tool.poetry.dependencies]\ntorch = { source = 'PyPI' }\n[[tool.poetry.source]]\nname = 'PyPI'\n",
                "which has no URL here",
            ),
        ] {
            let told: String = of(text).problems.iter().map(ToString::to_string).collect();
            assert!(told.contains(part), "{text}: {told}");
        }
    }
}
