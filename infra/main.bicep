// Strongroom in one subscription: the function app with its resources, the vault, and the rights of its identities.
// Uses no registry modules. See infra/README.md.
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the environment. The names of resources derive from it.')
param environmentName string

@minLength(1)
@description('Region of all created resources. Choose the region of the source account: copies within a region cost no egress.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Resource group of all created resources. Empty: rg-<environmentName>.')
param resourceGroupName string = ''

@minLength(3)
@maxLength(24)
@description('The existing storage account to back up. The deployment only changes its role assignments and, with uploadContainers, its event subscriptions.')
param sourceAccountName string

@minLength(1)
@description('Resource group of the account to back up.')
param sourceResourceGroup string

@description('Subscription of the account to back up. Empty: this one.')
param sourceSubscriptionId string = ''

@description('Existing storage account to use as the vault. Empty: this creates one, with soft delete and a lock.')
param vaultAccountName string = ''

@description('Resource group of the existing vault. Only needed with vaultAccountName.')
param vaultResourceGroup string = ''

@description('Subscription of the existing vault. Empty: this one.')
param vaultSubscriptionId string = ''

@description('Redundancy of a vault that this creates.')
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
@description('Days for which a deleted blob or container can be restored, in a vault that this creates.')
param vaultSoftDeleteDays int = 30

@description('Locks a vault that this creates against deletion of the account or its resource group.')
param lockVault bool = true

@description('Defines custom roles, so that the app cannot delete in the vault. False: built-in roles, which can.')
param customRoles bool = true

@description('Lets the app read index tags of the source, to back them up. Requires customRoles.')
param readTags bool = true

@description('Lets the app read tables of the source, for jobs with "tables".')
param readTables bool = false

@description('Creates a second identity with the right to delete in the vault: the account VAULT_PRUNE, for "retention.account" of a job. Requires customRoles.')
param pruneIdentity bool = false

@description('Containers of the source for which Event Grid sends upload events to the queue below. Empty: no topic and no queue.')
param uploadContainers array = []

@minLength(3)
@maxLength(56)
@description('Name of the queue: the "events.queue" of archive rules.')
param uploadQueueName string = 'strongroom-uploads'

@description('The existing Event Grid system topic of the source account, in the resource group of that account. Empty: this creates one.')
param uploadTopicName string = ''

@description('Lets the app write to the source. Set it only for the time of a restore. Requires customRoles.')
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
@description('The largest number of instances of the app.')
param maximumInstanceCount int = 40

@minValue(0)
@maxValue(100)
@description('Always-ready instances for orchestrations and activities. 0 costs nothing between runs; 1 starts runs sooner.')
param durableAlwaysReady int = 0

@description('Client id of an app registration with the app roles of app-roles.json: callers sign in with Microsoft Entra. Empty: function keys.')
param entraClientId string = ''

@description('Tenant of the app registration. Empty: that of the subscription.')
param entraTenantId string = ''

@description('More app settings, such as those that strongroom.json refers to as %NAME%. No secrets.')
param appSettings object = {}

@description('Email address for alerts on unsuccessful and overdue runs, on runs that a timer could not start, on uploads that failed permanently, on a configuration that does not let the app work, and on an app that is gone. Empty: no alert.')
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
    principalId: separatePrune ? pruner!.outputs.principalId : ''
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
    principalId: tellOfUploads ? uploadTopic!.outputs.principalId : ''
  }
}

module uploadEvents 'app/upload-events.bicep' = if (tellOfUploads) {
  name: 'strongroom-upload-events-${token}'
  scope: resourceGroup(sourceSubscription, sourceResourceGroup)
  params: {
    topicName: tellOfUploads ? uploadTopic!.outputs.name : ''
    containers: uploadContainers
    accountId: tellOfUploads ? uploadQueue!.outputs.accountId : ''
    queueName: uploadQueueName
    deadLetterContainer: tellOfUploads ? uploadQueue!.outputs.deadLetterContainer : ''
  }
}

module functionApp 'app/function-app.bicep' = {
  name: 'strongroom-function-app'
  scope: group
  params: {
    name: 'func-strongroom-${token}'
    planName: 'plan-strongroom-${token}'
    taskHub: 'strongroom${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    pruneIdentityId: separatePrune ? pruner!.outputs.id : ''
    pruneIdentityClientId: separatePrune ? pruner!.outputs.clientId : ''
    hostStorageName: hostStorage.outputs.name
    hostBlobEndpoint: hostStorage.outputs.blobEndpoint
    hostQueueEndpoint: hostStorage.outputs.queueEndpoint
    hostTableEndpoint: hostStorage.outputs.tableEndpoint
    deploymentContainerUrl: hostStorage.outputs.deploymentContainerUrl
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    sourceBlobEndpoint: sourceAccess.outputs.blobEndpoint
    vaultBlobEndpoint: vaultAccess.outputs.blobEndpoint
    vaultTableEndpoint: vaultAccess.outputs.tableEndpoint
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    durableAlwaysReady: durableAlwaysReady
    entraClientId: entraClientId
    entraTenantId: empty(entraTenantId) ? tenant().tenantId : entraTenantId
    appSettings: appSettings
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = groupName
output STRONGROOM_FUNCTION_APP string = functionApp.outputs.name
output STRONGROOM_URL string = functionApp.outputs.url
output STRONGROOM_VAULT string = vaultName
output STRONGROOM_IDENTITY string = identity.outputs.principalId
