//! Programs that newsml starts: found and run so that nothing in the working folder takes part.
//!
//! The working folder holds articles from outside, and an interpreter that starts there would run a
//! module that lies beside them. So a program is never looked for in the working folder, starts in an
//! empty folder of newsml's own, and gets no variable that names code to run first.

use std::ffi::OsStr;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Prepares to run a Python interpreter in `folder`, which must be empty and newsml's own.
///
/// Isolated from `PYTHON*` variables: `PYTHONPATH` and `PYTHONSTARTUP` name code that would run first.
/// The user's site packages stay, since `pip` may be installed there.
///
/// # Errors
/// `NotFound` if there is no such program outside the working folder.
pub(crate) fn python(program: &Path, folder: &Path) -> Result<Command> {
    let mut command = Command::new(find(program)?);
    command
        .arg("-E")
        .current_dir(folder)
        // For interpreters that `pip` itself starts.
        .env("PYTHONSAFEPATH", "1")
        .stdin(Stdio::null());
    for variable in ["PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHONINSPECT"] {
        command.env_remove(variable);
    }
    Ok(command)
}

/// The absolute path of a program: a bare name is looked for in `PATH`, a path is taken as it is.
fn find(program: &Path) -> Result<PathBuf> {
    if program.components().count() > 1 || program.is_absolute() {
        return std::path::absolute(program);
    }
    let here = std::env::current_dir().and_then(|folder| folder.canonicalize());
    let here = here.ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    find_in(program.as_os_str(), &path, here.as_deref())
        .ok_or_else(|| Error::from(ErrorKind::NotFound))
}

/// Looks in the folders of `PATH`; relative ones and `here`, the working folder, are passed over.
fn find_in(name: &OsStr, path: &OsStr, here: Option<&Path>) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .filter(|folder| here.is_none() || folder.canonicalize().ok().as_deref() != here)
        .flat_map(|folder| names(name).map(move |name| folder.join(name)))
        .find(|program| is_program(program))
}

#[cfg(unix)]
fn names(name: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::iter::once(PathBuf::from(name))
}

#[cfg(not(unix))]
fn names(name: &OsStr) -> impl Iterator<Item = PathBuf> {
    let plain = PathBuf::from(name);
    [plain.with_extension("exe"), plain].into_iter()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn programs_are_not_looked_for_in_the_working_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (articles, tools) = (folder.join("articles"), folder.join("tools"));
        for place in [&articles, &tools] {
            std::fs::create_dir(place).unwrap();
            let program = place.join("python3");
            std::fs::write(&program, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::write(folder.join("python3"), "not a program").unwrap();
        let found = |path: &str| {
            let path = path.replace("ARTICLES", articles.to_str().unwrap());
            let path = path.replace("TOOLS", tools.to_str().unwrap());
            let path = path.replace("PLAIN", folder.to_str().unwrap());
            find_in("python3".as_ref(), path.as_ref(), Some(&articles))
        };
        let tool = Some(tools.join("python3"));
        for (path, expected) in [
            ("TOOLS", &tool),
            (".:TOOLS", &tool),
            (":TOOLS", &tool),
            ("ARTICLES:TOOLS", &tool),
            ("ARTICLES/../articles:TOOLS", &tool),
            ("../articles:TOOLS", &tool),
            ("PLAIN:TOOLS", &tool),
            (".:ARTICLES", &None),
            ("", &None),
        ] {
            assert_eq!(found(path), *expected, "{path}");
        }
    }
}
