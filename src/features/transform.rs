//! The one way from a table to a matrix: training, batch and a single row all pass here.
//! A row's columns depend on that row alone, to the last bit. Never fits anything.

use crate::base::limits;
use crate::data::table::{Table, TextValues};
use crate::features::encode::{FieldColumn, Mark, find_field};
use crate::features::error::FeatureError;
use crate::features::matrix::Matrix;
use crate::features::recipe::{FittedField, FittedRecipe};

/// Rows filled for all fields before the next rows are begun, so that they stay in cache.
const BLOCK_ROWS: usize = 256;

impl FittedRecipe {
    /// Encodes every row of `table`; columns are found by name, those of no field are passed over.
    pub fn transform(&self, table: &Table) -> Result<Matrix, FeatureError> {
        self.check_layout()?;
        let (rows, width) = (table.rows(), self.width);
        if rows.saturating_mul(width) > limits::MATRIX_CELLS_MAX {
            return Err(FeatureError::TooManyCells { rows, width, max: limits::MATRIX_CELLS_MAX });
        }
        let bind = |field| BoundField::bind(field, table);
        let mut fields = self.fields.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let mut matrix = Matrix::zeros(rows, width);
        for (block, values) in matrix.values.chunks_mut(BLOCK_ROWS * width).enumerate() {
            fields.iter_mut().for_each(|field| field.fill(block * BLOCK_ROWS, width, values));
        }
        Ok(matrix)
    }
}

/// A field and its column in the table at hand. The dictionary of a text column belongs to that
/// table, so each of its levels is looked up once, when a row first has it.
struct BoundField<'a> {
    field: &'a FittedField,
    column: FieldColumn<'a>,
    marks: Vec<Option<Mark>>,
    missing: Mark,
}

impl<'a> BoundField<'a> {
    fn bind(field: &'a FittedField, table: &'a Table) -> Result<Self, FeatureError> {
        let column = find_field(table, field)?;
        let levels = match &column {
            FieldColumn::Numbers(_) => 0,
            FieldColumn::Text(text) => text.levels.len(),
        };
        let missing = field.encoding.mark(&field.field, None);
        Ok(Self { field, column, marks: vec![None; levels], missing })
    }

    /// Writes this field's columns of the rows from `first` on; `values` is those rows, `width` wide.
    fn fill(&mut self, first: usize, width: usize, values: &mut [f32]) {
        let own = self.field.start..self.field.start + self.field.width;
        if own.is_empty() {
            return;
        }
        let rows = values.chunks_exact_mut(width).map(|row| &mut row[own.clone()]);
        match self.column {
            FieldColumn::Numbers(numbers) => {
                let encoding = &self.field.encoding;
                rows.zip(&numbers[first..]).for_each(|(out, x)| encoding.write_number(*x, out));
            }
            FieldColumn::Text(text) => {
                for (out, &code) in rows.zip(&text.codes[first..]) {
                    let mark = self.mark(text, code);
                    out[mark.offset] = mark.value;
                    if mark.flagged
                        && let Some(flag) = out.last_mut()
                    {
                        *flag = 1.0;
                    }
                }
            }
        }
    }

    fn mark(&mut self, text: &TextValues, code: u32) -> Mark {
        let index = code as usize;
        let (Some(slot), Some(level)) = (self.marks.get_mut(index), text.levels.get(index)) else {
            return self.missing;
        };
        *slot.get_or_insert_with(|| self.field.encoding.mark(&self.field.field, Some(level)))
    }
}
