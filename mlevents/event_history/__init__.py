"""Events rebuilt from what Azure Machine Learning remembers of models and runs."""
