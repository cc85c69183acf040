// What the app may do in one Data Factory.

param appName string
param principalId string
param factoryName string
param actions array

resource factory 'Microsoft.DataFactory/factories@2018-06-01' existing = {
  name: factoryName
}

// Role names are unique in a tenant: the app's name is in it. It can be assigned in this resource group alone.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(factory.id, appName)
  properties: {
    roleName: '${appName} on factory ${factoryName}'
    description: 'What the rules of ${appName} need in the factory ${factoryName}, and no more.'
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
  name: guid(factory.id, principalId, role.name)
  scope: factory
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
