use proptest::prelude::*;

use super::*;

fn keywords(text: &str) -> SetupKeywords {
    read(text.as_bytes()).unwrap_or_else(|| panic!("it is not read:\n{text}"))
}

fn needs(text: &str) -> Keyword<Vec<String>> {
    keywords(&format!("from setuptools import setup\n{text}")).install_requires
}

fn literal(lines: &[&str]) -> Keyword<Vec<String>> {
    Keyword::Literal(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[test]
fn literals_sums_and_names_of_them_are_read() {
    for text in [
        "setup(install_requires=['six', 'idna>=2'])",
        "from setuptools import find_packages\nsetup(packages=find_packages('src'), install_requires=['six', 'idna>=2'])",
        "from setuptools import setup as s\ns(install_requires=['six', 'idna>=2'], distclass=D)",
        "K = dict(install_requires=['six', 'idna>=2'])\nL = dict(K)\nif x:\n  L['name'] = x\nsetup(**L)",
        "setup(install_requires=('six', 'idna' '>=2'),)",
        "setup(install_requires='six\\nidna>=2 # why')",
        "setup(install_requires='''\n  six\n  idna>=2\n''')",
        "setup(install_requires=['six'] + ['idna' + '>=2'])",
        "A = ['six']\nB = A + [r'idna>=2']\nsetup(install_requires=list(B))",
        "A = 'six'\nsetup(install_requires=[A, u'idna>=2'])",
        "A = {'run': ['six', 'idna>=2'], 'test': ['x']}\nsetup(install_requires=A['run'], tests_require=A['test'])",
        "A = ['six']\nsetup(install_requires=[*A, 'idna>=2'])",
        "K = dict(name='x', install_requires=['six', 'idna>=2'])\nsetup(**K)",
        "K = {'install_requires': ['six', 'idna>=2']}\nK['ext_modules'] = []\nsetup(**K)",
        "K = {'install_requires': ['six', 'idna>=2']}\nfrom build import *\nbuild(K)\nsetup(**K)",
        "if __name__ == '__main__':\n\tsetup(install_requires=['six', 'idna>=2'])",
        "def main():\n  A = ['six', 'idna>=2']\n  setup(install_requires=A)\nmain()",
        "A = ['six', 'idna>=2']\nprint A\nprint(len(A))\nsetup(install_requires=A)",
    ] {
        assert_eq!(needs(text), literal(&["six", "idna>=2"]), "{text}");
    }
    for text in [
        "A = ['six']\nA.append('idna')\nsetup(install_requires=A)",
        "A = ['six']\nA += ['idna']\nsetup(install_requires=A)",
        "A = ['x']\nA = ['six']\nA.extend(('idna',))\nsetup(install_requires=A)",
    ] {
        assert_eq!(needs(text), literal(&["six", "idna"]), "{text}");
    }
    assert_eq!(needs("setup(name='x')"), Keyword::Absent);
    assert_eq!(needs("setup(install_requires=None)"), literal(&[]));
}

#[test]
fn what_is_computed_or_changed_is_not_read() {
    for text in [
        "setup(install_requires=open('requirements.txt').read().split())",
        "setup(install_requires=['six%s' % '>=1'])",
        "setup(install_requires=[f'six>={x}'])",
        "setup(install_requires=[line for line in x])",
        "A = ['six']\nB = A\nB.append('idna')\nsetup(install_requires=A)",
        "A = ['six']\nchange(A)\nsetup(install_requires=A)",
        "A = ['six']\nA[0] = 'idna'\nsetup(install_requires=A)",
        "A = {'x': ['six']}\nA['x'].append('idna')\nsetup(install_requires=A['x'])",
        "def A(): pass\nsetup(install_requires=A)",
        "def f(A):\n  setup(install_requires=A)\nf(['six'])",
        "for A in x:\n  B = ['six']\nsetup(install_requires=B)",
        "setup(install_requires=A)",
        "K = {}\nK['install_requires'] = ['six']\nsetup(**K)",
        "K = {}\nK.update(install_requires=['six'])\nsetup(**K)",
        "K = {'install_requires': ['six']}\nfrom hooks import *\nbuild(K)\nsetup(**K)",
        "setup(**load())",
        "setup(install_requires=['six'])\nsetup(install_requires=['idna'])",
    ] {
        assert_eq!(needs(text), Keyword::Computed, "{text}");
    }
}

#[test]
fn what_depends_on_the_machine_is_told_apart() {
    for text in [
        "A = []\nif x:\n  pass\nelif os.name == 'nt':\n  A += ['six']\nsetup(install_requires=A)",
        "A = []\nif sys.version_info[1] > 2:\n  A.append('six')\nsetup(install_requires=A)",
        "A = []\nif sys.version_info[:1] < (2, 7):\n  A.append('six')\nsetup(install_requires=A)",
        "A = []\nif sys.platform.startswith('f'):\n  A.append('six')\nsetup(install_requires=A)",
        "from x import platform as sys\nA = []\nif sys.platform == 'win32':\n  A.append('six')\nsetup(install_requires=A)",
        "A = []\ndef f():\n  if os.name == 'nt':\n    A.append('six')\nf()\nsetup(install_requires=A)",
        "A = []\nfor i in x:\n  if os.name == 'nt':\n    A.append('six')\nsetup(install_requires=A)",
        "def f():\n  setup(install_requires=A)\nA = []\nif os.name == 'nt':\n  A += ['six']\nf()",
        "A = []\ntry:\n  import json\nexcept ImportError:\n  A.append('simplejson')\nsetup(install_requires=A)",
        "def f():\n  return os.environ['A']\nsetup(install_requires=f())",
        "def f(A):\n  setup(install_requires=A)\nf([sys.platform])",
        "K = {}\nif six.PY2:\n  K['install_requires'] = ['six']\nsetup(**K)",
    ] {
        assert_eq!(needs(text), Keyword::Conditional, "{text}");
    }
    let other = "K = {}\nif sys.platform == 'x':\n  K['ext_modules'] = []\nK['install_requires'] = f()\nsetup(**K)";
    assert_eq!(needs(other), Keyword::Computed);
}

#[test]
fn branches_on_the_machine_are_markers() {
    let branch = |condition: &str| {
        let text = format!("A = ['six']\nif {condition}:\n  A.append('idna')\nsetup(install_requires=A)");
        match needs(&text) {
            Keyword::Literal(lines) => lines[1..].join("\n"),
            other => panic!("{condition}: {other:?}"),
        }
    };
    for (condition, line) in [
        ("sys.version_info[0] == 2", "idna ; (python_version >= '2') and (python_version < '3')"),
        ("[sys.version_info[0], sys.version_info[1]] < [2, 7]", "idna ; python_version < '2.7'"),
        ("sys.version_info < (3, 2)", "idna ; python_version < '3.2'"),
        ("sys.version_info > (3, 2)", "idna ; python_version >= '3.2'"),
        ("sys.version_info <= (3, 2)", "idna ; python_version < '3.2'"),
        ("sys.version_info == (3, 2)", ""),
        ("sys.version_info != (3, 2)", "idna"),
        ("sys.version_info[:2] > (3, 2)", "idna ; python_version >= '3.3'"),
        ("sys.version_info[:2] <= (3, 2)", "idna ; python_version < '3.3'"),
        ("sys.version_info >= (3, 2, 1)", "idna ; python_full_version >= '3.2.1'"),
        ("(3, 2) > sys.version_info", "idna ; python_version < '3.2'"),
        ("(2, 6) <= sys.version_info < (3,)", "idna ; (python_version >= '2.6') and (python_version < '3')"),
        ("not sys.version_info.major < 3", "idna ; python_version >= '3'"),
        ("os.name == 'nt' or sys.platform == \"cygwin\"", "idna ; (os_name == 'nt') or (sys_platform == 'cygwin')"),
        ("sys.platform not in ('win32', 'cygwin')", "idna ; (sys_platform != 'win32') and (sys_platform != 'cygwin')"),
        ("sys.platform.startswith('linux')", "idna ; (sys_platform == 'linux') or (sys_platform == 'linux2')"),
        ("'win' in sys.platform", "idna ; 'win' in sys_platform"),
        ("hasattr(sys, 'pypy_version_info')", "idna ; platform_python_implementation == 'PyPy'"),
        ("platform.system() != 'Windows' and True", "idna ; platform_system != 'Windows'"),
    ] {
        assert_eq!(branch(condition), line, "{condition}");
    }
}

#[test]
fn every_branch_gets_the_marker_under_which_it_runs() {
    let (old, new) = ("six ; python_version < '3'", "idna ; python_version >= '3'");
    for (text, lines) in [
        ("setup(install_requires=['six'] if sys.version_info < (3,) else ['idna'])", vec![old, new]),
        (
            "if sys.version_info < (3,):\n  A = ['six']\nelse:\n  A = ['idna']\nsetup(install_requires=A)",
            vec![old, new],
        ),
        ("A = ['idna']\nif sys.version_info < (3,):\n  A = ['six']\nsetup(install_requires=A)", vec![new, old]),
        ("OLD = sys.version_info < (3,)\nA = []\nif OLD:\n  A += ['six']\nB = A\nsetup(install_requires=B)", vec![old]),
        ("B = ['six'] if sys.version_info < (3,) else []\nsetup(install_requires=B + ['x'])", vec![old, "x"]),
        (
            "A = []\nif os.name == 'nt':\n  A += ['a']\nelif os.name == 'java':\n  A += ['b']\nelse:\n  A += ['c']\n\
             setup(install_requires=A)",
            vec![
                "a ; os_name == 'nt'",
                "b ; (os_name != 'nt') and (os_name == 'java')",
                "c ; (os_name != 'nt') and (os_name != 'java')",
            ],
        ),
    ] {
        assert_eq!(needs(text), literal(&lines), "{text}");
    }
}

#[test]
fn attempts_to_import_setuptools_succeed() {
    let attempt = "try:\n  from setuptools import setup\nexcept ImportError:\n  from distutils.core import setup\n  new = \
                   False\nelse:\n  new = True\nK = {}\nif new:\n  K['install_requires'] = ['six']\nsetup(**K)";
    assert_eq!(keywords(attempt).install_requires, Keyword::Computed);
    let other = attempt.replace("from setuptools import setup\n", "from setuptools import setup\n  import json\n");
    assert_eq!(keywords(&other).install_requires, Keyword::Conditional);
}

#[test]
fn requirements_in_branches_are_named() {
    let text =
        "from setuptools import setup\nA = ['six']\nif PY2:\n  A.append('futures>=2')\nsetup(install_requires=A)";
    let named: Vec<_> = keywords(text).in_branches.iter().map(ToString::to_string).collect();
    assert_eq!(named, ["futures"]);
}

#[test]
fn plugins_and_commands_may_change_everything() {
    let has_plugin =
        |arguments: &str| keywords(&format!("import setuptools\nsetuptools.setup({arguments})")).has_plugin;
    assert!(!has_plugin("name='x', cmdclass={'test': T}, use_scm_version=True, setup_requires=['setuptools_scm']"));
    for arguments in ["pbr=True", "setup_requires=['pbr>=1']", "cmdclass={'egg_info': E}"] {
        assert!(has_plugin(arguments), "{arguments}");
    }
}

#[test]
fn only_the_setup_of_setuptools_and_distutils_counts() {
    for text in [
        "from distutils.core import setup\nsetup()",
        "from setuptools import *\nsetup()",
        "\
        try:\n  from setuptools import setup\nexcept ImportError:\n  from distutils.core import setup\nsetup()",
    ] {
        assert!(read(text.as_bytes()).is_some(), "{text}");
    }
    for text in
        ["setup()", "from numpy.distutils.core import setup\nsetup()", "def setup(): pass\nsetup()", "x = 1", "x ="]
    {
        assert!(read(text.as_bytes()).is_none(), "{text}");
    }
}

#[test]
fn old_pythons_and_encodings_are_read() {
    let text = b"\xef\xbb\xbf# -*- coding: latin-1 -*-\r\nfrom setuptools import setup\r\nprint 'x'\r\nexec 'y'\r\n\
        try:\r\n\tz = `1`\r\nexcept E, e:\r\n\traise E, 'x'\r\nsetup(author='Zo\xeb',\r\n\tinstall_requires=['six'])\r\n";
    assert_eq!(read(text).unwrap().install_requires, literal(&["six"]));
}

#[test]
fn hostile_files_cost_little() {
    let many = 100_000;
    for text in
        ["(".repeat(many), "-".repeat(many), "a.".repeat(many / 2), "[1,".repeat(many / 3), "not ".repeat(many / 4)]
    {
        assert!(read(text.as_bytes()).is_none());
    }
    let sums = (1..60).map(|number| format!("a{number} = a{} + a{}\n", number - 1, number - 1)).collect::<String>();
    let text = format!("a0 = ['six']\n{sums}setup(install_requires=a59)");
    assert_eq!(needs(&text), Keyword::Computed);
    assert_eq!(needs("a = b\nb = a\nsetup(install_requires=a)"), Keyword::Computed);
    let branches = "elif os.name == 'x':\n A += ['a']\n".repeat(7_000);
    let text = format!("A = []\nif os.name == 'y':\n A += ['b']\n{branches}setup(install_requires=A)");
    assert_eq!(needs(&text), Keyword::Conditional);
    let flat = "a = 1\n".repeat(20_000);
    assert_eq!(needs(&format!("{flat}setup()")), Keyword::Absent);
}

proptest! {
    /// Arbitrary bytes never panic.
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }

    /// Pieces of Python in any order never panic.
    #[test]
    fn no_order_of_pieces_panics(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        read(format!("from setuptools import setup\n{}", pieces.concat()).as_bytes());
    }
}

const PIECES: &[&str] = &[
    "setup(",
    ")",
    "install_requires=",
    "A",
    "=",
    "[",
    "]",
    "'six'",
    ",",
    "\n",
    "  ",
    "if ",
    ":",
    "+",
    "**",
    "*",
    "{",
    "}",
    "def f(",
    ".append(",
    "\"\"\"",
    "\\",
    "f'{",
    "for A in ",
    "import ",
    "A = ['x']\n",
    "lambda A: ",
    "dict(",
    "\u{e9}",
];
