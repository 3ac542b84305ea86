//! Hints: what a failed build lacks, by what it printed.

/// Words that a build prints, what is missing then, and the packages of Debian and of Fedora that
/// have it.
const HINTS: [(&str, &str, &str, &str); 26] = [
    ("Python.h: No such file", "the headers of Python", "python3-dev", "python3-devel"),
    ("libpq-fe.h", "the headers of PostgreSQL", "libpq-dev", "libpq-devel"),
    ("pg_config executable not found", "pg_config of PostgreSQL", "libpq-dev", "libpq-devel"),
    ("mysql_config", "mysql_config of MySQL", "default-libmysqlclient-dev", "mysql-devel"),
    ("mysql.h: No such file", "the headers of MySQL", "default-libmysqlclient-dev", "mysql-devel"),
    ("Can not find valid pkg-config name", "the headers of MySQL", "default-libmysqlclient-dev", "mysql-devel"),
    ("ffi.h: No such file", "the headers of libffi", "libffi-dev", "libffi-devel"),
    ("openssl/opensslv.h", "the headers of OpenSSL", "libssl-dev", "openssl-devel"),
    ("openssl/ssl.h", "the headers of OpenSSL", "libssl-dev", "openssl-devel"),
    ("libxml/xmlversion.h", "the headers of libxml2", "libxml2-dev", "libxml2-devel"),
    ("xslt-config", "the headers of libxslt", "libxslt1-dev", "libxslt-devel"),
    ("jpeglib.h", "the headers of libjpeg", "libjpeg-dev", "libjpeg-turbo-devel"),
    ("zlib.h: No such file", "the headers of zlib", "zlib1g-dev", "zlib-devel"),
    ("yaml.h: No such file", "the headers of libyaml", "libyaml-dev", "libyaml-devel"),
    ("sqlite3.h: No such file", "the headers of SQLite", "libsqlite3-dev", "sqlite-devel"),
    ("ldap.h: No such file", "the headers of OpenLDAP", "libldap2-dev", "openldap-devel"),
    ("lber.h: No such file", "the headers of OpenLDAP", "libldap2-dev", "openldap-devel"),
    ("sasl/sasl.h", "the headers of SASL", "libsasl2-dev", "cyrus-sasl-devel"),
    ("curl-config", "curl-config of libcurl", "libcurl4-openssl-dev", "libcurl-devel"),
    ("sql.h: No such file", "the headers of unixODBC", "unixodbc-dev", "unixODBC-devel"),
    ("gmp.h: No such file", "the headers of GMP", "libgmp-dev", "gmp-devel"),
    ("cc1plus: not found", "a C++ compiler", "g++", "gcc-c++"),
    ("cc failed: No such file", "a C compiler", "gcc", "gcc"),
    ("gcc' failed: No such file", "a C compiler", "gcc", "gcc"),
    ("can't find Rust compiler", "a Rust compiler", "cargo", "cargo"),
    ("CMake must be installed", "CMake", "cmake", "cmake"),
];

/// Words by which programs tell that they reach no network.
const NO_NETWORK: [&str; 9] = [
    "Connection refused",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "nodename nor servname provided",
    "Could not resolve host",
    "Couldn't resolve host",
    "127.0.0.1:9",
    "Cannot connect to proxy",
];

/// Returns a sentence about what is missing, if a printed line tells that.
pub fn hint(line: &str) -> Option<String> {
    if NO_NETWORK.iter().any(|words| line.contains(words)) {
        return Some("\n  it wants the network, which no build gets here".to_owned());
    }
    let (_, what, debian, fedora) = HINTS.iter().find(|(words, ..)| line.contains(words))?;
    Some(format!("\n  it lacks {what}: install {debian} (Debian, Ubuntu) or {fedora} (Fedora, RHEL)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_the_packages_that_have_it() {
        let told = hint("./psycopg/psycopg.h:36:10: fatal error: libpq-fe.h: No such file or directory").unwrap();
        assert!(told.contains("libpq-dev (Debian, Ubuntu) or libpq-devel (Fedora"), "{told}");
        assert!(hint("error: command 'gcc' failed: No such file or directory").unwrap().contains("a C compiler"));
        assert_eq!(hint("running build_ext"), None);
        let told =
            hint("urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>").unwrap();
        assert!(told.contains("it wants the network"), "{told}");
    }
}
