// Which uploads the topic tells of, and where: a subscription for each container. Deployed to the resource group of the
// topic, once its identity may deliver.
param topicName string
param containers array

@description('The storage account of the queue, and of the container for what cannot be delivered.')
param accountId string
param queueName string
param deadLetterContainer string

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' existing = {
  name: topicName
}

resource uploads 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = [for container in containers: {
  parent: topic
  // Names have 64 characters at most, and those of containers 63. Of other environments of the same source there may be
  // more on this topic.
  name: 'strongroom-${uniqueString(accountId, queueName, container)}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      // With the slash: without, it would be all containers whose names begin so.
      subjectBeginsWith: '/blobServices/default/containers/${container}/'
      // Renaming is known to accounts with a hierarchical namespace only, where it is how tools finish an upload.
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
    // The most that Event Grid does: a day. After that the reconcile finds the upload.
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
}]
