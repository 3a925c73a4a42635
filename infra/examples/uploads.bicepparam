// With Event Grid, which reports uploads to one container.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param uploadContainers = [
  'incoming'
]
