"""Reports on wrong gradients: blame, the smallest program, pictures and pages."""
