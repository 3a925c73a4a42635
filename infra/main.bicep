// Strongroom in one subscription: the function app and what it stands on, the vault, and the rights of its identities.
// Resources of our own only, no registry modules. See infra/README.md.
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the environment; names of resources are derived from it.')
param environmentName string

@minLength(1)
@description('Region of everything that is created here. Best the region of the source account: copies within a region cost no egress.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Resource group for what is created here. Empty: rg-<environmentName>.')
param resourceGroupName string = ''

@minLength(3)
@maxLength(24)
@description('The storage account to back up. It exists already, and nothing of it is changed but who may read it, who may write for a restore, and who is told of uploads.')
param sourceAccountName string

@minLength(1)
@description('Resource group of the account to back up.')
param sourceResourceGroup string

@description('Subscription of the account to back up. Empty: this one.')
param sourceSubscriptionId string = ''

@description('Existing storage account to use as the vault. Empty: one is created, with soft delete and a lock.')
param vaultAccountName string = ''

@description('Resource group of the existing vault. Needed only with vaultAccountName.')
param vaultResourceGroup string = ''

@description('Subscription of the existing vault. Empty: this one.')
param vaultSubscriptionId string = ''

@description('Redundancy of the vault, where it is created here.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_RAGRS'
  'Standard_GZRS'
  'Standard_RAGZRS'
])
param vaultRedundancy string = 'Standard_GRS'

@minValue(1)
@maxValue(365)
@description('For so many days a deleted blob or container of the vault can be brought back, where the vault is created here.')
param vaultSoftDeleteDays int = 30

@description('Locks the vault that is created here against deletion of the account, that of its resource group included.')
param lockVault bool = true

@description('Defines roles of our own, so that the app cannot delete in the vault. False: built-in roles, which can.')
param customRoles bool = true

@description('Lets the app read index tags of the source, so that they are backed up. Needs customRoles.')
param readTags bool = true

@description('Lets the app read tables of the source: for jobs with "tables".')
param readTables bool = false

@description('Makes a second identity, which may delete in the vault: the account VAULT_PRUNE, for "retention.account" of a job. Needs customRoles.')
param pruneIdentity bool = false

@description('Containers of the source whose uploads Event Grid is to tell of, in the queue below. Empty: no topic and no queue.')
param uploadContainers array = []

@minLength(3)
@maxLength(56)
@description('Name of the queue: the "events.queue" of archive rules.')
param uploadQueueName string = 'strongroom-uploads'

@description('The Event Grid system topic that the source account has already, in its own resource group. Empty: one is made.')
param uploadTopicName string = ''

@description('Lets the app write to the source, for as long as something is restored to it. Needs customRoles.')
param restoreToSource bool = false

@allowed([
  512
  2048
  4096
])
@description('Memory of one instance, in MB.')
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
@description('The most instances the app is scaled out to.')
param maximumInstanceCount int = 40

@minValue(0)
@maxValue(100)
@description('Instances kept ready for orchestrations and activities. 0 costs nothing between runs; 1 starts them sooner.')
param durableAlwaysReady int = 0

@description('More app settings, such as what strongroom.json refers to as %NAME%. No secrets.')
param appSettings object = {}

@description('Address to write to when a run ends badly or an upload is given up. Empty: no alert.')
param alertEmail string = ''

var token = toLower(uniqueString(subscription().id, environmentName, location))
var groupName = empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
var tags = { 'azd-env-name': environmentName }
var createVault = empty(vaultAccountName)
var vaultName = createVault ? 'stvault${token}' : vaultAccountName
var separatePrune = pruneIdentity && customRoles
var tellOfUploads = !empty(uploadContainers)
var thisSubscription = subscription().subscriptionId
var sourceSubscription = empty(sourceSubscriptionId) ? thisSubscription : sourceSubscriptionId
var vaultSubscription = createVault || empty(vaultSubscriptionId) ? thisSubscription : vaultSubscriptionId

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'strongroom-identity'
  scope: group
  params: {
    name: 'id-strongroom-${token}'
    location: location
    tags: tags
  }
}

module pruner 'app/identity.bicep' = if (separatePrune) {
  name: 'strongroom-prune-identity'
  scope: group
  params: {
    name: 'id-strongroom-prune-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'app/monitoring.bicep' = {
  name: 'strongroom-monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    alertEmail: alertEmail
  }
}

module hostStorage 'app/host-storage.bicep' = {
  name: 'strongroom-host-storage'
  scope: group
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module vault 'app/vault.bicep' = if (createVault) {
  name: 'strongroom-vault'
  scope: group
  params: {
    name: vaultName
    location: location
    tags: tags
    redundancy: vaultRedundancy
    softDeleteDays: vaultSoftDeleteDays
    lock: lockVault
  }
}

module vaultAccess 'app/vault-access.bicep' = {
  name: 'strongroom-vault-access-${token}'
  scope: resourceGroup(vaultSubscription, createVault ? groupName : vaultResourceGroup)
  params: {
    accountName: vaultName
    principalId: identity.outputs.principalId
    customRoles: customRoles
  }
  dependsOn: [
    vault
  ]
}

module pruneAccess 'app/prune-access.bicep' = if (separatePrune) {
  name: 'strongroom-prune-access-${token}'
  scope: resourceGroup(vaultSubscription, createVault ? groupName : vaultResourceGroup)
  params: {
    accountName: vaultName
    principalId: separatePrune ? pruner.outputs.principalId : ''
  }
  dependsOn: [
    vault
  ]
}

module sourceAccess 'app/source-access.bicep' = {
  name: 'strongroom-source-access-${token}'
  scope: resourceGroup(sourceSubscription, sourceResourceGroup)
  params: {
    accountName: sourceAccountName
    principalId: identity.outputs.principalId
    readTags: readTags && customRoles
    readTables: readTables
  }
}

module restoreAccess 'app/restore-access.bicep' = if (customRoles) {
  name: 'strongroom-restore-access-${token}'
  scope: resourceGroup(sourceSubscription, sourceResourceGroup)
  params: {
    accountName: sourceAccountName
    principalId: identity.outputs.principalId
    mayWrite: restoreToSource
    withTables: readTables
  }
}

module uploadTopic 'app/upload-topic.bicep' = if (tellOfUploads) {
  name: 'strongroom-upload-topic-${token}'
  scope: resourceGroup(sourceSubscription, sourceResourceGroup)
  params: {
    accountName: sourceAccountName
    location: sourceAccess.outputs.location
    name: 'evgt-strongroom-${token}'
    existingName: uploadTopicName
  }
}

module uploadQueue 'app/upload-queue.bicep' = if (tellOfUploads) {
  name: 'strongroom-upload-queue'
  scope: group
  params: {
    accountName: hostStorage.outputs.name
    queueName: uploadQueueName
    principalId: tellOfUploads ? uploadTopic.outputs.principalId : ''
  }
}

module uploadEvents 'app/upload-events.bicep' = if (tellOfUploads) {
  name: 'strongroom-upload-events-${token}'
  scope: resourceGroup(sourceSubscription, sourceResourceGroup)
  params: {
    topicName: tellOfUploads ? uploadTopic.outputs.name : ''
    containers: uploadContainers
    accountId: tellOfUploads ? uploadQueue.outputs.accountId : ''
    queueName: uploadQueueName
    deadLetterContainer: tellOfUploads ? uploadQueue.outputs.deadLetterContainer : ''
  }
}

module functionApp 'app/function-app.bicep' = {
  name: 'strongroom-function-app'
  scope: group
  params: {
    name: 'func-strongroom-${token}'
    planName: 'plan-strongroom-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    pruneIdentityId: separatePrune ? pruner.outputs.id : ''
    pruneIdentityClientId: separatePrune ? pruner.outputs.clientId : ''
    hostStorageName: hostStorage.outputs.name
    deploymentContainerUrl: hostStorage.outputs.deploymentContainerUrl
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    sourceBlobEndpoint: sourceAccess.outputs.blobEndpoint
    vaultBlobEndpoint: vaultAccess.outputs.blobEndpoint
    vaultTableEndpoint: vaultAccess.outputs.tableEndpoint
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    durableAlwaysReady: durableAlwaysReady
    appSettings: appSettings
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = groupName
output STRONGROOM_FUNCTION_APP string = functionApp.outputs.name
output STRONGROOM_URL string = functionApp.outputs.url
output STRONGROOM_VAULT string = vaultName
