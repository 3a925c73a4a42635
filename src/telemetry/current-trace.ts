import { AsyncLocalStorage } from 'node:async_hooks';
import { parseTrace, type TracePlace } from '#domain/run/trace.ts';

const current = new AsyncLocalStorage<TracePlace>();

/** Does the work at this place in a trace: what it reports and starts belongs there. Without one, where it is. */
export function inTrace<T>(place: TracePlace | undefined, work: () => T): T {
  return place ? current.run(place, work) : work();
}

/** Undefined outside of a trace. */
export function currentTrace(): TracePlace | undefined {
  return current.getStore();
}

/** What the host says about an invocation. */
interface Invocation {
  traceContext?: { traceParent?: string | undefined; traceState?: string | undefined } | undefined;
}

/** The place where an invocation is: what the HTTP request that caused it names, or else what the host does. */
export function traceOfInvocation({ traceContext }: Invocation, trigger: unknown): TracePlace | undefined {
  const headers = headersOf(trigger);
  const named = headers && parseTrace(headers.get('traceparent'), headers.get('tracestate'));
  return named ?? parseTrace(traceContext?.traceParent, traceContext?.traceState);
}

/** Of an HTTP request. The data of other triggers are anything: a message may have a member of this name. */
function headersOf(trigger: unknown): Pick<Headers, 'get'> | undefined {
  const { headers } = (typeof trigger === 'object' && trigger !== null ? trigger : {}) as {
    headers?: Partial<Headers>;
  };
  return typeof headers?.get === 'function' ? (headers as Headers) : undefined;
}
