"""The same arithmetic behind other libraries' names; each module imports the library it is for."""
