// The function app on a Flex Consumption plan. It has no secrets: it uses an identity for every account.
param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string

@description('A second identity with the right to delete in the vault. Empty: none.')
param pruneIdentityId string
param pruneIdentityClientId string

@description('The task hub of Durable Functions: queues, tables and containers in the host storage with names that begin with this.')
@minLength(3)
@maxLength(45)
param taskHub string

param hostStorageName string
param hostBlobEndpoint string
param hostQueueEndpoint string
param hostTableEndpoint string
param deploymentContainerUrl string
param applicationInsightsConnectionString string
param sourceBlobEndpoint string
param vaultBlobEndpoint string
param vaultTableEndpoint string
param instanceMemoryMB int
param maximumInstanceCount int
param durableAlwaysReady int

@description('The client id of an app registration whose app roles say what callers may do. Empty: function keys.')
param entraClientId string
param entraTenantId string

@description('More app settings, such as those that strongroom.json refers to as %NAME%.')
param appSettings object

// The vault under a second alias, for "retention.account" in strongroom.json.
var pruneSettings = empty(pruneIdentityId) ? {} : {
  VAULT_PRUNE__blobServiceUri: vaultBlobEndpoint
  VAULT_PRUNE__credential: 'managedidentity'
  VAULT_PRUNE__clientId: pruneIdentityClientId
}

// The platform signs in to the registration as the identity of the app, so there is no secret of it.
var assertionSetting = 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
var signInSettings = empty(entraClientId) ? {} : {
  STRONGROOM_AUTH: 'entra'
  '${assertionSetting}': identityClientId
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'strongroom' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: union({ '${identityId}': {} }, empty(pruneIdentityId) ? {} : { '${pruneIdentityId}': {} })
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: {
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: '22'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: durableAlwaysReady == 0 ? [] : [
          {
            name: 'durable'
            instanceCount: durableAlwaysReady
          }
        ]
      }
    }
  }
}

resource signIn 'Microsoft.Web/sites/config@2024-04-01' = if (!empty(entraClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      // The app answers these with 401 itself, except for the few calls that need no sign-in, and takes keys of machines.
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          openIdIssuer: '${environment().authentication.loginEndpoint}${entraTenantId}/v2.0'
          clientId: entraClientId
          clientSecretSettingName: assertionSetting
        }
        validation: {
          allowedAudiences: [
            entraClientId
            'api://${entraClientId}'
          ]
        }
      }
    }
    login: {
      // The app reads who signed in, and calls nothing in the name of users.
      tokenStore: {
        enabled: false
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(appSettings, pruneSettings, signInSettings, {
    // The addresses are right in every cloud, and have precedence. The name is for the host before it has read them
    // (github.com/Azure/azure-functions-host/issues/11787), and for tools that only know the name.
    AzureWebJobsStorage__blobServiceUri: hostBlobEndpoint
    AzureWebJobsStorage__queueServiceUri: hostQueueEndpoint
    AzureWebJobsStorage__tableServiceUri: hostTableEndpoint
    AzureWebJobsStorage__accountName: hostStorageName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    // host.json names this setting. The scale controller reads both, but no AzureFunctionsJobHost__ setting.
    STRONGROOM_HUB: taskHub
    // Otherwise the host answers "/" itself, and not with the page.
    AzureWebJobsDisableHomepage: 'true'
    APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    SOURCE__blobServiceUri: sourceBlobEndpoint
    SOURCE__credential: 'managedidentity'
    SOURCE__clientId: identityClientId
    VAULT__blobServiceUri: vaultBlobEndpoint
    VAULT__tableServiceUri: vaultTableEndpoint
    VAULT__credential: 'managedidentity'
    VAULT__clientId: identityClientId
  })
  // Without the sign-in in front of it, the app does not start in this mode.
  dependsOn: [
    signIn
  ]
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
