"""Which map to trust: candidates raced on rows they were not fitted on, and doing nothing unless one certainly gains."""
