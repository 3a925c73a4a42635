import { z } from 'zod';
import { text } from './fields.ts';
import { operations } from './operation.ts';

export const descriptionOperations = operations({
  openApi: {
    method: 'GET',
    path: 'openapi.json',
    summary: 'Describe this API for programs',
    needs: 'anyone',
    query: z.looseObject({}),
    answers: { 200: z.looseObject({ openapi: text }) },
    errors: {},
  },
});
