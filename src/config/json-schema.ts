import { z } from 'zod';
import { configurationSchema } from './configuration.ts';

/** The JSON Schema of strongroom.json, which editors use for completion and checks. */
export function configurationJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configurationSchema, { io: 'input' });
  return { $schema, title: 'Strongroom configuration', ...schema };
}
