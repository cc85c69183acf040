// One subscription for each function that a rule needs, with the filter that the rules compile to.

param functionAppId string
param topicName string

@description('What `python -m mlevents filters --json` prints: a filter for each function.')
param filters object

@description('A label for each function, from `python -m mlevents doctor --needs --json`.')
param labels object
param deadLetterAccountId string
param deliveryAttempts int
param timeToLiveMinutes int

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

// A function without event types is needed by no rule. Each event is one delivery: one that fails must not
// bring the others back. One at a time: Event Grid refuses simultaneous changes of one topic.
@batchSize(1)
resource subscriptions 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [for wanted in items(filters): if (!empty(wanted.value.includedEventTypes)) {
  parent: topic
  name: '${last(split(functionAppId, '/'))}-${wanted.key}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    labels: contains(labels, wanted.key) ? [labels[wanted.key]] : []
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${functionAppId}/functions/${wanted.key}'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: wanted.value.includedEventTypes
      subjectBeginsWith: wanted.value.subjectBeginsWith
      isSubjectCaseSensitive: false
      advancedFilters: wanted.value.advancedFilters
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
}]
