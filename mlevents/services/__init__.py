"""One file or package for each Azure or other service. Only this package imports SDKs, inside functions."""
