// Without roles of its own: the app may delete in the vault. The switches that need such roles have no effect then.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param customRoles = false
param pruneIdentity = true
param restoreToSource = true
