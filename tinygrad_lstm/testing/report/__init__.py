"""What is said of a wrong gradient: blame, the smallest program, pictures and pages."""
