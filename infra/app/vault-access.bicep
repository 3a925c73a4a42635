// Rights of the app in the vault: read and write, but not delete. Deployed to the resource group of the vault.
param accountName string
param principalId string

@description('False: the built-in contributor roles, which include the right to delete.')
param customRoles bool

// Storage Blob Data Contributor, Storage Table Data Contributor
var contributorRoles = [
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource writer 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (customRoles) {
  name: guid(resourceGroup().id, 'strongroom-vault-writer', accountName)
  properties: {
    roleName: 'Strongroom vault writer (${uniqueString(resourceGroup().id, accountName)})'
    description: 'Reads and writes blobs, their tags, containers and table entities. Deletes nothing.'
    type: 'CustomRole'
    assignableScopes: [
      resourceGroup().id
    ]
    permissions: [
      {
        actions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/write'
          // Restores copy from the vault with a SAS that this key signs. The SAS has no more rights than this role.
          'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action'
          'Microsoft.Storage/storageAccounts/tableServices/tables/read'
          'Microsoft.Storage/storageAccounts/tableServices/tables/write'
        ]
        notActions: []
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/write'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/write'
        ]
        notDataActions: []
      }
    ]
  }
}

resource mayWrite 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (customRoles) {
  name: guid(account.id, principalId, 'strongroom-vault-writer')
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', writer.name)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource mayContribute 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in contributorRoles: if (!customRoles) {
  name: guid(account.id, principalId, role)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

output blobEndpoint string = account.properties.primaryEndpoints.blob
output tableEndpoint string = account.properties.primaryEndpoints.table
