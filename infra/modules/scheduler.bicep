// The Durable Task Scheduler with one task hub: where responses are kept when durableBackend is `scheduler`.
//
// It has no keys: the app signs in as its identity, whose rights end at the task hub.

param name string
param location string
param tags object

@description('The name of the task hub, as in host.json.')
param hubName string
param sku string

@description('Capacity units of the SKU Dedicated.')
param capacity int

@description('IPv4 and IPv6 ranges that may call the scheduler; an empty list refuses everyone.')
param allowedAddresses array

@description('Closed to all but private endpoints.')
param isPrivate bool

@description('The app.')
param principalId string

@description('A person, group or service principal who reads the task hub; empty: only the app.')
param operatorId string

@description('What operatorId is: User, Group or ServicePrincipal.')
param operatorType string

// learn.microsoft.com/azure/role-based-access-control/built-in-roles/integration
var contributorRole = '0ad04412-c4d5-4796-b79c-f76d14c8d402' // Durable Task Data Contributor
var readerRole = 'd6a5505f-6ebb-45a4-896e-ac8274cfc0ac' // Durable Task Data Reader

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    ipAllowlist: isPrivate ? [] : allowedAddresses
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    sku: union({ name: sku }, sku == 'Dedicated' ? { capacity: capacity } : {})
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = {
  parent: scheduler
  name: hubName
}

resource appWorks 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, principalId, contributorRole)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributorRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource operatorReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorId)) {
  name: guid(hub.id, operatorId, readerRole)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
    principalId: operatorId
    principalType: operatorType
  }
}

output id string = scheduler.id
output endpoint string = scheduler.properties.endpoint
output dashboard string = hub.properties.dashboardUrl
