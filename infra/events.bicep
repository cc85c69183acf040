// What is subscribed to the events of the workspaces: the app's functions, and streams without code.
//
// A subscription names a function, so the functions must be there first: the postdeploy hook deploys this.
targetScope = 'subscription'

@description('The resource id of the Function App.')
param functionAppId string

@description('The storage account with the container dead-letters, in the resource group of the app.')
param storageName string

@description('One for each workspace: workspaceId, location, and its system topic: topicName, topicResourceGroup, topicIsOurs. A workspace can have only one system topic, so one that is there already is used.')
param sources array

@description('The filter of each function: what `python -m mlevents filters --json` prints.')
param filters object

@description('A label for the subscription of each function, by which `doctor` sees that its filter is that of the rules.')
param labels object = {}

@description('More subscriptions, without code: name, kind (EventHub, ServiceBusQueue, ServiceBusTopic, StorageQueue), target (a resource id), and if wanted eventTypes and subjectBeginsWith.')
param streams array = []

@description('The same to web hooks: name, and if wanted eventTypes and subjectBeginsWith.')
param webHooks array = []

@description('The URL of each web hook, by its name. The URL must answer the validation of Event Grid.')
@secure()
param webHookUrls object = {}

@description('Delivery attempts before an event is dead-lettered.')
@minValue(1)
@maxValue(30)
param deliveryAttempts int = 30

@description('Minutes before an event that cannot be delivered is dead-lettered.')
@minValue(1)
@maxValue(1440)
param timeToLiveMinutes int = 1440

@description('Who is notified of dead letters. Empty: no alert rule, which costs a little each month.')
param actionGroupId string = ''

var appKey = toLower(functionAppId)
var appParts = split(functionAppId, '/')
var appName = appParts[8]

module topics 'modules/system-topic.bicep' = [for source in sources: {
  name: 'mlevents-topic-${uniqueString(appKey, toLower(source.workspaceId))}'
  scope: resourceGroup(split(source.workspaceId, '/')[2], source.topicResourceGroup)
  params: {
    appName: appName
    workspaceId: source.workspaceId
    location: source.location
    topicName: source.topicName
    isOurs: source.topicIsOurs
  }
}]

module deadLetterRoles 'modules/dead-letter-role.bicep' = [for (source, index) in sources: {
  name: 'mlevents-dead-letters-${uniqueString(appKey, toLower(source.workspaceId))}'
  scope: resourceGroup(appParts[2], appParts[4])
  params: {
    storageName: storageName
    principalId: topics[index].outputs.principalId
  }
}]

module subscriptions 'modules/event-subscriptions.bicep' = [for (source, index) in sources: {
  name: 'mlevents-events-${uniqueString(appKey, toLower(source.workspaceId))}'
  scope: resourceGroup(split(source.workspaceId, '/')[2], source.topicResourceGroup)
  params: {
    functionAppId: functionAppId
    topicName: topics[index].outputs.name
    filters: filters
    labels: labels
    deadLetterAccountId: deadLetterRoles[index].outputs.accountId
    deliveryAttempts: deliveryAttempts
    timeToLiveMinutes: timeToLiveMinutes
  }
}]

module streaming 'modules/streams.bicep' = [for (source, index) in sources: if (!empty(streams) || !empty(webHooks)) {
  name: 'mlevents-streams-${uniqueString(appKey, toLower(source.workspaceId))}'
  scope: resourceGroup(split(source.workspaceId, '/')[2], source.topicResourceGroup)
  params: {
    appName: appName
    topicName: topics[index].outputs.name
    topicPrincipalId: topics[index].outputs.principalId
    streams: streams
    webHooks: webHooks
    webHookUrls: webHookUrls
    deadLetterAccountId: deadLetterRoles[index].outputs.accountId
    deliveryAttempts: deliveryAttempts
    timeToLiveMinutes: timeToLiveMinutes
  }
  dependsOn: [
    subscriptions
  ]
}]

module alerts 'modules/topic-alert.bicep' = [for (source, index) in sources: if (!empty(actionGroupId)) {
  name: 'mlevents-alert-${uniqueString(appKey, toLower(source.workspaceId))}'
  scope: resourceGroup(appParts[2], appParts[4])
  params: {
    name: '${appName}-dead-letters-${uniqueString(toLower(source.workspaceId))}'
    appName: appName
    topicId: topics[index].outputs.id
    actionGroupId: actionGroupId
  }
}]
