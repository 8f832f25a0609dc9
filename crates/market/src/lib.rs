//! Rules of the Brazilian market: bank holidays, business/252 counting, unit prices of federal bonds, ISIN and CNPJ.
//!
//! Pure: no file, no clock, no network. It knows nothing of the platform, of ledgers or of their number types; it must
//! not name another crate of this workspace.
//!
//! * [`Calendar`]: which days are business days, by rules with their source and the date since which they hold.
//! * [`BusinessDays`] and [`business_days_between`]: ANBIMA's count, the first day in, the last day out.
//! * [`Rate`], [`UnitPrice`], [`Quotation`], [`NominalValue`]: decimals as integers; [`ltn`] and [`ntnb`] price with them.
//! * [`Isin`], [`Cnpj`], [`CnpjRoot`]: identifiers that hold their check digits once they exist.
//! * [`bond_list`] reads published prices; [`BondReport`] computes them again and says where the two differ.
//!
//! Invariants: no binary floating point anywhere; each step that rounds or truncates is a named step of the market's
//! method; a power with a fractional exponent is decided exactly (see the module `power`), never "nearly always".
//!
//! Tested against six published bonds, a golden table of holidays, and naive twins by property tests.
//!
//! ```
//! use market::{BondReport, bond_list};
//!
//! let csv = include_bytes!("../../../examples/tpf-anbima-2026-09-01.csv");
//! let report = BondReport::new(bond_list::parse(csv)?)?;
//! assert!(report.agrees());
//! assert_eq!(report.nominal_values[0].value().map(|vna| vna.to_string()).as_deref(), Some("4735.435987"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calendar;
mod day_count;

mod decimal;
mod power;
mod price;
mod rate;

pub mod ltn;
pub mod ntnb;

mod cnpj;
mod isin;

mod bond;
pub mod bond_list;
mod bond_report;

pub use bond::{BondQuantity, BondQuote, SelicCode, SelicCodeError, Title, TitleError};
pub use bond_report::{BondLine, BondReport, BondReportError, CommonNominalValue, Valuation};
pub use calendar::{Calendar, HOLIDAY_RULES, Holiday, HolidayDay, HolidayRule};
pub use cnpj::{Cnpj, CnpjError, CnpjRoot, CnpjRootError};
pub use day_count::{BUSINESS_DAYS_MAX, BusinessDays, DayCountError, YearFraction, business_days_between};
pub use decimal::DecimalError;
pub use isin::{Isin, IsinError};
pub use price::{NominalValue, NominalValueRange, Quotation, UnitPrice};
pub use rate::Rate;
