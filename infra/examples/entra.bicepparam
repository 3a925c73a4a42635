// Callers who sign in with Microsoft Entra.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param entraClientId = '11111111-2222-3333-4444-555555555555'
