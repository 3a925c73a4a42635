// An event subscription for each container with uploads. Deployed to the resource group of the topic, after its
// identity has the right to deliver.
param topicName string
param containers array

@description('The storage account of the queue and of the container for events that Event Grid cannot deliver.')
param accountId string
param queueName string
param deadLetterContainer string

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' existing = {
  name: topicName
}

resource uploads 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = [for container in containers: {
  parent: topic
  // A name has at most 64 characters, the name of a container at most 63. Other environments with the same source may
  // have subscriptions on this topic, too.
  name: 'strongroom-${uniqueString(accountId, queueName, container)}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      // Without the trailing slash, this would match all containers whose names start with this one.
      subjectBeginsWith: '/blobServices/default/containers/${container}/'
      // Only accounts with a hierarchical namespace have renames. There, many tools finish an upload with a rename.
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
        'Microsoft.Storage.BlobRenamed'
      ]
    }
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: accountId
          queueName: queueName
        }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: accountId
          blobContainerName: deadLetterContainer
        }
      }
    }
    // The longest retry period of Event Grid: a day. After that, the reconciliation finds the upload.
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
}]
