import { hostIdOf } from '../data/host-id.ts';
import type { HostError } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { QueueSignals } from '../queues/queue-signals.ts';
import { loadHostSettings } from '../settings/host-settings.ts';
import type { Registrations, TypedData } from '../worker/core-api.ts';
import { invoker, isTrigger } from '../worker/invoke.ts';
import { blobListener } from './blob.ts';
import { type DurableListener, durableListener } from './durable.ts';
import { httpListener } from './http.ts';
import { queueListener } from './queue.ts';
import { timerListener } from './timer.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

const DURABLE = ['orchestrationTrigger', 'activityTrigger'];
const SUPPORTED = new Set(['httpTrigger', 'timerTrigger', 'queueTrigger', 'blobTrigger', ...DURABLE]);

export interface Listeners {
  listeners: Listener[];
  /** One of `listeners`. */
  durable: DurableListener;
}

export interface ListenerOptions {
  appDirectory: string;
  dataDirectory: string;
  /** Of a process that runs one job: which orchestrations it resumes. It has no timers, queue and blob triggers. */
  resumes?: (id: string) => boolean;
}

/** Creates a listener for each kind of trigger, with the functions of the app that have it. */
export async function createListeners(
  registrations: Registrations,
  { appDirectory, dataDirectory, resumes }: ListenerOptions,
  fatal: (error: HostError) => void,
): Promise<Listeners> {
  const host: TriggerHost = {
    settings: loadHostSettings(appDirectory),
    dataDirectory,
    hostId: hostIdOf(appDirectory, dataDirectory),
    signals: new QueueSignals(),
    ...(resumes && { resumes }),
  };
  let clientData: TypedData | undefined;
  const functions = hostedFunctions(registrations, (type) =>
    type === 'durableClient' || type === 'orchestrationClient' ? clientData : undefined,
  );
  const withTrigger = (...types: string[]) => functions.filter(({ trigger }) => types.includes(trigger.type));
  const http = httpListener(withTrigger('httpTrigger'), host);
  const others = resumes
    ? []
    : [
        timerListener(withTrigger('timerTrigger'), host),
        await queueListener(withTrigger('queueTrigger'), host),
        await blobListener(withTrigger('blobTrigger'), host),
      ];
  const durable = await durableListener(withTrigger(...DURABLE), host, fatal);
  clientData = durable.clientData;
  return { listeners: [http, ...others, durable], durable };
}

function hostedFunctions(
  registrations: Registrations,
  inputData: (bindingType: string) => TypedData | undefined,
): HostedFunction[] {
  return [...registrations.functions.values()].flatMap((registered) => {
    const { name, bindings } = registered.metadata;
    const trigger = Object.values(bindings).find(({ type }) => isTrigger(type));
    if (trigger === undefined || isDisabled(name)) return [];
    if (!SUPPORTED.has(trigger.type)) {
      writeLog('warning', `Function "${name}" does not start: this host does not support ${trigger.type}.`);
      return [];
    }
    return [{ name, trigger, bindings, invoke: invoker(registrations, registered, inputData) }];
  });
}

/** As in Azure, the app setting `AzureWebJobs.NAME.Disabled` disables a function. */
function isDisabled(name: string): boolean {
  const value = process.env[`AzureWebJobs.${name}.Disabled`] ?? process.env[`AzureWebJobs__${name}__Disabled`];
  return value === '1' || value?.toLowerCase() === 'true';
}
