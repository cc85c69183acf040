// The one source of a workspace's events: made here, or found and left as it is.

param appName string
param workspaceId string
param location string
param topicName string

@description('Made by this app, so made again; otherwise someone else owns it, and it must have an identity for dead letters.')
param isOurs bool

resource made 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (isOurs) {
  name: topicName
  location: location
  tags: {
    'mlevents-app': appName
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: workspaceId
    topicType: 'Microsoft.MachineLearningServices.Workspaces'
  }
}

resource found 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (!isOurs) {
  name: topicName
}

output id string = isOurs ? made.id : found.id
output name string = topicName
output principalId string = isOurs ? made!.identity.principalId : found!.identity.principalId
