// With Event Grid, on a source account that has a topic already.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param uploadContainers = [
  'incoming'
]
param uploadTopicName = 'defender-topic'
