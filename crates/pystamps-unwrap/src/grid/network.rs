//! The dual network of a grid of pixels, without any list of neighbours.
//!
//! ```text
//!   pixel (r,c) ── right (r,c) ──> pixel (r,c+1)        top    right arc r*M + c      = v
//!        │                              │               bottom right arc (r+1)*M + c  = v + M
//!    down (r,c)       cell v        down (r,c+1)        left   down arc r*C + c       = v + r
//!        v                              v               right  down arc r*C + c + 1   = v + r + 1
//!   pixel (r+1,c) ─ right (r+1,c) ─> pixel (r+1,c+1)    v = r*M + c, M = C - 1 cells a row
//! ```
//!
//! A unit of flow on a right arc crosses it upwards, from the cell below to the cell above; on a down
//! arc it crosses from the cell on the left to the cell on the right. Beyond the border lies the ground,
//! the last node. Arcs are numbered: right arcs first, then down arcs.

use crate::residual::{Move, ResidualNetwork, Step, numbered};
use crate::{ConvexCost, GridArcs, UnwrapError};

pub(super) struct DualGrid<'a, C> {
    columns: usize,
    cell_columns: usize,
    cells: usize,
    costs: &'a GridArcs<C>,
    flow: &'a mut GridArcs<i16>,
}

impl<'a, C: ConvexCost> DualGrid<'a, C> {
    pub(super) fn new(
        rows: usize,
        columns: usize,
        costs: &'a GridArcs<C>,
        flow: &'a mut GridArcs<i16>,
    ) -> Self {
        let cell_columns = columns - 1;
        Self { columns, cell_columns, cells: (rows - 1) * cell_columns, costs, flow }
    }

    /// Cell above and cell below a right arc.
    #[inline]
    fn above_and_below(&self, arc: usize) -> (usize, usize) {
        let above = if arc < self.cell_columns { self.cells } else { arc - self.cell_columns };
        (above, arc.min(self.cells))
    }

    /// Cell on the left and cell on the right of a down arc.
    #[inline]
    fn left_and_right(&self, arc: usize) -> (usize, usize) {
        let (row, column) = (arc / self.columns, arc % self.columns);
        let cell = arc - row;
        let left = if column == 0 { self.cells } else { cell - 1 };
        (left, if column == self.cell_columns { self.cells } else { cell })
    }

    #[inline]
    fn upwards(&self, arc: usize, to: usize) -> Move<C> {
        let (cost, flow) = (self.costs.right[arc], self.flow.right[arc]);
        Move { to: numbered(to), step: Step::along(arc), cost, flow }
    }

    #[inline]
    fn downwards(&self, arc: usize, to: usize) -> Move<C> {
        let (cost, flow) = (self.costs.right[arc], self.flow.right[arc]);
        Move { to: numbered(to), step: Step::against(arc), cost, flow }
    }

    #[inline]
    fn rightwards(&self, arc: usize, to: usize) -> Move<C> {
        let (cost, flow) = (self.costs.down[arc], self.flow.down[arc]);
        Move { to: numbered(to), step: Step::along(self.costs.right.len() + arc), cost, flow }
    }

    #[inline]
    fn leftwards(&self, arc: usize, to: usize) -> Move<C> {
        let (cost, flow) = (self.costs.down[arc], self.flow.down[arc]);
        Move { to: numbered(to), step: Step::against(self.costs.right.len() + arc), cost, flow }
    }

    /// Ways into the grid: through the top, the bottom, the left and the right border.
    fn moves_from_ground(&self, mut visit: impl FnMut(Move<C>)) {
        let bottom = self.cells;
        for column in 0..self.cell_columns {
            visit(self.downwards(column, column));
            visit(self.upwards(bottom + column, bottom - self.cell_columns + column));
        }
        for row in 0..self.cells / self.cell_columns {
            let first = row * self.columns;
            let cell = row * self.cell_columns;
            visit(self.rightwards(first, cell));
            visit(self.leftwards(first + self.cell_columns, cell + self.cell_columns - 1));
        }
    }
}

impl<C: ConvexCost> ResidualNetwork for DualGrid<'_, C> {
    type Cost = C;

    #[inline]
    fn moves(&self, node: usize, mut visit: impl FnMut(Move<C>)) {
        if node == self.cells {
            self.moves_from_ground(visit);
            return;
        }
        let (row, column) = (node / self.cell_columns, node % self.cell_columns);
        let ground = self.cells;
        visit(self.upwards(node, if row == 0 { ground } else { node - self.cell_columns }));
        let below = node + self.cell_columns;
        visit(self.downwards(below, below.min(ground)));
        let left = node + row;
        visit(self.leftwards(left, if column == 0 { ground } else { node - 1 }));
        let last = column + 1 == self.cell_columns;
        visit(self.rightwards(left + 1, if last { ground } else { node + 1 }));
    }

    #[inline]
    fn origin(&self, step: Step) -> usize {
        let arc = step.arc();
        let (tail, head) = match arc.checked_sub(self.costs.right.len()) {
            None => {
                let (above, below) = self.above_and_below(arc);
                (below, above)
            }
            Some(arc) => self.left_and_right(arc),
        };
        if step.is_against() { head } else { tail }
    }

    #[inline]
    fn step(&self, step: Step) -> Move<C> {
        let arc = step.arc();
        match (arc.checked_sub(self.costs.right.len()), step.is_against()) {
            (None, false) => self.upwards(arc, self.above_and_below(arc).0),
            (None, true) => self.downwards(arc, self.above_and_below(arc).1),
            (Some(arc), false) => self.rightwards(arc, self.left_and_right(arc).1),
            (Some(arc), true) => self.leftwards(arc, self.left_and_right(arc).0),
        }
    }

    #[inline]
    fn push(&mut self, step: Step) -> Result<(), UnwrapError> {
        let arc = step.arc();
        let flow = match arc.checked_sub(self.costs.right.len()) {
            None => &mut self.flow.right[arc],
            Some(arc) => &mut self.flow.down[arc],
        };
        let by = if step.is_against() { -1 } else { 1 };
        *flow = flow.checked_add(by).ok_or(UnwrapError::FlowOverflow { arc })?;
        Ok(())
    }
}
