// Mail for `email` connections, from a domain that Azure runs: DoNotReply@<guid>.azurecomm.net.
// A domain of your own reads better; it is added to this email service in the portal.

param name string
param tags object
param dataLocation string
param principalId string

var ownerRole = '09976791-48a7-449e-bb21-39d1a415f350' // Communication and Email Service Owner

resource email 'Microsoft.Communication/emailServices@2025-05-01' = {
  name: 'mail-${name}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
  }
}

resource domain 'Microsoft.Communication/emailServices/domains@2025-05-01' = {
  parent: email
  name: 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: {
    domainManagement: 'AzureManaged'
    userEngagementTracking: 'Disabled'
  }
}

resource communication 'Microsoft.Communication/communicationServices@2025-05-01' = {
  name: 'acs-${name}'
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true // no access keys: the app signs in as its identity
    linkedDomains: [
      domain.id
    ]
  }
}

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(communication.id, principalId, ownerRole)
  scope: communication
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ownerRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output endpoint string = 'https://${communication.properties.hostName}'
output sender string = 'DoNotReply@${domain.properties.mailFromSenderDomain}'
