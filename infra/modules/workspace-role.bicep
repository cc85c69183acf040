// What the app may do in one workspace.

param appName string
param principalId string
param workspaceName string
param actions array

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-12-01' existing = {
  name: workspaceName
}

// Display names of roles are unique in the whole directory, so the app and a hash of the workspace's id are in this
// one: two workspaces of one name are common. infra/hooks/access.py finds the role by the id in its description.
// It can be assigned in this resource group alone.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(toLower(workspace.id), appName)
  properties: {
    roleName: '${appName} on workspace ${workspaceName} (${uniqueString(toLower(workspace.id))})'
    description: 'What the rules of ${appName} need in ${workspace.id}, and no more.'
    type: 'CustomRole'
    permissions: [
      {
        actions: actions
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(toLower(workspace.id), principalId, role.name)
  scope: workspace
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
