//! Generations of a view: which is read, which is being built, and the row of the store that says so.

use std::sync::Arc;

use super::{Projection, View, ViewError, in_store};
use crate::appender::AppendError;
use crate::cursor::Cursor;
use crate::group::Refusal;
use crate::query::Value;
use crate::store::{Beside, StoreError, Tables};
use crate::unit::{Parameter, Statement, UnitOfWork};

/// The tables of one generation.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) number: i64,
    pub(super) tables: Tables,
}

/// What the store says of a view. Number 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pointer {
    pub(super) live: i64,
    pub(super) live_version: i64,
    pub(super) building: i64,
    pub(super) building_version: i64,
    /// The highest number that was ever given.
    pub(super) newest: i64,
}

/// How many generations before the live one are looked for, in case they were not removed after a swap.
const LEFT_BEHIND_MAX: i64 = 4;

const READ: &str = "SELECT live, live_version, building, building_version, newest FROM views WHERE name = $1";

const MAKE: &str = "INSERT INTO views (name, live, live_version, building, building_version, newest)
    VALUES ($1, 0, 0, 0, 0, 0) ON CONFLICT (name) DO NOTHING";

const CHANGE: &str = "UPDATE views SET live = $2, live_version = $3, building = $4, building_version = $5, newest = $6
    WHERE name = $1 AND live = $7 AND live_version = $8 AND building = $9 AND building_version = $10 AND newest = $11";

impl Pointer {
    const fn columns(self) -> [i64; 5] {
        [self.live, self.live_version, self.building, self.building_version, self.newest]
    }
}

impl<P: Projection> View<P> {
    /// What the store says of the view; made if it is not there.
    pub(super) async fn pointer(&self) -> Result<Pointer, ViewError> {
        let name = [Parameter::Text(P::NAME.to_owned())];
        let rows = self.0.store.rows(READ, &name).await.map_err(in_store::<P>)?;
        let Some(row) = rows.first() else {
            let mut unit = UnitOfWork::new();
            let _ = unit.statement(Statement { sql: MAKE, parameters: name.to_vec(), rows_expected: None });
            let made = self.0.store.append(unit).await;
            return made.map(|_| Pointer::default()).map_err(|source| ViewError::Append { view: P::NAME, source });
        };
        let numbers: Option<Vec<i64>> = row.iter().map(Value::integer).collect();
        let Some(&[live, live_version, building, building_version, newest]) = numbers.as_deref() else {
            let (place, why) = (format!("view `{}`", P::NAME), "a column is not what it must be".to_owned());
            return Err(in_store::<P>(StoreError::Damaged { what: "row of a view", place, why }));
        };
        Ok(Pointer { live, live_version, building, building_version, newest })
    }

    /// Changes what the store says of the view. Whether it still said `from`.
    pub(super) async fn change_pointer(&self, from: Pointer, to: Pointer) -> Result<bool, ViewError> {
        let mut parameters = vec![Parameter::Text(P::NAME.to_owned())];
        parameters.extend(to.columns().into_iter().chain(from.columns()).map(Parameter::Integer));
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement { sql: CHANGE, parameters, rows_expected: Some(1) });
        match self.0.store.append(unit).await {
            Ok(_) => Ok(true),
            Err(AppendError::Refused(Refusal::StateRows { .. })) => Ok(false),
            Err(source) => Err(ViewError::Append { view: P::NAME, source }),
        }
    }

    pub(super) fn beside(&self, number: i64) -> Result<Beside, ViewError> {
        Beside::at(&self.0.place, &generation_name(P::NAME, number, &self.0.place)).map_err(in_store::<P>)
    }

    /// Takes the generation that the store names, if it is another than this process reads and of this version. Whether it did.
    pub(super) async fn look_for_live(&self) -> Result<bool, ViewError> {
        let pointer = self.pointer().await?;
        let mine = self.0.live.read().as_ref().map(|generation| generation.number);
        if pointer.live_version != i64::from(P::VERSION) || pointer.live == 0 || mine == Some(pointer.live) {
            return Ok(false);
        }
        let Some(tables) = self.beside(pointer.live)?.open().await.map_err(in_store::<P>)? else { return Ok(false) };
        let cursor = tables.cursor().await.map_err(in_store::<P>)?;
        self.adopt(Generation { number: pointer.live, tables }, cursor).await;
        for number in (pointer.live - LEFT_BEHIND_MAX).max(1)..pointer.live {
            if number != pointer.building {
                self.remove(number).await;
            }
        }
        Ok(true)
    }

    /// From now on this generation is read. The one before is closed when its queries have ended.
    pub(super) async fn adopt(&self, generation: Generation, cursor: Cursor) {
        let before = self.0.live.write().replace(Arc::new(generation));
        let _ = self.0.cursor.send_replace(cursor);
        if let Some(before) = before {
            before.tables.close().await;
        }
    }

    /// Removes a generation that nobody reads any more. If that fails it is found again when the view is opened.
    pub(super) async fn remove(&self, number: i64) {
        let removed = match self.beside(number) {
            Ok(beside) => beside.remove().await.map_err(in_store::<P>),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::warn!(view = P::NAME, generation = number, error = %crate::consumer::chain(&error), "an old generation was not removed");
        }
    }
}

/// Names in a file system may have dots, schemas may not.
fn generation_name(view: &str, number: i64, place: &crate::store::Place) -> String {
    match place {
        crate::store::Place::Sqlite { .. } => format!("{view}.{number}"),
        crate::store::Place::Postgres { .. } => format!("{view}_{number}"),
    }
}
