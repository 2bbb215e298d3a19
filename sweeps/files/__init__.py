"""From a sweep file to validated cells and trainings."""
