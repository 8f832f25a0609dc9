//! Tables for people: columns as wide as their widest cell, texts to the left and numbers to the right.

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Texts.
    Left,
    /// Numbers, so that units stand below units.
    Right,
}

/// A table under construction.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns, each with its heading, which may be empty.
    pub(crate) fn new<const N: usize>(columns: [(Align, &str); N]) -> Self {
        let aligns = columns.iter().map(|(align, _)| *align).collect();
        let headings = columns.iter().map(|(_, heading)| (*heading).to_owned()).collect();
        Self { aligns, rows: vec![headings] }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If the row has not one cell for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.aligns.len(), "a row has one cell for each column");
        self.rows.push(cells.into());
    }

    /// The lines, headings first, without blanks at their ends. Widths count characters: the texts of the platform use none
    /// that takes two places or none.
    pub(crate) fn lines(&self) -> Vec<String> {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.aligns.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.aligns).zip(&widths).map(|((cell, align), width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<String>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new([(Align::Left, "titular"), (Align::Right, "R$"), (Align::Left, "")]);
        table.row(["Banco Jatobá (reserva)".to_owned(), "5.00".to_owned(), "✓".to_owned()]);
        table.row(["Ana".to_owned(), "1234.00".to_owned(), String::new()]);
        let expected = [
            "titular                      R$",
            "Banco Jatobá (reserva)     5.00  ✓",
            "Ana                     1234.00",
        ];
        assert_eq!(table.lines(), expected);
    }
}
