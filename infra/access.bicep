// What the app may do in places that are not its own: for each workspace, factory and registry one custom role
// that holds the actions that the rules need, and for each target that it sends to the role of a sender.
//
// The rules' own elements say which actions (`python -m mlevents doctor --needs`), so there is no list of them
// here. The predeploy hook deploys this; by hand see docs/deployment.md.
targetScope = 'subscription'

@description('The Function App, whose name the custom roles carry.')
param appName string

@description('The object id of the app identity.')
param principalId string

@description('For each Azure ML workspace {id, actions}: what `python -m mlevents doctor --needs --json` lists for it.')
param workspaces array = []

@description('The same for each Data Factory.')
param factories array = []

@description('The same for each Azure ML registry that models are copied to.')
param registries array = []

@description('The same for each user-assigned identity that a step gives to an endpoint.')
param identities array = []

@description('Resource ids that the app sends events to: event hubs, Service Bus queues and topics, storage queues, Event Grid topics.')
param targets array = []

module workspaceRoles 'modules/workspace-role.bicep' = [for workspace in workspaces: {
  name: 'mlevents-${uniqueString(appName, toLower(workspace.id))}'
  scope: resourceGroup(split(workspace.id, '/')[2], split(workspace.id, '/')[4])
  params: {
    appName: appName
    principalId: principalId
    workspaceName: split(workspace.id, '/')[8]
    actions: workspace.actions
  }
}]

module factoryRoles 'modules/factory-role.bicep' = [for factory in factories: {
  name: 'mlevents-${uniqueString(appName, toLower(factory.id))}'
  scope: resourceGroup(split(factory.id, '/')[2], split(factory.id, '/')[4])
  params: {
    appName: appName
    principalId: principalId
    factoryName: split(factory.id, '/')[8]
    actions: factory.actions
  }
}]

module registryRoles 'modules/registry-role.bicep' = [for registry in registries: {
  name: 'mlevents-${uniqueString(appName, toLower(registry.id))}'
  scope: resourceGroup(split(registry.id, '/')[2], split(registry.id, '/')[4])
  params: {
    appName: appName
    principalId: principalId
    registryName: split(registry.id, '/')[8]
    actions: registry.actions
  }
}]

module identityRoles 'modules/identity-role.bicep' = [for identity in identities: {
  name: 'mlevents-${uniqueString(appName, toLower(identity.id))}'
  scope: resourceGroup(split(identity.id, '/')[2], split(identity.id, '/')[4])
  params: {
    appName: appName
    principalId: principalId
    identityName: split(identity.id, '/')[8]
    actions: identity.actions
  }
}]

module senders 'modules/sender-role.bicep' = [for id in targets: {
  name: 'mlevents-${uniqueString(appName, toLower(id))}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    principalId: principalId
    targetId: id
  }
}]
