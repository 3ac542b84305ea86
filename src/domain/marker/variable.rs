//! The variables of markers (PEP 508) and their values.

use crate::domain::MarkerEnvironment;

/// A marker variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Variable {
    Extra,
    ImplementationName,
    ImplementationVersion,
    OsName,
    PlatformMachine,
    PlatformPythonImplementation,
    PlatformRelease,
    PlatformSystem,
    PlatformVersion,
    PythonFullVersion,
    PythonVersion,
    SysPlatform,
}

impl Variable {
    /// Returns the variable called `word`, including old spellings.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "extra" => Self::Extra,
            "implementation_name" => Self::ImplementationName,
            "implementation_version" => Self::ImplementationVersion,
            "os_name" | "os.name" => Self::OsName,
            "platform_machine" | "platform.machine" => Self::PlatformMachine,
            "platform_python_implementation" | "platform.python_implementation" | "python_implementation" => {
                Self::PlatformPythonImplementation
            }
            "platform_release" => Self::PlatformRelease,
            "platform_system" => Self::PlatformSystem,
            "platform_version" | "platform.version" => Self::PlatformVersion,
            "python_full_version" => Self::PythonFullVersion,
            "python_version" => Self::PythonVersion,
            "sys_platform" | "sys.platform" => Self::SysPlatform,
            _ => return None,
        })
    }

    /// Whether its values are compared as versions if the other side is a version.
    pub fn is_version(self) -> bool {
        matches!(
            self,
            Self::ImplementationVersion | Self::PlatformRelease | Self::PythonFullVersion | Self::PythonVersion
        )
    }

    pub fn value<'v>(self, environment: &'v MarkerEnvironment, extra: &'v str) -> &'v str {
        match self {
            Self::Extra => extra,
            Self::ImplementationName => environment.implementation_name(),
            Self::ImplementationVersion => &environment.implementation_version().string,
            Self::OsName => environment.os_name(),
            Self::PlatformMachine => environment.platform_machine(),
            Self::PlatformPythonImplementation => environment.platform_python_implementation(),
            Self::PlatformRelease => environment.platform_release(),
            Self::PlatformSystem => environment.platform_system(),
            Self::PlatformVersion => environment.platform_version(),
            Self::PythonFullVersion => &environment.python_full_version().string,
            Self::PythonVersion => &environment.python_version().string,
            Self::SysPlatform => environment.sys_platform(),
        }
    }
}
