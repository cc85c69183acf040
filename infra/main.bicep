// What mlevents owns: one resource group with the Function App and what it needs.
//
// Nothing here reaches into another resource group, and nothing may: `azd down` deletes every resource
// group that this deployment has touched (github.com/Azure/azure-dev/issues/2916). Rights on workspaces
// and factories are in access.bicep, what is subscribed to their events is in events.bicep; azd's hooks
// deploy both, and take them away again.
targetScope = 'subscription'

@description('Names this installation; one workspace can feed several, such as test and production.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region of the Function App and of all that is its own.')
@minLength(1)
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('The resource group to create; the default is rg-mlevents-<environment>.')
param resourceGroupName string = ''

@description('Makes every rule at least as careful: shadow (decide and record, do nothing) or disabled. Empty or live: each rule has its own mode.')
@allowed([
  ''
  'live'
  'shadow'
  'disabled'
])
param mode string = ''

@description('The rule file, or a folder of rule files, relative to the app; empty for rules.yaml, or else rules.')
param rulesFile string = ''

@description('The environment of the rules: environments/NAME.yaml is applied; empty for none.')
param ruleEnvironment string = ''

@description('Goes into the names of what responses start, so that nobody can plant one. The hooks generate it once; empty leaves the secret in the vault as it is. By hand: any long random text, the same at every deployment.')
@secure()
param appSecret string = ''

@description('How many responses may cause one another before the chain is stopped.')
@minValue(1)
param maxDepth int = 3

@description('Other app settings that rules name, by name. For secrets use Key Vault: see secretSettings.')
@secure()
param settings object = {}

@description('Memory of an instance in MB. Flex Consumption bills it by the second while events are worked on.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('The most instances to scale out to.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances kept warm, which cost all day: {name, instanceCount}, the name `durable` or `function:ModelRegistered` and so on. Empty: nothing is paid while idle.')
param alwaysReady array = []

@description('Where Durable Functions keeps the responses: in the storage account, or in a Durable Task Scheduler. docs/deployment.md says how to choose. A change starts with an empty task hub.')
@allowed([
  'storage'
  'scheduler'
])
param durableBackend string = 'storage'

@description('The SKU of the scheduler: Consumption is paid for each action, Dedicated for each capacity unit and hour.')
@allowed([
  'Consumption'
  'Dedicated'
])
param schedulerSku string = 'Consumption'

@description('Capacity units of the SKU Dedicated.')
@minValue(1)
@maxValue(3)
param schedulerCapacity int = 1

@description('Ranges that may call the scheduler. Without a private network the addresses of the app are not known, so all may call, and the identity decides.')
@minLength(1)
param schedulerAddresses array = [
  '0.0.0.0/0'
]

@description('Replication of the storage account, which holds the state of responses (unless durableBackend is scheduler) and the dead letters.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageReplication string = 'Standard_LRS'

@description('The object id of a person, group or service principal who may read dead letters and the task hub. Empty: only the app.')
param operatorId string = ''

@description('What operatorId is.')
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param operatorType string = 'User'

@description('Who is mailed by alerts (dead letters, failed responses, quarantine, function errors). Empty: no alert rules, which cost a little each month.')
param alertEmail string = ''

@description('Days that logs are kept; 30 are included in their price.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Create an Azure Communication Services resource with an Azure-managed domain for `email` connections.')
param useCommunication bool = false

@description('Where Communication Services keeps its data.')
param communicationDataLocation string = 'United States'

@description('The endpoint of an existing Communication Services resource.')
param communicationEndpoint string = ''

@description('The apprise URL of the Teams workflow through which the shipped rules notify people. Leave it empty with useKeyVault.')
@secure()
param teamsWorkflowUrl string = ''

@description('Create a Key Vault, and let the settings in secretSettings refer to it.')
param useKeyVault bool = false

@description('App settings whose value is the vault secret of the same name, in small letters with - for _.')
param secretSettings array = [
  'TEAMS_WORKFLOW_URL'
]

@description('Put storage, scheduler and vault behind private endpoints in a network of their own. Private endpoints cost by the hour.')
param usePrivateNetwork bool = false

@description('The address range of that network.')
param networkAddresses string = '10.80.0.0/24'

@description('The part of it that the app calls out of; Flex Consumption wants at least a /27.')
param appAddresses string = '10.80.0.0/26'

@description('The part of it for private endpoints.')
param endpointAddresses string = '10.80.0.64/26'

@description('The id of an existing subnet that the app calls out of, delegated to Microsoft.App/environments. Needs usePrivateNetwork and endpointSubnetId.')
param appSubnetId string = ''

@description('The id of an existing subnet for private endpoints. Needs usePrivateNetwork and appSubnetId.')
param endpointSubnetId string = ''

@description('The ids of existing private DNS zones by service: blob, queue, table, vault, scheduler. A zone that is not named is made and linked.')
param dnsZoneIds object = {}

@description('The ids of virtual networks that ours is peered with, such as that of a private workspace. The other direction is made by its owner.')
param peerNetworkIds array = []

@description('IPv4 ranges that may call the app besides Event Grid. Empty: anyone with a key.')
param allowedAddresses array = []

var token = toLower(uniqueString(subscription().id, environmentName, location))
var appName = 'mlevents-${token}'
var storageName = 'mlevents${token}'
var vaultName = 'mlev-${token}'
var vaultZone = 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
var usesScheduler = durableBackend == 'scheduler'
var hubName = 'mlevents'
var makesNetwork = usePrivateNetwork && empty(appSubnetId)
var tags = {
  'azd-env-name': environmentName
  app: 'mlevents'
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: empty(resourceGroupName) ? 'rg-mlevents-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: appName
    location: location
    tags: tags
  }
}

module network 'modules/network.bicep' = if (makesNetwork) {
  name: 'network'
  scope: group
  params: {
    name: appName
    location: location
    tags: tags
    addresses: networkAddresses
    appAddresses: appAddresses
    endpointAddresses: endpointAddresses
    peerNetworkIds: peerNetworkIds
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: storageName
    location: location
    tags: tags
    replication: storageReplication
    principalId: identity.outputs.principalId
    operatorId: operatorId
    operatorType: operatorType
    isPrivate: usePrivateNetwork
  }
}

module storageEndpoints 'modules/private-endpoint.bicep' = [for service in ['blob', 'queue', 'table']: if (usePrivateNetwork) {
  name: 'endpoint-${service}'
  scope: group
  params: {
    name: '${storageName}-${service}'
    location: location
    tags: tags
    targetId: storage.outputs.id
    service: service
    zoneName: 'privatelink.${service}.${environment().suffixes.storage}'
    zoneId: dnsZoneIds[?service] ?? ''
    subnetId: makesNetwork ? network!.outputs.endpointSubnetId : endpointSubnetId
  }
}]

module scheduler 'modules/scheduler.bicep' = if (usesScheduler) {
  name: 'scheduler'
  scope: group
  params: {
    name: appName
    location: location
    tags: tags
    hubName: hubName
    sku: schedulerSku
    capacity: schedulerCapacity
    allowedAddresses: schedulerAddresses
    isPrivate: usePrivateNetwork
    principalId: identity.outputs.principalId
    operatorId: operatorId
    operatorType: operatorType
  }
}

module schedulerEndpoint 'modules/private-endpoint.bicep' = if (usesScheduler && usePrivateNetwork) {
  name: 'endpoint-scheduler'
  scope: group
  params: {
    name: '${appName}-scheduler'
    location: location
    tags: tags
    targetId: scheduler!.outputs.id
    service: 'scheduler'
    zoneName: 'privatelink.durabletask.io'
    zoneId: dnsZoneIds.?scheduler ?? ''
    subnetId: makesNetwork ? network!.outputs.endpointSubnetId : endpointSubnetId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    name: appName
    location: location
    tags: tags
    retentionDays: logRetentionDays
    principalId: identity.outputs.principalId
  }
}

module alerts 'modules/alerts.bicep' = if (!empty(alertEmail)) {
  name: 'alerts'
  scope: group
  params: {
    name: appName
    location: location
    tags: tags
    email: alertEmail
    applicationInsightsId: monitoring.outputs.applicationInsightsId
  }
}

module communication 'modules/communication.bicep' = if (useCommunication) {
  name: 'communication'
  scope: group
  params: {
    name: appName
    tags: tags
    dataLocation: communicationDataLocation
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/key-vault.bicep' = if (useKeyVault) {
  name: 'key-vault'
  scope: group
  params: {
    name: vaultName
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    isPrivate: usePrivateNetwork
    appSecret: appSecret
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (useKeyVault && usePrivateNetwork) {
  name: 'endpoint-vault'
  scope: group
  params: {
    name: '${vaultName}-vault'
    location: location
    tags: tags
    targetId: vault!.outputs.id
    service: 'vault'
    zoneName: vaultZone
    zoneId: dnsZoneIds.?vault ?? ''
    subnetId: makesNetwork ? network!.outputs.endpointSubnetId : endpointSubnetId
  }
}

module app 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: appName
    location: location
    tags: union(tags, {
      'azd-service-name': 'app'
    })
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    storageUris: {
      blob: storage.outputs.blobUri
      queue: storage.outputs.queueUri
      table: storage.outputs.tableUri
    }
    schedulerEndpoint: usesScheduler ? scheduler!.outputs.endpoint : ''
    hubName: hubName
    packageContainer: storage.outputs.packageContainerUrl
    deadLetters: storage.outputs.deadLettersUrl
    applicationInsightsConnection: monitoring.outputs.connectionString
    mode: mode
    rulesFile: rulesFile
    ruleEnvironment: ruleEnvironment
    maxDepth: maxDepth
    appSecret: appSecret
    communicationEndpoint: useCommunication ? communication!.outputs.endpoint : communicationEndpoint
    teamsWorkflowUrl: teamsWorkflowUrl
    settings: settings
    vaultName: useKeyVault ? vaultName : ''
    secretSettings: secretSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    subnetId: makesNetwork ? network!.outputs.appSubnetId : appSubnetId
    allowedAddresses: allowedAddresses
  }
  // References to the vault are resolved when the app starts: vault, role and private endpoint come first.
  dependsOn: [
    storageEndpoints
    schedulerEndpoint
    vault
    vaultEndpoint
  ]
}

// azd keeps these as the environment of its hooks.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output MLEVENTS_FUNCTION_APP_ID string = app.outputs.id
output MLEVENTS_URL string = app.outputs.url
output MLEVENTS_PRINCIPAL_ID string = identity.outputs.principalId
output MLEVENTS_STORAGE_NAME string = storage.outputs.name
output MLEVENTS_TASK_HUB_DASHBOARD string = usesScheduler ? scheduler!.outputs.dashboard : ''
output MLEVENTS_DEAD_LETTERS string = storage.outputs.deadLettersUrl
output MLEVENTS_ACTION_GROUP_ID string = empty(alertEmail) ? '' : alerts!.outputs.actionGroupId
output MLEVENTS_EMAIL_SENDER string = useCommunication ? communication!.outputs.sender : ''
output MLEVENTS_NETWORK_ID string = makesNetwork ? network!.outputs.id : ''
output MLEVENTS_VAULT_NAME string = useKeyVault ? vaultName : ''
