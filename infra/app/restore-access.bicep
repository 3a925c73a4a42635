// Rights of the app in the source account during restores: write, but not delete. Deployed to the resource group of
// that account.
param accountName string
param principalId string

@description('False: no rights beyond reading.')
param mayWrite bool

@description('Adds the rights to restore tables.')
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

// Always deployed: a deployment cannot remove an assignment, so it removes the rights from the role instead.
resource restorer 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'strongroom-restorer', accountName)
  properties: {
    roleName: 'Strongroom restorer (${uniqueString(resourceGroup().id, accountName)})'
    description: 'While restoreToSource is true: writes blobs, their tags and containers; with readTables, also tables and entities. Deletes nothing. Otherwise: reads containers only.'
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
