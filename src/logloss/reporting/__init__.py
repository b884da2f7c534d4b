"""The report: what results say, as one page, as markdown, as text."""
