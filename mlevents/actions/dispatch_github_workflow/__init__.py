"""The action `dispatch_github_workflow`: promotion and deployment that live in GitHub Actions."""
