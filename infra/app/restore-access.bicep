// What the app may do in the account it backs up while something is restored to it: write, and not delete. Deployed to
// the resource group of that account.
param accountName string
param principalId string

@description('False: nothing that the right to read would not include.')
param mayWrite bool

@description('Whether tables are among what is restored.')
param withTables bool

var readActions = [
  'Microsoft.Storage/storageAccounts/blobServices/containers/read'
]
var writeActions = [
  'Microsoft.Storage/storageAccounts/blobServices/containers/write'
]
var writeDataActions = [
  'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
  'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'
  'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
  'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/write'
]
var tableActions = [
  'Microsoft.Storage/storageAccounts/tableServices/tables/read'
  'Microsoft.Storage/storageAccounts/tableServices/tables/write'
]
var tableDataActions = [
  'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
  'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
  'Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action'
  'Microsoft.Storage/storageAccounts/tableServices/tables/entities/write'
]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

// Deployed either way: a deployment takes no assignment back, and so it is the role that loses its rights again.
resource restorer 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'strongroom-restorer', accountName)
  properties: {
    roleName: 'Strongroom restorer (${uniqueString(resourceGroup().id, accountName)})'
    description: 'While restoreToSource is true: writes blobs, their tags and containers, with readTables also tables and their entities, and deletes nothing. Otherwise nothing but to read containers.'
    type: 'CustomRole'
    assignableScopes: [
      resourceGroup().id
    ]
    permissions: [
      {
        actions: mayWrite ? union(readActions, writeActions, withTables ? tableActions : []) : readActions
        notActions: []
        dataActions: mayWrite ? union(writeDataActions, withTables ? tableDataActions : []) : []
        notDataActions: []
      }
    ]
  }
}

resource mayRestore 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (mayWrite) {
  name: guid(account.id, principalId, 'strongroom-restorer')
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', restorer.name)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
