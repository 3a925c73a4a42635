import { EXPOSITION_TYPE } from '#domain/metrics/exposition.ts';
import { text } from './fields.ts';
import { operations } from './operation.ts';

export const metricsOperations = operations({
  metrics: {
    method: 'GET',
    path: 'metrics',
    summary: 'Show metrics in the text format of Prometheus',
    needs: 'status',
    mediaType: EXPOSITION_TYPE,
    answers: { 200: text },
    errors: {},
  },
});
