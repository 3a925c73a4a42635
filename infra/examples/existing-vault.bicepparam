// With a vault that exists, in another resource group and another subscription.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param vaultAccountName = 'myvault'
param vaultResourceGroup = 'rg-myvault'
param vaultSubscriptionId = '00000000-0000-0000-0000-000000000003'
