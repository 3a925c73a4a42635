import type { AppSettings } from './app-settings.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { ConfigurationError } from './configuration-error.ts';
import { type Limits, readLimits } from './limits.ts';

/** Reads everything that operators set. Throws one `ConfigurationError` with the problems of all of it. */
export function readAll(from: { env: AppSettings; cwd: string; appRoot: string }): {
  configuration: Configuration;
  limits: Limits;
} {
  const configuration = resultOf(() => readConfiguration(from));
  const limits = resultOf(() => readLimits(from.env.STRONGROOM_LIMITS));
  if (configuration instanceof ConfigurationError) {
    throw limits instanceof ConfigurationError ? ConfigurationError.join([configuration, limits]) : configuration;
  }
  if (limits instanceof ConfigurationError) throw limits;
  return { configuration, limits };
}

function resultOf<T>(read: () => T): T | ConfigurationError {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}
