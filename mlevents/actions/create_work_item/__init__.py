"""The action `create_work_item`: a work item of Azure Boards, an issue of GitHub or Jira."""
