import { newPipeline, type Pipeline, type RequestPolicyFactory, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { AccountAccess } from './account-access.ts';
import { requestExtras } from './request-extras.ts';
import { type RetryOptions, retryPolicy } from './retry-policy.ts';
import { BLOB_VERSION } from './service-version.ts';
import { transport } from './transport.ts';

/** The SDK's pipeline for one account: our retries, version and headers, the SDK's signing, our transport. */
export function blobPipeline(access: AccountAccess, retries: RetryOptions): Pipeline {
  const { by } = access;
  const credential =
    by.kind === 'key'
      ? new StorageSharedKeyCredential(by.accountName, by.accountKey)
      : by.kind === 'identity'
        ? by.credential
        : undefined;
  const pipeline = newPipeline(credential, {
    httpClient: transport(retries.timeout),
    retryOptions: { maxTries: 1 },
    userAgentOptions: { userAgentPrefix: 'strongroom' },
  });
  // The SDK reads these when it creates the first client. They run before the signing, in this order.
  pipeline.factories.push(retryPolicy(retries), extraHeaders);
  return pipeline;
}

const extraHeaders: RequestPolicyFactory = {
  create: (next) => ({
    sendRequest(request) {
      request.headers.set('x-ms-version', BLOB_VERSION);
      for (const [name, value] of Object.entries(requestExtras()?.headers ?? {})) request.headers.set(name, value);
      return next.sendRequest(request);
    },
  }),
};
