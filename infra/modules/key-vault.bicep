// Secrets that rules name by `{setting: NAME}`: webhook URLs, SMTP passwords. The app reads, and no more.

param name string
param location string
param tags object
param principalId string

@description('Closed to all but private endpoints.')
param isPrivate bool

@description('The secret of the app, MLEVENTS_SECRET; empty leaves the one in the vault as it is.')
@secure()
param appSecret string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  // checkov:skip=CKV_AZURE_109: denied when there is a network to come from (isPrivate)
  // checkov:skip=CKV_AZURE_189: without a network the app comes from outside; with one, isPrivate denies the rest
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource secret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(appSecret)) {
  // checkov:skip=CKV_AZURE_41: the app must find what it started under this secret, so it does not expire
  // checkov:skip=CKV_AZURE_114: it has a contentType; checkov does not look into a conditional resource
  parent: vault
  name: 'mlevents-secret'
  properties: {
    value: appSecret
    contentType: 'text/plain'
  }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output id string = vault.id
