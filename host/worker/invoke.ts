import { randomUUID } from 'node:crypto';
import { writeLog } from '../log.ts';
import type { InvocationResponse, LogLevel, RegisteredFunction, Registrations, TypedData } from './core-api.ts';

/** Calls a function with the data of its trigger. Rejects with the error that the function throws. */
export type Invoke = (trigger: TypedData, triggerMetadata?: Record<string, TypedData>) => Promise<InvocationResponse>;

/** The data of an input binding other than the trigger, by type of binding. */
export type InputData = (bindingType: string) => TypedData | undefined;

/** Returns a call of a function that follows the steps of the real worker, including hooks. */
export function invoker(
  registrations: Registrations,
  { metadata, callback }: RegisteredFunction,
  inputData: InputData,
): Invoke {
  const { hooks, appHookData } = registrations;
  const bindings = Object.entries(metadata.bindings);
  const triggerName = bindings.find(([, binding]) => isTrigger(binding.type))?.[0];
  if (triggerName === undefined) throw new Error(`Function "${metadata.name}" has no trigger.`);

  return async (trigger, triggerMetadata = {}) => {
    const model = registrations.programmingModel;
    if (model === undefined) throw new Error('The app does not use @azure/functions.');
    const invocationId = randomUUID();
    const extra = bindings.flatMap(([name, { type, direction }]) => {
      const data = direction === 'in' && name !== triggerName ? inputData(type) : undefined;
      return data === undefined ? [] : [{ name, data }];
    });
    const invocation: { state?: string | undefined } & Record<string, unknown> = {
      invocationId,
      metadata,
      request: { invocationId, inputData: [{ name: triggerName, data: trigger }, ...extra], triggerMetadata },
      log(level: LogLevel, category: string, message: string) {
        const entry = { level, message, category, hookData: {}, appHookData, invocationContext: context };
        for (const hook of hooks.log) hook(entry);
        writeLog(entry.level, entry.message);
      },
    };
    let context: unknown;
    const steps = model.getInvocationModel(invocation);
    const prepared = await steps.getArguments();
    context = prepared.context;

    const hookData = {};
    const before = {
      hookData,
      appHookData,
      invocationContext: context,
      functionCallback: callback,
      inputs: prepared.inputs,
    };
    invocation.state = 'preInvocationHooks';
    for (const hook of hooks.preInvocation) await hook(before);

    const after: Record<string, unknown> & { result: unknown; error: unknown } = {
      hookData,
      appHookData,
      invocationContext: context,
      inputs: before.inputs,
      result: null,
      error: null,
    };
    invocation.state = 'invocation';
    try {
      after.result = await steps.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error ?? new Error('The function threw nothing.');
    }
    invocation.state = 'postInvocationHooks';
    for (const hook of hooks.postInvocation) await hook(after);
    invocation.state = undefined;
    if (after.error !== null && after.error !== undefined) throw after.error;
    return steps.getResponse(context, after.result);
  };
}

export function isTrigger(bindingType: string): boolean {
  return /trigger$/i.test(bindingType);
}
