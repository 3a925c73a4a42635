// Log Analytics and Application Insights, which only accepts telemetry from the identity, and a workbook. An alert on
// unsuccessful and overdue runs, runs that a timer could not start, an engaged safety brake, and uploads that failed
// permanently. Another one on a configuration that does not let the app work, and one on an app that is gone.
param token string
param location string
param tags object

@description('The principal that may send telemetry.')
param principalId string

@description('Email address for alerts on unsuccessful and overdue runs, on runs that a timer could not start, on uploads that failed permanently, on a configuration that does not let the app work, and on an app that is gone. Empty: no alert.')
param alertEmail string

// Monitoring Metrics Publisher
var publisherRole = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-strongroom-${token}'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: 30
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-strongroom-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource maySend 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, publisherRole)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', publisherRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: 'ag-strongroom-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'strongroom'
    enabled: true
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: alertEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

resource badRun 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = if (!empty(alertEmail)) {
  name: 'alert-strongroom-runs-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'A Strongroom run did not happen, did not succeed or found very much changed, or an upload was not archived'
    description: 'One of these happened: a run failed or completed with failures (see GET /api/runs); a timer tried for minutes to start a run, and failed (see the event strongroom-start-failed); a run gave no sign of life when the next one was to start (see GET /api/runs/{id}); a run engaged the safety brake, since it found so much changed or deleted, and retention waits for an operator (see GET /api/restore-points); an archive rule failed to archive an upload permanently (see GET /api/archives/{rule}/poison); the watch found that a run is overdue or gives no sign of life, that a stored object is damaged or lost, that nothing was verified for too long, that a job is still paused, that an account is out of reach or that a channel takes no messages (see the event strongroom-condition-open, and docs/watch.md).'
    severity: 1
    enabled: true
    scopes: [
      insights.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    // Each event is reported on its own: nothing is resolved because half an hour passes without another one. Windows
    // overlap, as events arrive late: an event may be reported twice.
    autoMitigate: false
    criteria: {
      allOf: [
        {
          // Of the conditions of the watch, those of which no other event tells. One of an account or a channel has no job.
          query: 'customEvents | where name in ("strongroom-brake-engaged", "strongroom-upload-failed-permanently", "strongroom-start-failed", "strongroom-run-silent") or (name == "strongroom-run-finished" and tostring(customDimensions.status) !in ("succeeded", "cancelled")) or (name == "strongroom-condition-open" and tostring(split(tostring(customDimensions.condition), "/")[0]) in ("overdue", "stalled", "damaged", "unproved", "paused", "out-of-reach", "undelivered")) | extend job = coalesce(tostring(customDimensions.job), tostring(customDimensions.rule), tostring(customDimensions.condition))'
          timeAggregation: 'Count'
          // One alert for each job and rule: that of one does not hide that of another.
          dimensions: [
            {
              name: 'job'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}

resource badConfiguration 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = if (!empty(alertEmail)) {
  name: 'alert-strongroom-configuration-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Strongroom runs no job, because its configuration is wrong'
    description: 'The app has started with a strongroom.json or app settings that are wrong or missing: it starts no run, and answers every call with the problems (see GET /api/health, or the event strongroom-misconfigured).'
    severity: 1
    enabled: true
    scopes: [
      insights.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    // The app reports this for as long as it lasts: one alert, until the reports stop.
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'customEvents | where name == "strongroom-misconfigured"'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}

resource gone 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = if (!empty(alertEmail)) {
  name: 'alert-strongroom-gone-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Strongroom does not run: nothing has watched the backups for an hour'
    description: 'The watch of the app, which runs every five minutes, has reported nothing for an hour. The app is stopped or deleted, does not start, or cannot send telemetry: no backup may happen, and nothing else reports that. See GET /api/live and GET /api/health.'
    severity: 1
    enabled: true
    scopes: [
      insights.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    // It lasts until the watch reports again.
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'customMetrics | where name == "strongroom-watch-open-conditions"'
          timeAggregation: 'Count'
          operator: 'LessThan'
          threshold: 1
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insights.id, 'strongroom')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Strongroom'
    category: 'workbook'
    sourceId: insights.id
    serializedData: string(union(loadJsonContent('../workbook/strongroom.json'), { fallbackResourceIds: [insights.id] }))
  }
}

output connectionString string = insights.properties.ConnectionString
