//! The names of well-known projects, to suggest the one that was mistyped.

/// The normalized names of the most downloaded projects, without those that are mostly dependencies
/// of others.
const NAMES: [&str; 72] = [
    "aiohttp",
    "alembic",
    "anyio",
    "asgiref",
    "beautifulsoup4",
    "black",
    "boto3",
    "botocore",
    "celery",
    "certifi",
    "click",
    "coverage",
    "cryptography",
    "cython",
    "django",
    "djangorestframework",
    "docutils",
    "fastapi",
    "flask",
    "flask-sqlalchemy",
    "gunicorn",
    "httpx",
    "ipython",
    "jinja2",
    "jupyter",
    "jupyterlab",
    "keras",
    "lxml",
    "matplotlib",
    "mypy",
    "nltk",
    "notebook",
    "numpy",
    "openpyxl",
    "packaging",
    "pandas",
    "paramiko",
    "pillow",
    "polars",
    "psutil",
    "psycopg2",
    "psycopg2-binary",
    "pyarrow",
    "pydantic",
    "pygments",
    "pyinstaller",
    "pylint",
    "pymongo",
    "pymysql",
    "pytest",
    "pytest-cov",
    "python-dateutil",
    "pyyaml",
    "redis",
    "requests",
    "rich",
    "ruff",
    "scikit-learn",
    "scipy",
    "seaborn",
    "selenium",
    "setuptools",
    "sphinx",
    "sqlalchemy",
    "starlette",
    "sympy",
    "tensorflow",
    "torch",
    "tornado",
    "transformers",
    "urllib3",
    "uvicorn",
];

/// The length of a name from which on two typing errors are allowed, instead of one.
const LONG: usize = 7;

/// Returns the well-known project of which `name` is a likely misspelling; `None` if there is none,
/// or several.
pub fn nearest(name: &str) -> Option<&'static str> {
    let is_near = |known: &&str| {
        let distance = strsim::osa_distance(known, name);
        distance == 1 && known.len() > 3 || distance == 2 && known.len() >= LONG
    };
    let mut near = NAMES.into_iter().filter(is_near);
    near.next().filter(|_| near.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_and_other_names_are_not() {
        for (slip, meant) in
            [("requets", "requests"), ("reqeusts", "requests"), ("djagno", "django"), ("pandsa", "pandas")]
        {
            assert_eq!(nearest(slip), Some(meant));
        }
        for other in ["requests", "our-project", "rick-and-morty", "x", "psycopg2-bin"] {
            assert_eq!(nearest(other), None, "{other}");
        }
    }
}
