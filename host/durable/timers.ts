import { type Decision, EventType, type Message, timerFired } from './history.ts';
import type { Instance } from './instance.ts';

/** A longer delay overflows Node's timers, and they fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

type TimerDecision = Extract<Decision, { EventType: typeof EventType.TimerCreated }>;

interface Armed {
  executionId: string;
  timers: Map<number, NodeJS.Timeout>;
}

/** Has a timer of this process for each open timer of the instances. */
export class DurableTimers {
  readonly #armed = new Map<string, Armed>();
  readonly #fire: (instance: Instance, message: Message) => void;
  #stopped = false;

  constructor(fire: (instance: Instance, message: Message) => void) {
    this.#fire = fire;
  }

  reconcile(instance: Instance): void {
    if (this.#stopped) return;
    if (this.#armed.get(instance.id)?.executionId !== instance.executionId) this.forget(instance.id);
    const { timers } = this.#armed.get(instance.id) ?? { timers: new Map<number, NodeJS.Timeout>() };
    for (const [id, timer] of timers) {
      if (instance.open.has(id)) continue;
      clearTimeout(timer);
      timers.delete(id);
    }
    for (const decision of instance.open.values()) {
      if (decision.EventType === EventType.TimerCreated && !timers.has(decision.EventId)) {
        this.#arm(instance, decision, timers);
      }
    }
    if (timers.size > 0) this.#armed.set(instance.id, { executionId: instance.executionId, timers });
    else this.#armed.delete(instance.id);
  }

  #arm(instance: Instance, decision: TimerDecision, timers: Map<number, NodeJS.Timeout>): void {
    const delay = Date.parse(decision.FireAt) - Date.now();
    const wait = setTimeout(
      () => {
        // Too early: the delay was cut, or the clock was set back.
        if (Date.parse(decision.FireAt) > Date.now()) return this.#arm(instance, decision, timers);
        this.#fire(instance, timerFired(new Date().toISOString(), decision.EventId, decision.FireAt));
      },
      Math.min(Math.max(delay, 0), LONGEST_DELAY),
    );
    timers.set(decision.EventId, wait);
  }

  forget(instanceId: string): void {
    for (const timer of this.#armed.get(instanceId)?.timers.values() ?? []) clearTimeout(timer);
    this.#armed.delete(instanceId);
  }

  stop(): void {
    this.#stopped = true;
    for (const id of [...this.#armed.keys()]) this.forget(id);
  }
}
