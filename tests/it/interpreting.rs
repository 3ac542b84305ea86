//! The machine's own Python, asked what it is.

use prefetch::interpreter::{Surroundings, describe};

use crate::support::{Sandbox, judges};

#[test]
fn a_real_python_describes_itself_and_is_remembered() {
    let sandbox = Sandbox::new();
    let (folder, cache) = (sandbox.path(""), sandbox.cache());
    let variable = |name: &str| (name == "PATH").then(|| judges().bin().into_os_string());
    let surroundings = Surroundings { variable: &variable, folder: &folder };
    let cold = describe(None, Some(&cache), surroundings).unwrap();
    let warm = describe(None, Some(&cache), surroundings).unwrap();
    assert_eq!(cold, warm);
    let target = cold.target();
    assert!(target.tags().iter().any(|tag| tag.to_string() == "py3-none-any"));
    assert!(target.python_version().starts_with("3."));
    let pip = || cold.pip(Some(&cache), surroundings).unwrap().unwrap();
    assert_eq!(pip(), pip());
    assert!(pip().default_index.unwrap().ends_with("/simple"));
}
