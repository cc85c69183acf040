// What the app may do in one workspace.

param appName string
param principalId string
param workspaceName string
param actions array

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-12-01' existing = {
  name: workspaceName
}

// Role names are unique in a tenant: the app's name is in it. It can be assigned in this resource group alone.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(workspace.id, appName)
  properties: {
    roleName: '${appName} on workspace ${workspaceName}'
    description: 'What the rules of ${appName} need in the workspace ${workspaceName}, and no more.'
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
  name: guid(workspace.id, principalId, role.name)
  scope: workspace
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
