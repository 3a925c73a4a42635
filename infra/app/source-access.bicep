// Rights of the app in the source account: read. Deployed to the resource group of that account.
param accountName string
param principalId string

@description('Adds the right to read index tags, which the built-in reader role lacks.')
param readTags bool

@description('Adds the right to read tables and their entities.')
param readTables bool

// The right to list, to read, and to request the key that signs a user delegation SAS.
var readerRole = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1' // Storage Blob Data Reader
var tableReaderRole = '76199698-9eea-4c19-bc75-cec21354c6b6' // Storage Table Data Reader

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource mayRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, readerRole)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource mayReadTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (readTables) {
  name: guid(account.id, principalId, tableReaderRole)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableReaderRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource tagReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (readTags) {
  name: guid(resourceGroup().id, 'strongroom-tag-reader', accountName)
  properties: {
    roleName: 'Strongroom tag reader (${uniqueString(resourceGroup().id, accountName)})'
    description: 'Reads the index tags of blobs.'
    type: 'CustomRole'
    assignableScopes: [
      resourceGroup().id
    ]
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/read'
        ]
        notDataActions: []
      }
    ]
  }
}

resource mayReadTags 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (readTags) {
  name: guid(account.id, principalId, 'strongroom-tag-reader')
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tagReader.name)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output blobEndpoint string = account.properties.primaryEndpoints.blob
output location string = account.location
