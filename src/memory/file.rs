//! A translation memory in a SQLite file.
//!
//! Any number of processes may use one file at once: it is in WAL mode, and what a process remembers
//! is one transaction. A file that is damaged, or that is not a translation memory, is an error and
//! is never changed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params};

use super::{MemoryScope, TranslationMemory};
use crate::error::{Error, Result};

/// Marks the file as ours: `nwsm`.
const APPLICATION: i64 = 0x6e77_736d;
/// The form of the tables.
const VERSION: i64 = 1;
/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

const TABLE: &str = "
    CREATE TABLE segments (
        source TEXT NOT NULL,
        source_language TEXT NOT NULL,
        target_language TEXT NOT NULL,
        settings TEXT NOT NULL,
        model TEXT NOT NULL,
        target TEXT NOT NULL,
        PRIMARY KEY (source, source_language, target_language, settings)
    ) WITHOUT ROWID";

/// A translation memory on disk; see [`TranslationMemory`].
///
/// ```no_run
/// use std::sync::Arc;
/// use newsml::{Language, MemoryFile, Translator};
/// let memory = Arc::new(MemoryFile::open("news.memory")?);
/// let translator = Translator::builder(Language::English).memory(memory).build()?;
/// # Ok::<(), newsml::Error>(())
/// ```
pub struct MemoryFile {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// How many segments of a kind are in a memory.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct MemoryCount {
    /// Language of the sources.
    pub from: String,
    /// Language of the translations.
    pub to: String,
    /// The models that made them.
    pub model: String,
    /// How many there are.
    pub segments: u64,
}

/// A segment of a memory.
pub(super) struct Unit {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) model: String,
    /// As [`MemoryScope::settings`]; empty for what holds whatever the model.
    pub(super) settings: String,
}

impl MemoryFile {
    /// Opens a memory, and begins one where there is no file.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] where the file is damaged, is not a translation memory, or is one of a newer
    /// newsml; [`Error::Io`] where it cannot be created or read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // SQLite says `unable to open` where the system can say why.
        std::fs::OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(Error::io("open", path))?;
        Self::connect(path)
    }

    /// Opens a memory that is there.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`Error::Io`] where there is no file.
    pub fn existing(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        std::fs::File::open(path).map_err(Error::io("open", path))?;
        Self::connect(path)
    }

    fn connect(path: &Path) -> Result<Self> {
        let failed = |error| failure(path, &error);
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        // Several may begin the file at once: the first makes the table, the others see it.
        if state(&connection).map_err(failed)? == State::Empty {
            let begin = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(failed)?;
            if state(&begin).map_err(failed)? == State::Empty {
                begin.execute_batch(TABLE).map_err(failed)?;
                begin
                    .pragma_update(None, "application_id", APPLICATION)
                    .map_err(failed)?;
                begin
                    .pragma_update(None, "user_version", VERSION)
                    .map_err(failed)?;
            }
            begin.commit().map_err(failed)?;
        }
        let memory = |message: &str| Error::Memory {
            path: path.to_path_buf(),
            message: message.to_owned(),
        };
        match state(&connection).map_err(failed)? {
            State::Ours => {}
            State::Newer => return Err(memory("it was written by a newer newsml")),
            State::Foreign | State::Empty => {
                return Err(memory("it is a database of another program"));
            }
        }
        // Where another process holds the file at this moment, that one sees to it.
        let _ = connection.pragma_update(None, "journal_mode", "WAL");
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(failed)?;
        Ok(Self {
            path: path.to_path_buf(),
            connection: Mutex::new(connection),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> Error + '_ {
        |error| failure(&self.path, &error)
    }

    /// Counts what is in it, by direction and model.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] where the file is damaged.
    pub fn counts(&self) -> Result<Vec<MemoryCount>> {
        let connection = self.lock();
        let mut query = connection
            .prepare(
                "SELECT source_language, target_language, model, count(*) FROM segments
                 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            )
            .map_err(self.failed())?;
        let counts = query.query_map([], |row| {
            Ok(MemoryCount {
                from: row.get(0)?,
                to: row.get(1)?,
                model: row.get(2)?,
                segments: row.get(3)?,
            })
        });
        counts.and_then(Iterator::collect).map_err(self.failed())
    }

    /// Writes segments, all of them or, where anything fails, none.
    pub(super) fn write<T>(
        &self,
        give: impl FnOnce(&mut dyn FnMut(&Unit) -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        let mut connection = self.lock();
        let all = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(self.failed())?;
        let given = {
            let mut insert = all
                .prepare_cached("INSERT OR REPLACE INTO segments VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .map_err(self.failed())?;
            give(&mut |unit| {
                let Unit {
                    source,
                    target,
                    from,
                    to,
                    model,
                    settings,
                } = unit;
                insert
                    .execute(params![source, from, to, settings, model, target])
                    .map(drop)
                    .map_err(self.failed())
            })?
        };
        all.commit().map_err(self.failed())?;
        Ok(given)
    }

    /// Holds the file to a size in pages, as a disk without room does.
    #[cfg(test)]
    pub(super) fn limit(&self, pages: u32) -> Result<()> {
        let set = self.lock().pragma_update(None, "max_page_count", pages);
        set.map_err(self.failed())
    }

    /// Gives every segment, in the order of the sources.
    pub(super) fn each(&self, mut take: impl FnMut(Unit) -> Result<()>) -> Result<()> {
        let connection = self.lock();
        let mut query = connection
            .prepare(
                "SELECT source, target, source_language, target_language, model, settings
                 FROM segments ORDER BY source_language, target_language, source, settings",
            )
            .map_err(self.failed())?;
        let mut rows = query.query([]).map_err(self.failed())?;
        while let Some(row) = rows.next().map_err(self.failed())? {
            let text = |column: usize| row.get(column).map_err(self.failed());
            take(Unit {
                source: text(0)?,
                target: text(1)?,
                from: text(2)?,
                to: text(3)?,
                model: text(4)?,
                settings: text(5)?,
            })?;
        }
        Ok(())
    }
}

impl TranslationMemory for MemoryFile {
    fn recall(&self, scope: &MemoryScope, sources: &[&str]) -> Result<Vec<Option<String>>> {
        let connection = self.lock();
        let mut query = connection
            .prepare_cached(
                "SELECT target FROM segments WHERE source = ?1 AND source_language = ?2
                 AND target_language = ?3 AND settings IN (?4, '') ORDER BY settings LIMIT 1",
            )
            .map_err(self.failed())?;
        sources
            .iter()
            .map(|source| {
                let key = params![source, scope.from, scope.to, scope.settings];
                let found = query.query_row(key, |row| row.get(0));
                found.optional().map_err(self.failed())
            })
            .collect()
    }

    fn remember(&self, scope: &MemoryScope, pairs: &[(&str, &str)]) -> Result<()> {
        if pairs.is_empty() {
            return Ok(());
        }
        self.write(|insert| {
            pairs.iter().try_for_each(|(source, target)| {
                insert(&Unit {
                    source: (*source).to_owned(),
                    target: (*target).to_owned(),
                    from: scope.from.clone(),
                    to: scope.to.clone(),
                    model: scope.model.clone(),
                    settings: scope.settings.clone(),
                })
            })
        })
    }
}

impl std::fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing yet.
    Empty,
    /// A memory that this version knows.
    Ours,
    /// A memory of a later version.
    Newer,
    /// Something else.
    Foreign,
}

fn state(connection: &Connection) -> rusqlite::Result<State> {
    let number = |query| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    let application = number("SELECT application_id FROM pragma_application_id")?;
    let version = number("SELECT user_version FROM pragma_user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    Ok(match (application, version, tables) {
        (0, 0, 0) => State::Empty,
        (APPLICATION, VERSION, 1..) => State::Ours,
        (APPLICATION, version, _) if version > VERSION => State::Newer,
        _ => State::Foreign,
    })
}

fn failure(path: &Path, error: &rusqlite::Error) -> Error {
    let io = |kind: std::io::ErrorKind| Error::io("write", path)(kind.into());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => io(std::io::ErrorKind::StorageFull),
        Some(ErrorCode::ReadOnly) => io(std::io::ErrorKind::PermissionDenied),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Error::Memory {
            path: path.to_path_buf(),
            message: "it is damaged, or it is not a translation memory".to_owned(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Memory {
            path: path.to_path_buf(),
            message: "another process has held it for too long".to_owned(),
        },
        _ => Error::Memory {
            path: path.to_path_buf(),
            message: error.to_string(),
        },
    }
}
