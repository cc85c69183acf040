// What the app may do in one Data Factory.

param appName string
param principalId string
param factoryName string
param actions array

resource factory 'Microsoft.DataFactory/factories@2018-06-01' existing = {
  name: factoryName
}

// Display names of roles are unique in the whole directory, so the app and a hash of the factory's id are in this
// one: two factories of one name are common. infra/hooks/access.py finds the role by the id in its description.
// It can be assigned in this resource group alone.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(toLower(factory.id), appName)
  properties: {
    roleName: '${appName} on factory ${factoryName} (${uniqueString(toLower(factory.id))})'
    description: 'What the rules of ${appName} need in ${factory.id}, and no more.'
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
  name: guid(toLower(factory.id), principalId, role.name)
  scope: factory
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
