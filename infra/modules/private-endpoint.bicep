// One service of one resource, reached from inside the network, under its usual name.

param name string
param location string
param tags object
param targetId string

@description('The part of the resource: blob, queue, table, vault.')
param service string
param zoneName string

@description('An existing private DNS zone of that name; empty: one is made, and linked to the network of the subnet.')
param zoneId string
param subnetId string

var networkId = split(subnetId, '/subnets/')[0]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: 'pe-${name}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: service
        properties: {
          privateLinkServiceId: targetId
          groupIds: [
            service
          ]
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = if (empty(zoneId)) {
  name: zoneName
  location: 'global'
  tags: tags
}

resource zoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = if (empty(zoneId)) {
  parent: zone
  name: uniqueString(toLower(networkId))
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: service
        properties: {
          privateDnsZoneId: empty(zoneId) ? zone.id : zoneId
        }
      }
    ]
  }
}
