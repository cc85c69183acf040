// What the app may do in one Azure ML registry.

param appName string
param principalId string
param registryName string
param actions array

resource registry 'Microsoft.MachineLearningServices/registries@2025-12-01' existing = {
  name: registryName
}

// Display names of roles are unique in the whole directory, so the app and a hash of the registry's id are in this
// one. infra/hooks/access.py finds the role by the id in its description. It can be assigned in this resource group alone.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(toLower(registry.id), appName)
  properties: {
    roleName: '${appName} on registry ${registryName} (${uniqueString(toLower(registry.id))})'
    description: 'What the rules of ${appName} need in ${registry.id}, and no more.'
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
  name: guid(toLower(registry.id), principalId, role.name)
  scope: registry
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
