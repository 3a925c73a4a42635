// With mails about runs, uploads and a configuration that need attention.
using '../main.bicep'

param environmentName = 'strongroom'
param location = 'westeurope'
param sourceAccountName = 'mysource'
param sourceResourceGroup = 'rg-mysource'
param alertEmail = 'operator@example.org'
