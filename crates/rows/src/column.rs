//! Tables and their columns.

use crate::{Decimals, Local, Tone, Value};
use jiff::civil::Date;
use std::borrow::Cow;

/// An output: what its rows are, and what its columns say of a row.
pub trait Table: Sized + 'static {
    /// A row: whatever the columns take their values from.
    type Row<'a>;
    /// The name: of the file without its ending, and of the list in JSON.
    const NAME: &'static str;
    /// The columns, in their order.
    const COLUMNS: &'static [Column<Self>];
    /// The names of the columns that people see in a terminal, in that order; all, as they are named, where there is none.
    const SHOWN: &'static [&'static str] = &[];
    /// How many of those, from the first on, are names that a row repeats from the one above: they stand once.
    const NAMES_SHOWN: usize = 0;
}

/// The names of a table's columns, in their order.
pub fn column_names<T: Table>() -> impl Iterator<Item = &'static str> {
    T::COLUMNS.iter().map(|column| column.name)
}

/// What a column's numbers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Nothing: text, dates, and numbers that are names.
    None,
    /// Microseconds.
    Micros,
    /// Percent.
    Percent,
    /// Yen.
    Yen,
    /// US dollars.
    Dollars,
    /// Basis points.
    BasisPoints,
    /// Shares.
    Shares,
    /// Things: days, issues, servers, orders.
    Count,
}

impl Unit {
    /// As descriptions of the outputs write it; empty for none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Unit::None => "",
            Unit::Micros => "us",
            Unit::Percent => "%",
            Unit::Yen => "JPY",
            Unit::Dollars => "USD",
            Unit::BasisPoints => "bps",
            Unit::Shares => "shares",
            Unit::Count => "count",
        }
    }
}

/// Takes a column's value from a row, and by that tells the type of the column. Nothing where there is no value.
pub enum Get<T: Table> {
    /// Text.
    Text(for<'a, 'b> fn(&'b T::Row<'a>) -> Option<Cow<'b, str>>),
    /// A date of the scheme's calendar.
    Date(for<'a, 'b> fn(&'b T::Row<'a>) -> Option<Date>),
    /// An instant, shown in local time.
    Instant(for<'a, 'b> fn(&'b T::Row<'a>) -> Option<Local<'b>>),
    /// A whole number that 64 bits hold wherever it occurs.
    Integer(for<'a, 'b> fn(&'b T::Row<'a>) -> Option<i128>),
    /// A number that is a name, of all 64 bits.
    Identifier(for<'a, 'b> fn(&'b T::Row<'a>) -> Option<u64>),
    /// A decimal number, in units of its last decimal.
    Decimal(Decimals, for<'a, 'b> fn(&'b T::Row<'a>) -> Option<i128>),
}

/// Which way a column's cells lean in a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// The text of a cell in a terminal.
pub type Cell<T> = for<'a, 'b> fn(&'b <T as Table>::Row<'a>) -> Cow<'b, str>;

/// What the colour of a cell says of a row.
pub type ToneOf<T> = for<'a, 'b> fn(&'b <T as Table>::Row<'a>) -> Option<Tone>;

/// Whether a row is an occasion to show a column.
pub type Occasion<T> = for<'a, 'b> fn(&'b <T as Table>::Row<'a>) -> bool;

/// How people see a column in a terminal.
pub struct Shown<T: Table> {
    /// The heading.
    pub title: &'static str,
    /// Which way its cells lean.
    pub align: Align,
    /// The cell's text where it is not the plain value: that, and `-` where there is none.
    pub cell: Option<Cell<T>>,
    /// What a cell's colour says.
    pub tone: Option<ToneOf<T>>,
    /// The column is there only if some row says so.
    pub occasion: Option<Occasion<T>>,
    /// The column gives way where a terminal has not room for all, before those of higher numbers; others never do.
    pub gives_way: Option<u8>,
}

impl<T: Table> Clone for Shown<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Table> Copy for Shown<T> {}

/// One column.
pub struct Column<T: Table> {
    /// The name, in every form of the output.
    pub name: &'static str,
    /// What its numbers count.
    pub unit: Unit,
    /// Its type, and where its values come from.
    pub get: Get<T>,
    /// How it looks in a terminal, where it stands there.
    pub shown: Option<Shown<T>>,
}

impl<T: Table> Column<T> {
    const fn new(name: &'static str, unit: Unit, get: Get<T>) -> Column<T> {
        Column { name, unit, get, shown: None }
    }

    /// A column of text.
    pub const fn text(name: &'static str, get: for<'a, 'b> fn(&'b T::Row<'a>) -> Option<Cow<'b, str>>) -> Self {
        Column::new(name, Unit::None, Get::Text(get))
    }

    /// A column of dates.
    pub const fn date(name: &'static str, get: for<'a, 'b> fn(&'b T::Row<'a>) -> Option<Date>) -> Self {
        Column::new(name, Unit::None, Get::Date(get))
    }

    /// A column of instants, to the microsecond.
    pub const fn instant(name: &'static str, get: for<'a, 'b> fn(&'b T::Row<'a>) -> Option<Local<'b>>) -> Self {
        Column::new(name, Unit::None, Get::Instant(get))
    }

    /// A column of whole numbers, each within 64 bits.
    pub const fn integer(name: &'static str, unit: Unit, get: for<'a, 'b> fn(&'b T::Row<'a>) -> Option<i128>) -> Self {
        Column::new(name, unit, Get::Integer(get))
    }

    /// A column of numbers that are names: of orders, of records.
    pub const fn identifier(name: &'static str, get: for<'a, 'b> fn(&'b T::Row<'a>) -> Option<u64>) -> Self {
        Column::new(name, Unit::None, Get::Identifier(get))
    }

    /// A column of decimal numbers: `get` gives units of the last decimal, 714,765 for 71.4765.
    pub const fn decimal(
        name: &'static str,
        unit: Unit,
        decimals: Decimals,
        get: for<'a, 'b> fn(&'b T::Row<'a>) -> Option<i128>,
    ) -> Self {
        Column::new(name, unit, Get::Decimal(decimals, get))
    }

    /// The column in a terminal's table under `title`: numbers lean right, all else left.
    #[must_use]
    pub const fn shown(mut self, title: &'static str) -> Self {
        self.shown = Some(self.plain(title));
        self
    }

    /// The plain values under `title`.
    pub(crate) const fn plain(&self, title: &'static str) -> Shown<T> {
        let align = match self.get {
            Get::Integer(_) | Get::Identifier(_) | Get::Decimal(..) => Align::Right,
            Get::Text(_) | Get::Date(_) | Get::Instant(_) => Align::Left,
        };
        Shown { title, align, cell: None, tone: None, occasion: None, gives_way: None }
    }

    /// The column in a terminal's table under `title`, with cells of their own wording.
    #[must_use]
    pub const fn shown_as(mut self, title: &'static str, align: Align, cell: Cell<T>) -> Self {
        self.shown = Some(Shown { title, align, cell: Some(cell), tone: None, occasion: None, gives_way: None });
        self
    }

    /// What the colours of its cells in a terminal say. After [`Column::shown`] or [`Column::shown_as`].
    #[must_use]
    pub const fn toned(mut self, tone: ToneOf<T>) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.tone = Some(tone);
        }
        self
    }

    /// In a terminal only where `occasion` says so of some row. After [`Column::shown`] or [`Column::shown_as`].
    #[must_use]
    pub const fn on_occasion(mut self, occasion: Occasion<T>) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.occasion = Some(occasion);
        }
        self
    }

    /// Left out where a terminal has not room for all columns, before those with a higher `order`. After [`Column::shown`]
    /// or [`Column::shown_as`].
    #[must_use]
    pub const fn gives_way(mut self, order: u8) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.gives_way = Some(order);
        }
        self
    }

    /// The column's value of a row.
    pub fn value<'b>(&self, row: &'b T::Row<'_>) -> Value<'b> {
        match &self.get {
            Get::Text(get) => get(row).map_or(Value::Missing, Value::Text),
            Get::Date(get) => get(row).map_or(Value::Missing, Value::Date),
            Get::Instant(get) => get(row).map_or(Value::Missing, Value::Instant),
            Get::Integer(get) => get(row).map_or(Value::Missing, Value::Integer),
            Get::Identifier(get) => get(row).map_or(Value::Missing, |number| Value::Integer(number.into())),
            Get::Decimal(decimals, get) => get(row).map_or(Value::Missing, |units| Value::Decimal(units, *decimals)),
        }
    }
}
