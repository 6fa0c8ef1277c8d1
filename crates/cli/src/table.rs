//! Tables for people: columns in line, no frames, so that a line can be searched and copied.

use comfy_table::presets;
use comfy_table::{CellAlignment, Table};

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Words, from the left.
    Words(&'static str),
    /// Figures, to the right.
    Figures(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Words(title) | Self::Figures(title) => title,
        }
    }

    fn alignment(self) -> CellAlignment {
        match self {
            Self::Words(_) => CellAlignment::Left,
            Self::Figures(_) => CellAlignment::Right,
        }
    }
}

/// The rows under their titles, one line each.
pub(crate) fn table<const N: usize>(columns: [Column; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.map(Column::title));
    for (index, column) in columns.into_iter().enumerate() {
        if let Some(made) = table.column_mut(index) {
            made.set_padding((0, 2));
            made.set_cell_alignment(column.alignment());
        }
    }
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| cell.replace(['\n', '\r', '\t'], " "))));
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Column, table};

    #[test]
    fn columns_stand_in_line_and_lines_have_no_tail() {
        let rows = [["a".to_owned(), "1".to_owned(), "x".to_owned()], ["long".into(), "1,000".into(), String::new()]];
        let made = table([Column::Words("name"), Column::Figures("count"), Column::Words("note")], rows);
        assert_eq!(made, "name  count  note\na         1  x\nlong  1,000\n");
    }

    #[test]
    fn a_cell_never_makes_a_second_line() {
        let made = table([Column::Words("name")], [["a\nb".to_owned()]]);
        assert_eq!(made, "name\na b\n");
    }
}
