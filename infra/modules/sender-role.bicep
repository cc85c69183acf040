// Who may send to one event hub, Service Bus queue or topic, storage queue, or Event Grid topic.

param principalId string
param targetId string

var parts = split(targetId, '/')
var parentName = parts[8]
var name = last(parts)
var type = toLower('${parts[6]}/${parts[7]}/${parts[length(parts) - 2]}')

var eventHubsSender = '2b629674-e913-4c01-ae53-ef4638d8f975' // Azure Event Hubs Data Sender
var serviceBusSender = '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39' // Azure Service Bus Data Sender
var queueSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a' // Storage Queue Data Message Sender
var eventGridSender = 'd5a91429-5739-47e2-a06b-3470a27159e7' // EventGrid Data Sender

resource eventHub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = {
  name: '${parentName}/${name}'
}

resource sendsToEventHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (type == 'microsoft.eventhub/namespaces/eventhubs') {
  name: guid(toLower(targetId), principalId, eventHubsSender)
  scope: eventHub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource serviceBusQueue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = {
  name: '${parentName}/${name}'
}

resource sendsToServiceBusQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (type == 'microsoft.servicebus/namespaces/queues') {
  name: guid(toLower(targetId), principalId, serviceBusSender)
  scope: serviceBusQueue
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource serviceBusTopic 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = {
  name: '${parentName}/${name}'
}

resource sendsToServiceBusTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (type == 'microsoft.servicebus/namespaces/topics') {
  name: guid(toLower(targetId), principalId, serviceBusSender)
  scope: serviceBusTopic
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource storageQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  name: '${parentName}/default/${name}'
}

resource sendsToStorageQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (type == 'microsoft.storage/storageaccounts/queues') {
  name: guid(toLower(targetId), principalId, queueSender)
  scope: storageQueue
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource eventGridTopic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: parentName
}

resource sendsToEventGridTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (type == 'microsoft.eventgrid/topics/topics') {
  name: guid(toLower(targetId), principalId, eventGridSender)
  scope: eventGridTopic
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
