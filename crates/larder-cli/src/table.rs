//! Columns of text, as wide as their widest cell.

use std::fmt::Write as _;

/// `rows` under `heads`. Every row has a cell for each head; the last column is not padded.
pub(crate) fn text<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    });
    let mut all = String::new();
    let heads = heads.map(str::to_owned);
    for row in [&heads].into_iter().chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a string does not fail.
            write!(line, "{cell:width$}  ").expect("memory takes it");
        }
        all.push_str(line.trim_end());
        all.push('\n');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_where_their_text_ends() {
        let rows = [["a".to_owned(), "zwölf".to_owned()], ["longer".to_owned(), String::new()]];
        assert_eq!(text(["one", "two"], &rows), "one     two\na       zwölf\nlonger\n");
    }
}
