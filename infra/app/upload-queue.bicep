// The queue for upload events in the host storage, and a container for events that Event Grid cannot deliver. The host
// creates neither. The app already has the right to read the queue: see host-storage.bicep.
param accountName string
param queueName string

@description('The principal that adds events: the identity of the topic.')
param principalId string

var deadLetterContainer = 'strongroom-undelivered'

// Rights that Event Grid requires (learn.microsoft.com/azure/event-grid/managed-service-identity): one on the queue for
// delivery, one on the account for dead-lettering. Event Grid checks them when a subscription is created.
var senderRole = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a' // Storage Queue Data Message Sender
var contributorRole = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' existing = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = {
  parent: queues
  name: queueName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: account
  name: 'default'
}

resource undelivered 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: deadLetterContainer
  properties: {
    publicAccess: 'None'
  }
}

resource maySend 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(queue.id, principalId, senderRole)
  scope: queue
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource mayDeadLetter 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, contributorRole)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributorRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output accountId string = account.id
output deadLetterContainer string = deadLetterContainer
