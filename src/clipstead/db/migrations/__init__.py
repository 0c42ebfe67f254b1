"""How the database came to be what it is, one step after the other (Alembic)."""
