"""Products, systems, decompositions and norms of vectors and matrices."""
