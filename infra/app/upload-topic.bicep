// What tells of uploads to the source account: a system topic of Event Grid, with an identity to deliver by. Deployed to
// the resource group of that account, where Event Grid puts the topics of accounts too
// (learn.microsoft.com/azure/event-grid/system-topics).
param accountName string

@description('Of the account: a topic lies where its source does.')
param location string

@description('Name of the topic that is made, where there is none.')
param name string

@description('The topic that the account has already: Event Grid allows but one. Its system-assigned identity must be on. Empty: one is made.')
param existingName string

var make = empty(existingName)

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

// Without the tags of the environment: it lies among what is not ours, and is not to be taken for all of it.
resource made 'Microsoft.EventGrid/systemTopics@2022-06-15' = if (make) {
  name: name
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: account.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource found 'Microsoft.EventGrid/systemTopics@2022-06-15' existing = {
  name: make ? name : existingName
}

output name string = make ? name : existingName
output principalId string = make ? made.identity.principalId : found.identity.principalId
