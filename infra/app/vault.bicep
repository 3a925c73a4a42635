// The vault, which stores the backups: private, without shared keys, with soft delete.
param name string
param location string
param tags object
param redundancy string
param softDeleteDays int

@description('Prevents the deletion of the account, even by its owner, until someone removes the lock.')
param lock bool

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource keep 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'strongroom-vault'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds backups. Take this lock off only when none of them is needed any more.'
  }
}
