// The app's one store: its package, the state of Durable Functions, and dead letters. Keys are switched off.

param name string
param location string
param tags object
param replication string

@description('The app: Durable Functions needs blobs, queues and tables.')
param principalId string

@description('A person, group or service principal who reads dead letters and the task hub; empty: only the app.')
param operatorId string

@description('What operatorId is: User, Group or ServicePrincipal.')
param operatorType string

@description('Closed to all but private endpoints and Azure services of this tenant: Event Grid must reach the dead letters.')
param isPrivate bool

// learn.microsoft.com/azure/azure-functions/functions-reference, "Connecting to host storage with an identity"
var roles = {
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

var readers = {
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1' // Storage Blob Data Reader
  queueReader: '19e7f393-937e-4f77-808e-94535e297925' // Storage Queue Data Reader
  tableReader: '76199698-9eea-4c19-bc75-cec21354c6b6' // Storage Table Data Reader
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  // checkov:skip=CKV_AZURE_35: denied when there is a network to come from (isPrivate); keys are off in any case
  // checkov:skip=CKV_AZURE_43: main.bicep makes the name of small letters and digits; checkov may read that of another module
  // checkov:skip=CKV_AZURE_59: Event Grid writes dead letters as a trusted service, which needs this Enabled; blobs are never public
  // checkov:skip=CKV_AZURE_206: a parameter; replicas cost while idle, and what is lost with a region is the state of responses under way
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: replication
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'app-package'
  properties: {
    publicAccess: 'None'
  }
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'dead-letters'
  properties: {
    publicAccess: 'None'
  }
}

resource roleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in items(roles): {
  name: guid(account.id, principalId, role.value)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

resource operatorReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in items(readers): if (!empty(operatorId)) {
  name: guid(account.id, operatorId, role.value)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    principalId: operatorId
    principalType: operatorType
  }
}]

output id string = account.id
output name string = account.name
output blobUri string = account.properties.primaryEndpoints.blob
output queueUri string = account.properties.primaryEndpoints.queue
output tableUri string = account.properties.primaryEndpoints.table
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${packages.name}'
output deadLettersUrl string = '${account.properties.primaryEndpoints.blob}${deadLetters.name}'
