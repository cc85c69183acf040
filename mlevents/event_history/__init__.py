"""Events rebuilt from what Azure Machine Learning remembers, for a workspace whose events nobody saved."""
