import { AsyncLocalStorage } from 'node:async_hooks';
import { app, type InvocationContext } from '@azure/functions';
import { inTrace, traceOfInvocation } from './current-trace.ts';

/** What an operator has to act on is `error` or `warn`. The host does not store `debug` unless it is asked to. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/*
 * The host assigns a line to an invocation, and gives it a level, only if it comes through the context of that
 * invocation. To pass the context to everything that may log would add a parameter to most functions of this app.
 */
const current = new AsyncLocalStorage<InvocationContext>();

/**
 * From now on, everything that a function calls knows the invocation, and where in a trace it is. Call it before
 * functions are registered.
 */
export function followInvocations(): void {
  app.hook.preInvocation((hook) => {
    const { invocationContext, functionHandler } = hook;
    const place = traceOfInvocation(invocationContext, hook.inputs[0]);
    hook.functionHandler = (...args) =>
      current.run(invocationContext as InvocationContext, () => inTrace(place, () => functionHandler(...args)));
  });
}

/** Writes a line to the log of the invocation. Outside of one, the host takes any line for `info`. */
export function writeLine(level: LogLevel, line: string): void {
  (current.getStore() ?? console)[level](line);
}

/** Undefined outside of an invocation. */
export function currentInvocation(): string | undefined {
  return current.getStore()?.invocationId;
}
