// The app on Flex Consumption: scales to zero, runs as its identity, answers over TLS 1.2 and up.
//
// Runtime, package and scale stand in functionAppConfig. Settings of older plans (FUNCTIONS_WORKER_RUNTIME,
// FUNCTIONS_EXTENSION_VERSION, WEBSITE_RUN_FROM_PACKAGE and their like) are refused here:
// learn.microsoft.com/azure/azure-functions/functions-app-settings, "Flex Consumption plan deprecations".

param name string
param location string
param tags object
param identityId string
param clientId string

@description('The addresses of the storage account: blob, queue and table, as this cloud names them.')
param storageUris object

@description('The address of the Durable Task Scheduler; empty when the storage account holds the task hub.')
param schedulerEndpoint string
param hubName string

@description('The URL of the container that holds the app package.')
param packageContainer string

@description('The URL of the container that Event Grid writes dead letters into.')
param deadLetters string
param applicationInsightsConnection string
param mode string
param rulesFile string
param ruleEnvironment string
param maxDepth int
@secure()
param appSecret string
param communicationEndpoint string
@secure()
param teamsWorkflowUrl string
@secure()
param settings object

@description('The vault that secretSettings are read from; empty when there is none.')
param vaultName string
param secretSettings array
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReady array

@description('The subnet that the app calls out of; empty when there is no network.')
param subnetId string
param allowedAddresses array

// The last three are explained in docs/observability.md, "Switching it on".
var hostSettings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  AzureWebJobsStorage__blobServiceUri: storageUris.blob
  AzureWebJobsStorage__queueServiceUri: storageUris.queue
  AzureWebJobsStorage__tableServiceUri: storageUris.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'django,fastapi,flask,httpx,httpx2,psycopg2,requests,urllib,urllib3'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME: 'mlevents'
}

// Over host.json, for the host. Azure's scale controller reads host.json alone: infra/hooks/host_file.py.
var schedulerSettings = {
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${clientId}'
  TASKHUB_NAME: hubName
}

var appSettings = {
  AZURE_CLIENT_ID: clientId
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
  COMMUNICATION_ENDPOINT: communicationEndpoint
  TEAMS_WORKFLOW_URL: teamsWorkflowUrl
  MLEVENTS_ADDRESS: ''
  MLEVENTS_DEAD_LETTERS: deadLetters
  MLEVENTS_ENV: ruleEnvironment
  MLEVENTS_LOOP_LIMIT: '20'
  MLEVENTS_MAX_DEPTH: string(maxDepth)
  MLEVENTS_MODE: mode
  MLEVENTS_PRIVATE_HOSTS: ''
  MLEVENTS_RECENT_EVENTS: '500'
  MLEVENTS_RECENT_EVENTS_DAYS: '7'
  MLEVENTS_RESOURCE_MANAGER: environment().resourceManager
  MLEVENTS_RULES: rulesFile
  MLEVENTS_SECRET: appSecret
  MLEVENTS_TAG_WATCH: '5m'
}

// With a vault the app's own secret is in it, too: key-vault.bicep.
var references = [for setting in union(secretSettings, ['MLEVENTS_SECRET']): '"${setting}": "@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${toLower(replace(setting, '_', '-'))})"']

var eventGridOnly = [
  {
    name: 'event-grid'
    action: 'Allow'
    priority: 100
    tag: 'ServiceTag'
    ipAddress: 'AzureEventGrid'
  }
]

var callers = [for (addresses, index) in allowedAddresses: {
  name: 'allowed-${index}'
  action: 'Allow'
  priority: 200 + index
  tag: 'Default'
  ipAddress: addresses
}]

// Later ones win: a setting that the operator gives replaces ours, and a reference replaces a value.
var allSettings = union(hostSettings, empty(schedulerEndpoint) ? {} : schedulerSettings, appSettings, settings, empty(vaultName) ? {} : json('{${join(references, ',')}}'))

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225: zones need instances that are always paid for; nothing here is while idle
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_17: Event Grid shows no client certificate
  // checkov:skip=CKV_AZURE_78: Flex Consumption has no FTP; its password is switched off below all the same
  // checkov:skip=CKV_AZURE_212: it scales to zero; Event Grid keeps events until an instance is up
  // checkov:skip=CKV_AZURE_213: asking for health all the time would never let it scale to zero
  // checkov:skip=CKV_AZURE_222: Event Grid delivers from outside any network; allowedAddresses shuts out the rest
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainer
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
      }
    }
    siteConfig: {
      appSettings: [for setting in items(allSettings): {
        name: setting.key
        value: setting.value
      }]
      minTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: empty(allowedAddresses) ? [] : concat(eventGridOnly, callers)
    }
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
