"""Labels: for variants, pieces, batches and locations, as PDF sheets and rolls, and as pictures."""
