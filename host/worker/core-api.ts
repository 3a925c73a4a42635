import { createRequire } from 'node:module';
import { writeLog } from '../log.ts';

/**
 * `@azure/functions-core` is not a package. The real worker answers `require` for it with an object of its own, with
 * which the app registers functions and hooks. This is that object, with the parts that @azure/functions uses.
 */
export interface TypedData {
  string?: string | null;
  json?: string | null;
  bytes?: Uint8Array | null;
  int?: number | null;
  double?: number | null;
  http?: HttpData | null;
}

export interface HttpData {
  url?: string;
  method?: string;
  nullableHeaders?: Record<string, { value: string }>;
  nullableParams?: Record<string, { value: string }>;
  nullableQuery?: Record<string, { value: string }>;
  body?: TypedData | null;
  statusCode?: string;
  headers?: Record<string, string>;
  cookies?: unknown[];
}

export interface Binding {
  type: string;
  direction: 'in' | 'out' | 'inout';
  name?: string;
  [setting: string]: unknown;
}

export interface RegisteredFunction {
  metadata: { name: string; bindings: Record<string, Binding> };
  callback: (...args: unknown[]) => unknown;
}

export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: RegisteredFunction['callback']): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface InvocationResponse {
  returnValue?: TypedData | null;
  outputData?: { name: string; data: TypedData }[];
}

export interface ProgrammingModel {
  getInvocationModel(context: unknown): InvocationModel;
  getCapabilities?(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

export type Hook = (context: Record<string, unknown>) => unknown;
export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';

export interface Registrations {
  functions: Map<string, RegisteredFunction>;
  hooks: Record<HookName, Hook[]>;
  programmingModel: ProgrammingModel | undefined;
  /** Shared by all hooks of the app. */
  appHookData: Record<string, unknown>;
}

class Disposable {
  readonly #dispose: () => unknown;

  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }

  dispose(): unknown {
    return this.#dispose();
  }

  static from(...items: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => items.map((item) => item.dispose()));
  }
}

/** Makes `require('@azure/functions-core')` return our object, in every package. */
export function installCoreApi(): Registrations {
  const registrations: Registrations = {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    programmingModel: undefined,
    appHookData: {},
  };
  const coreApi = {
    version: '3.10.0',
    hostVersion: '4.1040.0',
    Disposable,
    registerFunction(metadata: RegisteredFunction['metadata'], callback: RegisteredFunction['callback']) {
      if (registrations.functions.has(metadata.name)) {
        throw new Error(`A function named "${metadata.name}" is registered twice.`);
      }
      registrations.functions.set(metadata.name, { metadata, callback });
      return new Disposable(() => registrations.functions.delete(metadata.name));
    },
    registerHook(name: string, hook: Hook) {
      if (!Object.hasOwn(registrations.hooks, name)) throw new RangeError(`Unrecognized hook "${name}"`);
      const hooks = registrations.hooks[name as HookName];
      hooks.push(hook);
      return new Disposable(() => hooks.splice(hooks.indexOf(hook), 1));
    },
    setProgrammingModel(model: ProgrammingModel) {
      registrations.programmingModel = model;
    },
    getProgrammingModel: () => registrations.programmingModel,
    log: (level: LogLevel, _category: string, message: string) => writeLog(level, message),
  };

  const { Module } = createRequire(import.meta.url)('node:module') as {
    Module: { prototype: { require(this: unknown, id: string): unknown } };
  };
  const original = Module.prototype.require;
  Module.prototype.require = function require(id) {
    return id === '@azure/functions-core' ? coreApi : original.call(this, id);
  };
  return registrations;
}
