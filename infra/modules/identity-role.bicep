// That the app may give one user-assigned identity to an endpoint that it makes.

param appName string
param principalId string
param identityName string
param actions array

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: identityName
}

// Display names of roles are unique in the whole directory, so the app and a hash of the identity's id are in this
// one. It can be assigned in this resource group alone.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(toLower(identity.id), appName)
  properties: {
    roleName: '${appName} on identity ${identityName} (${uniqueString(toLower(identity.id))})'
    description: 'What the rules of ${appName} need in ${identity.id}, and no more.'
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
  name: guid(toLower(identity.id), principalId, role.name)
  scope: identity
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
