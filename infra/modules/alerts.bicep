// Says by mail what a person should look at. Dead letters are watched in topic-alert.bicep, beside their topic.

param name string
param location string
param tags object
param email string
param applicationInsightsId string

var watched = [
  {
    name: 'failed-responses'
    description: 'A response failed: a step went wrong for good. GET /api/v1/responses says which, and why.'
    severity: 1
    query: loadTextContent('../queries/failed-responses.kql')
    splitBy: [
      'rule'
    ]
  }
  {
    name: 'quarantined'
    description: 'An event could not be understood. It is kept; look at it, and deliver it again: python -m mlevents send.'
    severity: 2
    query: loadTextContent('../queries/quarantine.kql')
    splitBy: []
  }
  {
    name: 'function-errors'
    description: 'A function raised: Event Grid delivers again, and dead-letters in the end. Ask GET /api/health/details.'
    severity: 1
    query: loadTextContent('../queries/function-errors.kql')
    splitBy: []
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'mlevents'
    enabled: true
    emailReceivers: [
      {
        name: 'email'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// Metrics arrive minutes late, so each evaluation looks at twice the time since the last one.
resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for one in watched: {
  name: '${name}-${one.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'mlevents: ${one.name}'
    description: one.description
    severity: one.severity
    enabled: true
    autoMitigate: true
    scopes: [
      applicationInsightsId
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    criteria: {
      allOf: [
        {
          query: one.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [for column in one.splitBy: {
            name: column
            operator: 'Include'
            values: [
              '*'
            ]
          }]
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}]

output actionGroupId string = people.id
