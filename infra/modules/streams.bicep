// Events straight to where they are wanted, without code: the topic itself is the sender.

param appName string
param topicName string
param topicPrincipalId string

@description('{name, kind, target, eventTypes?, subjectBeginsWith?}; the target is a resource id.')
param streams array

@description('{name, eventTypes?, subjectBeginsWith?}')
param webHooks array

@description('The URL of each web hook, by its name. A URL often holds a key.')
@secure()
param webHookUrls object
param deadLetterAccountId string
param deliveryAttempts int
param timeToLiveMinutes int

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

module senders 'sender-role.bicep' = [for stream in streams: {
  name: 'mlevents-sender-${uniqueString(appName, toLower(topic.id), stream.name)}'
  scope: resourceGroup(split(stream.target, '/')[2], split(stream.target, '/')[4])
  params: {
    principalId: topicPrincipalId
    targetId: stream.target
  }
}]

// A storage queue is addressed by its account and its name, the others by their id.
var byId = [for stream in streams: {
  endpointType: stream.kind
  properties: {
    resourceId: stream.target
  }
}]

var byQueue = [for stream in streams: {
  endpointType: 'StorageQueue'
  properties: {
    resourceId: split(stream.target, '/queueServices/')[0]
    queueName: last(split(stream.target, '/'))
  }
}]

// One at a time: Event Grid refuses simultaneous changes of one topic.
@batchSize(1)
resource subscriptions 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [for (stream, index) in streams: {
  parent: topic
  name: '${appName}-${stream.name}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: any(stream.kind == 'StorageQueue' ? byQueue[index] : byId[index])
    }
    filter: {
      includedEventTypes: stream.?eventTypes ?? null // null: every type that the topic has
      subjectBeginsWith: stream.?subjectBeginsWith ?? ''
      isSubjectCaseSensitive: false
    }
    retryPolicy: {
      maxDeliveryAttempts: deliveryAttempts
      eventTimeToLiveInMinutes: timeToLiveMinutes
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: deadLetterAccountId
          blobContainerName: 'dead-letters'
        }
      }
    }
  }
  dependsOn: [
    senders
  ]
}]

@batchSize(1)
resource webHookSubscriptions 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [for webHook in webHooks: {
  parent: topic
  name: '${appName}-${webHook.name}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: webHookUrls[webHook.name]
        maxEventsPerBatch: 1
        minimumTlsVersionAllowed: '1.2'
      }
    }
    filter: {
      includedEventTypes: webHook.?eventTypes ?? null
      subjectBeginsWith: webHook.?subjectBeginsWith ?? ''
      isSubjectCaseSensitive: false
    }
    retryPolicy: {
      maxDeliveryAttempts: deliveryAttempts
      eventTimeToLiveInMinutes: timeToLiveMinutes
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: deadLetterAccountId
          blobContainerName: 'dead-letters'
        }
      }
    }
  }
  dependsOn: [
    subscriptions
  ]
}]
