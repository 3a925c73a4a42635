// With every switch on.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param alertEmail = 'operator@example.org'
param readTables = true
param restoreToSource = true
param pruneIdentity = true
param uploadContainers = [
  'incoming'
  'scans'
]
param durableAlwaysReady = 1
param entraClientId = '11111111-2222-3333-4444-555555555555'
param appSettings = {
  SCAN_JOB: 'scans'
}
