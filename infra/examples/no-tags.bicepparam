// Without the right to read index tags of the source.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param readTags = false
