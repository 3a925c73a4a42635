// Rights of the prune identity in the vault: delete, but not write. Deployed to the resource group of the vault.
param accountName string
param principalId string

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource pruner 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'strongroom-vault-pruner', accountName)
  properties: {
    roleName: 'Strongroom vault pruner (${uniqueString(resourceGroup().id, accountName)})'
    description: 'Lists, reads and deletes blobs, their snapshots and versions, and containers. Writes nothing, and cannot override soft delete.'
    type: 'CustomRole'
    assignableScopes: [
      resourceGroup().id
    ]
    permissions: [
      {
        actions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/read'
          // Only for the scratch containers of drills: a prune deletes no container. Azure has no conditions for this
          // action that could express it. Soft delete of containers is the safety net.
          'Microsoft.Storage/storageAccounts/blobServices/containers/delete'
        ]
        notActions: []
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/deleteBlobVersion/action'
        ]
        notDataActions: []
      }
    ]
  }
}

resource mayPrune 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, 'strongroom-vault-pruner')
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', pruner.name)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
