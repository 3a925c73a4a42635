// The Event Grid system topic for uploads to the source account, with an identity for delivery. Deployed to the
// resource group of that account, where Event Grid also creates topics
// (learn.microsoft.com/azure/event-grid/system-topics).
param accountName string

@description('Region of the account. A topic is in the region of its source.')
param location string

@description('Name of the topic, if this creates one.')
param name string

@description('The existing topic of the account, since Event Grid only allows one. Its system-assigned identity must be on. Empty: this creates a topic.')
param existingName string

var make = empty(existingName)

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

// Without the tags of the environment: the resource group is not ours, and azd deletes resource groups by these tags.
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
output principalId string = make ? made!.identity.principalId : found.identity.principalId
