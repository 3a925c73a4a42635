import type { HttpHandler, IsOpen } from '../http/server.ts';
import type { QueueSignals } from '../queues/queue-signals.ts';
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
  /** Directory for everything that must survive a restart. */
  dataDirectory: string;
  /** Separates the records of this host in storage from those of other hosts. */
  hostId: string;
  /** Which orchestrations of the journal this process resumes, by the id of the first; all if absent. */
  resumes?: (id: string) => boolean;
  /** Wakes queue workers when this host adds a message. */
  signals: QueueSignals;
}

/** Listens for the events of one kind of trigger. Each kind has a file that creates its listener. */
export interface Listener {
  /** Answers calls on the port of the host. */
  http?: HttpHandler;
  /** Whether the function of a call needs no key of the host. */
  isOpen?: IsOpen;
  /** Invokes a function for `POST /admin/functions/{name}`. Absent for triggers that have a URL of their own. */
  fire?: (functionName: string, input: unknown) => boolean;
  start?(): void | Promise<void>;
  /** Starts no more functions, and resolves when the running ones have ended. */
  stop?(): Promise<void>;
  /** Writes pending data to disk. The host calls it after `stop`, even if that timed out. */
  close?(): Promise<void>;
}
