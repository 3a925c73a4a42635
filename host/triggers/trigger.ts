import type { HttpHandler } from '../http/server.ts';
import type { QueueBell } from '../queues/queue-bell.ts';
import type { HostSettings } from '../settings/host-settings.ts';
import type { Binding } from '../worker/core-api.ts';
import type { Invoke } from '../worker/invoke.ts';

/** A function of the app, ready to be called. */
export interface HostedFunction {
  name: string;
  trigger: Binding;
  bindings: Record<string, Binding>;
  invoke: Invoke;
}

export interface TriggerHost {
  settings: HostSettings;
  /** Where what must survive a restart is kept. */
  dataDirectory: string;
  /** Tells the records of this host in storage from those of others. */
  hostId: string;
  /** Tells queue listeners what was put into a queue by this host. */
  bell: QueueBell;
}

/** Listens for what starts functions. One kind of trigger is one file that makes one of these from its functions. */
export interface Listener {
  /** Answers calls on the host's own port. */
  http?: HttpHandler;
  /** Fires a function by hand, as POST /admin/functions/{name} does; absent for triggers that have an address of their own. */
  fire?: (functionName: string, input: unknown) => boolean;
  start?(): void | Promise<void>;
  /** Starts nothing more, and resolves when what runs has ended. */
  stop?(): Promise<void>;
  /** Comes after `stop`, however that went: what is on its way to disk is written. */
  close?(): Promise<void>;
}
