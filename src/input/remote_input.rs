//! Files from the network: they are written by others, so they can neither name files of this machine nor
//! read its variables. (pip allows both.)

use std::path::Path;

use super::{InputSource, LoadedFile, Location, ParsedInput, PathKind, Problem};
use crate::domain::{LockedPackage, LockedSource, Requirement, Source};

const WHY: &str = "a file from the network may not name files of this machine: read a copy of it instead";

/// What a file from the network can learn of this machine: nothing of its variables.
pub(super) struct RemoteInput<'a>(pub &'a dyn InputSource);

impl InputSource for RemoteInput<'_> {
    fn load(&self, location: &Location) -> Result<LoadedFile, String> {
        self.0.load(location)
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn path_kind(&self, path: &Path) -> PathKind {
        self.0.path_kind(path)
    }

    fn working_folder(&self) -> &Path {
        self.0.working_folder()
    }
}

/// Replaces by problems what a file from the network added to `read` that is of this machine; the first
/// `known` requirements are not of it.
pub(super) fn refuse_local(read: &mut ParsedInput, known: usize) {
    let is_remote = |requirement: &Requirement| !requirement.source.is_local();
    let (remote, local): (Vec<_>, Vec<_>) = read.requirements.split_off(known).into_iter().partition(is_remote);
    read.requirements.extend(remote);
    let told = local.iter().map(|local| Problem::error(local.origin.clone(), format!("{local} is local, and {WHY}")));
    read.problems.extend(told);
    let named = read.lock.as_ref().and_then(|lock| lock.lock.packages().iter().find(|package| names_local(package)));
    if let Some(package) = named {
        let problem = Problem::error(package.origin.clone(), format!("{} is local, and {WHY}", package.name));
        read.problems.push(problem);
        read.lock = None;
    }
}

fn names_local(package: &LockedPackage) -> bool {
    let by_source = match &package.source {
        LockedSource::Index(url) => url.as_ref().is_some_and(|url| url.is_local()),
        LockedSource::Repository(url) => Source::Repository(url.clone()).is_local(),
        LockedSource::Archive | LockedSource::Folder(_) => false,
    };
    by_source || package.files.iter().filter_map(|file| file.url.as_ref()).any(|url| url.get().is_local())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::fake_source::FakeSource;
    use crate::input::{Role, read};

    const PYLOCK: &str = "lock-version = '1.0'\ncreated-by = 'a'\n[[packages]]\nname = 'demo'\nversion = '1.0'\n\
        [[packages.wheels]]\nurl = 'file:///home/me/demo-1.0-py3-none-any.whl'\nhashes = {sha256 = \
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}\n";

    fn problems(name: &str, text: &str) -> Vec<String> {
        let url = format!("https://index.example/{name}");
        let source = FakeSource::new().url(&url, text).variable("SECRET", "hunter2");
        let parsed = read(&Location::Url(url), Role::Requirements, &source);
        assert!(parsed.requirements.is_empty() && parsed.lock.is_none(), "{name}");
        parsed.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_format_lets_the_network_name_files_of_this_machine() {
        for (name, text) in [
            ("requirements.txt", "demo @ git+FILE:///home/me/demo\n"),
            ("requirements.txt", "demo @ file:///home/me/demo-1.0.tar.gz\n"),
            ("pyproject.toml", "[project]\nname = 'a'\ndependencies = ['demo @ file:///home/me/demo-1.0.tar.gz']\n"),
            ("job.py", "# /// script\n# dependencies = ['demo @ file:///home/me/demo-1.0.tar.gz']\n# ///\n"),
            ("pylock.toml", PYLOCK),
        ] {
            let problems = problems(name, text);
            assert!(problems.len() == 1 && problems[0].contains("local"), "{name}: {problems:?}");
        }
    }

    #[test]
    fn no_format_lets_the_network_read_variables() {
        let lock = "{\"_meta\": {\"hash\": {\"sha256\": \"0\"}, \"pipfile-spec\": 6, \"requires\": {}, \"sources\": \
            [{\"name\": \"a\", \"url\": \"https://index.example/${SECRET}/simple\", \"verify_ssl\": true}]}, \"default\": \
            {\"demo\": {\"hashes\": [\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"], \"index\": \"a\", \
            \"version\": \"==1.0\"}}, \"develop\": {}}";
        let told = problems("Pipfile.lock", lock).concat();
        assert!(told.contains("SECRET") && !told.contains("hunter2"), "{told}");
    }
}
