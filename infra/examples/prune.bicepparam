// With an identity of its own for prunes and for the clean-up after drills.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param pruneIdentity = true
