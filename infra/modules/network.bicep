// A small network: one subnet that the app calls out of, one for private endpoints.
// Event Grid delivers from outside, so the app keeps a public address; see allowedAddresses.

param name string
param location string
param tags object
param addresses string
param appAddresses string
param endpointAddresses string

@description('Networks to peer with, by id; their owners make the other direction.')
param peerNetworkIds array

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addresses
      ]
    }
  }
}

// Flex Consumption wants this delegation, and a /27 or larger.
resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' = {
  parent: network
  name: 'app'
  properties: {
    addressPrefix: appAddresses
    delegations: [
      {
        name: 'flex-consumption'
        properties: {
          serviceName: 'Microsoft.App/environments'
        }
      }
    ]
  }
}

resource endpointSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' = {
  parent: network
  name: 'endpoints'
  properties: {
    addressPrefix: endpointAddresses
  }
  dependsOn: [
    appSubnet
  ]
}

resource peerings 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings@2024-05-01' = [for peerId in peerNetworkIds: {
  parent: network
  name: 'to-${last(split(peerId, '/'))}-${uniqueString(toLower(peerId))}'
  properties: {
    allowVirtualNetworkAccess: true
    remoteVirtualNetwork: {
      id: peerId
    }
  }
  dependsOn: [
    endpointSubnet
  ]
}]

output id string = network.id
output appSubnetId string = appSubnet.id
output endpointSubnetId string = endpointSubnet.id
