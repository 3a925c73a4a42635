import { z } from 'zod';
import { PERMISSIONS } from '#domain/access/permission.ts';
import { ROLE_NAMES } from '#domain/access/role.ts';
import { bySchema } from '#domain/run/by.ts';
import { text } from './fields.ts';
import { operations } from './operation.ts';

export const whoAmIOperations = operations({
  whoAmI: {
    method: 'GET',
    path: 'whoami',
    summary: 'Show who calls, and what this caller may do',
    needs: 'signed-in',
    answers: {
      200: z.strictObject({
        ...bySchema.shape,
        roles: z.array(z.enum(ROLE_NAMES)),
        may: z.array(z.enum(PERMISSIONS)),
        signOut: text.nullable(),
        instance: text.nullable(),
        version: text,
      }),
    },
    errors: {},
  },
});
