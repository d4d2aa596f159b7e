"""The atlas of published cells, measured: each one's size, cost, gradient and proof, and what it learns."""
