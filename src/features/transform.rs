//! The one way from a table to a matrix: training, batch and a single row all pass here.
//! A row's columns depend on that row alone, to the last bit. Never fits anything.

use crate::base::limits;
use crate::data::table::{Table, TextValues};
use crate::features::encode::{FieldColumn, Mark, find_fields};
use crate::features::error::FeatureError;
use crate::features::matrix::Matrix;
use crate::features::recipe::{FittedField, FittedRecipe};

/// Rows filled for all fields before the next rows are begun, so that they stay in cache.
const BLOCK_ROWS: usize = 256;

/// A recipe with the columns of one table, found once: for its encoding and for the notes of any of its rows.
pub struct BoundRecipe<'a> {
    pub(in crate::features) recipe: &'a FittedRecipe,
    /// One for each field, in the recipe's order.
    pub(in crate::features) columns: Vec<FieldColumn<'a>>,
    rows: usize,
}

impl FittedRecipe {
    /// Columns are found by name, those of no field are passed over.
    pub fn bind<'a>(&'a self, table: &'a Table) -> Result<BoundRecipe<'a>, FeatureError> {
        self.check_layout()?;
        let columns = find_fields(table, &self.fields)?;
        Ok(BoundRecipe { recipe: self, columns, rows: table.rows() })
    }

    /// Encodes every row of `table`.
    pub fn transform(&self, table: &Table) -> Result<Matrix, FeatureError> {
        self.bind(table)?.encode()
    }
}

impl BoundRecipe<'_> {
    /// Encodes every row.
    pub fn encode(&self) -> Result<Matrix, FeatureError> {
        let (rows, width) = (self.rows, self.recipe.row_width());
        if rows.saturating_mul(width) > limits::MATRIX_CELLS_MAX {
            return Err(FeatureError::TooManyCells { rows, width, max: limits::MATRIX_CELLS_MAX });
        }
        let pairs = self.recipe.fields.iter().zip(&self.columns);
        let mut fields: Vec<BoundField<'_>> = pairs.map(|(f, column)| BoundField::new(f, *column)).collect();
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
}

impl<'a> BoundField<'a> {
    fn new(field: &'a FittedField, column: FieldColumn<'a>) -> Self {
        let levels = match &column {
            FieldColumn::Numbers(_) => 0,
            FieldColumn::Text(text) => text.levels.len(),
        };
        Self { field, column, marks: vec![None; levels] }
    }

    /// Writes this field's columns of the rows from `first` on; `values` is those rows, `width` wide.
    fn fill(&mut self, first: usize, width: usize, values: &mut [f32]) {
        let own = self.field.start..self.field.start + self.field.width;
        let rows = values.chunks_exact_mut(width);
        match self.column {
            FieldColumn::Numbers(numbers) => {
                for (row, x) in rows.zip(&numbers[first..]) {
                    self.field.encoding.write_number(*x, &mut row[own.clone()]);
                    if let Some(code) = &self.field.code {
                        row[code.column] = code.of.of_number(*x) as f32;
                    }
                }
            }
            FieldColumn::Text(text) => {
                for (row, &level) in rows.zip(&text.codes[first..]) {
                    self.mark(text, level).write(row, self.field);
                }
            }
        }
    }

    fn mark(&mut self, text: &TextValues, code: u32) -> Mark {
        let index = code as usize;
        let (Some(slot), Some(level)) = (self.marks.get_mut(index), text.levels.get(index)) else {
            return self.field.mark(None);
        };
        *slot.get_or_insert_with(|| self.field.mark(Some(level)))
    }
}
