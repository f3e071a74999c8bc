"""Authors and books for the admin to show."""
